/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads and writes debug registers.
 * Stopped by: the CPU, ring 3.
 * Escape-Expect: stopped: SIGSEGV (general protection) from mov rax, dr0
 * Escape-Expect: stopped: SIGSEGV (general protection) from mov dr0, rax
 * Escape-Expect: stopped: SIGSEGV (general protection) from mov rax, dr6
 * Escape-Expect: stopped: SIGSEGV (general protection) from mov rax, dr7
 * Escape-Expect: stopped: SIGSEGV (general protection) from mov dr7, rax
 */
#include "escape/instruction.h"

static const struct instruction list[] = {
	{ "mov rax, dr0", CODE(0x0f, 0x21, 0xc0) }, { "mov dr0, rax", CODE(0x0f, 0x23, 0xc0) },
	{ "mov rax, dr6", CODE(0x0f, 0x21, 0xf0) }, { "mov rax, dr7", CODE(0x0f, 0x21, 0xf8) },
	{ "mov dr7, rax", CODE(0x0f, 0x23, 0xf8) },
};

void attempt(void)
{
	TRY_INSTRUCTIONS(list);
}
