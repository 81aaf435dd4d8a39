/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads and writes control registers: MOV CR0 to CR8, LMSW, CLTS.
 * Stopped by: the CPU, ring 3.
 */
#include "escape/instruction.h"

static const struct instruction list[] = {
	{ "mov rax, cr0", CODE(0x0f, 0x20, 0xc0) }, { "mov cr0, rax", CODE(0x0f, 0x22, 0xc0) },
	{ "mov rax, cr2", CODE(0x0f, 0x20, 0xd0) }, { "mov rax, cr3", CODE(0x0f, 0x20, 0xd8) },
	{ "mov cr3, rax", CODE(0x0f, 0x22, 0xd8) }, { "mov rax, cr4", CODE(0x0f, 0x20, 0xe0) },
	{ "mov cr4, rax", CODE(0x0f, 0x22, 0xe0) }, { "mov cr8, rax", CODE(0x44, 0x0f, 0x22, 0xc0) },
	{ "lmsw", CODE(0x0f, 0x01, 0xf0) },	    { "clts", CODE(0x0f, 0x06) },
};

static void attempt(void)
{
	TRY_INSTRUCTIONS(list);
}
