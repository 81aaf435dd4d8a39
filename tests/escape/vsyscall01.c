/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Executes, reads and writes the vsyscall page of old Linux at its fixed address in the upper half.
 * Stopped by: nothing is mapped there.
 * Escape-Expect: stopped: SIGSEGV (page fault) from a call of vsyscall
 * Escape-Expect: stopped: SIGSEGV (page fault) from a read of vsyscall
 * Escape-Expect: stopped: SIGSEGV (page fault) from a write of vsyscall
 */
#include "escape/instruction.h"

void attempt(void)
{
	struct trap t;

	trap_init();
	/* mov rax, 0xffffffffff600000; call rax */
	t = trap_run("\x48\xc7\xc0\0\0\x60\xff\xff\xd0", 9);
	judge_trap("a call of vsyscall", &t);
	/* mov al, [rax] */
	t = trap_run("\x48\xc7\xc0\0\0\x60\xff\x8a\x00", 9);
	judge_trap("a read of vsyscall", &t);
	/* mov [rax], al */
	t = trap_run("\x48\xc7\xc0\0\0\x60\xff\x88\x00", 9);
	judge_trap("a write of vsyscall", &t);
}
