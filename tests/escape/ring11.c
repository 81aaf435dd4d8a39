/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Raises every interrupt vector by INT n, those of the kernel's own gates too.
 * Stopped by: the gates of all but breakpoint and overflow are ring 0's.
 */
#include "escape/instruction.h"

static void attempt(void)
{
	trap_init();
	for (unsigned n = 0; n < 256; n++) {
		/* Not a system call, should INT 80h be one; RBX is the caller's. */
		const uint8_t code[] = { 0x53, 0xb8, 0xff, 0xff, 0xff, 0xff, 0xcd, (uint8_t)n, 0x5b };
		struct trap t = trap_run(code, sizeof(code));

		if (!t.sig)
			escaped("int %u ran", n);
	}
	stopped("a signal from int of every number");
}
