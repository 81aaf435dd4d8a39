/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Raises every interrupt vector by INT n, those of the kernel's own gates too.
 * Stopped by: the gates of all but breakpoint and overflow are ring 0's.
 * Escape-Expect: stopped: SIGSEGV (general protection) from cli after all of them
 * Escape-Expect: stopped: no way in by int of any number
 */
#include "escape/instruction.h"

void attempt(void)
{
	struct trap t;

	trap_init();
	for (unsigned n = 0; n < 256; n++) {
		/* Not a system call, should INT 80h be one; RBX is the caller's. */
		const uint8_t code[] = {
			0x53, 0xb8, 0xff, 0xff, 0xff, 0xff, 0xcd, (uint8_t)n, 0x5b
		};

		t = trap_run(code, sizeof(code));

		/* What a software KVM takes for requests of its guest's kernel: it refuses them by doing nothing (tests/guest/trap03.c). */
		if (!t.sig && (n < 22 || n > 26))
			escaped("int %u ran", n);
	}
	t = trap_run("\xfa", 1);
	judge_trap("cli after all of them", &t);
	stopped("no way in by int of any number");
}
