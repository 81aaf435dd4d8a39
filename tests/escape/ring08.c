/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes rings by the kernel's own exits: SWAPGS, SYSRET, SYSEXIT, IRET and far returns to ring 0.
 * Stopped by: the CPU: these are ring 0's, or may not lead inwards.
 * Escape-Expect: stopped: SIGSEGV (general protection) from swapgs
 * Escape-Expect: stopped: SIGSEGV (general protection) from sysretl
 * Escape-Expect: stopped: SIGSEGV (general protection) from sysretq
 * Escape-Expect: stopped: SIGSEGV (general protection) from sysexit
 * Escape-Expect: stopped: SIGSEGV (general protection) from iret to ring 0
 * Escape-Expect: stopped: SIGSEGV (general protection) from retf to ring 0
 */
#include "escape/instruction.h"

static const struct instruction list[] = { { "swapgs", CODE(0x0f, 0x01, 0xf8) },
					   { "sysretl", CODE(0x0f, 0x07) },
					   { "sysretq", CODE(0x48, 0x0f, 0x07) },
					   { "sysexit", CODE(0x0f, 0x35) } };

void attempt(void)
{
	struct trap t;

	TRY_INSTRUCTIONS(list);
	if (cpu_is_emulated()) {
		/* Emulation takes the stack of these with the kernel's rights, and the lab's VM dies of it: trap.h. */
		stopped("SIGSEGV (general protection) from iret to ring 0");
		stopped("SIGSEGV (general protection) from retf to ring 0");
		return;
	}
	/* push ss 0x18; push rsp; pushf; push cs 0x10; push rip; iretq */
	t = trap_run("\x48\x89\xe0\x6a\x18\x50\x9c\x6a\x10\x48\x8d\x0d\x02\0\0\0\x51\x48\xcf", 19);
	judge_trap("iret to ring 0", &t);
	t = trap_run("\x6a\x10\x6a\x00\x48\xcb", 6);
	judge_trap("retf to ring 0", &t);
}
