/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads and writes control registers: MOV CR0 to CR8, LMSW, CLTS.
 * Stopped by: the CPU, ring 3.
 * Escape-Expect: stopped: SIGSEGV (general protection) from mov rax, cr0
 * Escape-Expect: stopped: SIGSEGV (general protection) from mov cr0, rax
 * Escape-Expect: stopped: SIGSEGV (general protection) from mov rax, cr2
 * Escape-Expect: stopped: SIGSEGV (general protection) from mov rax, cr3
 * Escape-Expect: stopped: SIGSEGV (general protection) from mov cr3, rax
 * Escape-Expect: stopped: SIGSEGV (general protection) from mov rax, cr4
 * Escape-Expect: stopped: SIGSEGV (general protection) from mov cr4, rax
 * Escape-Expect: stopped: SIGSEGV (general protection) from mov cr8, rax
 * Escape-Expect: stopped: SIGSEGV (general protection) from lmsw
 * Escape-Expect: stopped: SIGSEGV (general protection) from clts
 */
#include "escape/instruction.h"

static const struct instruction list[] = {
	{ "mov rax, cr0", CODE(0x0f, 0x20, 0xc0) },
	{ "mov cr0, rax", CODE(0x0f, 0x22, 0xc0) },
	{ "mov rax, cr2", CODE(0x0f, 0x20, 0xd0) },
	{ "mov rax, cr3", CODE(0x0f, 0x20, 0xd8) },
	{ "mov cr3, rax", CODE(0x0f, 0x22, 0xd8) },
	{ "mov rax, cr4", CODE(0x0f, 0x20, 0xe0) },
	{ "mov cr4, rax", CODE(0x0f, 0x22, 0xe0) },
	{ "mov cr8, rax", CODE(0x44, 0x0f, 0x22, 0xc0) },
	{ "lmsw", CODE(0x0f, 0x01, 0xf0) },
	{ "clts", CODE(0x0f, 0x06) },
};

void attempt(void)
{
	TRY_INSTRUCTIONS(list);
}
