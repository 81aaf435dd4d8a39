/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traces processes of the host and its own child: PTRACE_ATTACH, PTRACE_SEIZE, PTRACE_TRACEME, then debug registers and segment bases by PTRACE_POKEUSER.
 * Stopped by: our kernel refuses ptrace.
 * Escape-Expect: stopped: EPERM from PTRACE_ATTACH to the victim
 * Escape-Expect: stopped: EPERM from PTRACE_SEIZE of the victim
 * Escape-Expect: stopped: EPERM from PTRACE_TRACEME
 * Escape-Expect: stopped: EPERM from PTRACE_ATTACH to a child
 * Escape-Expect: stopped: EPERM from PTRACE_POKEUSER of DR7
 * Escape-Expect: stopped: EPERM from PTRACE_POKEUSER of DR0
 * Escape-Expect: stopped: EPERM from PTRACE_POKEUSER of FS
 * Escape-Expect: stopped: EPERM from PTRACE_POKETEXT
 */
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/user.h>

#include "escape/escape.h"

void attempt(void)
{
	pid_t victim = (pid_t)told_number("ESCAPE_VICTIM"), child = OK(fork());

	if (child == 0)
		for (;;)
			pause();
	REFUSED("PTRACE_ATTACH to the victim", ptrace(PTRACE_ATTACH, victim, 0, 0));
	REFUSED("PTRACE_SEIZE of the victim", ptrace(PTRACE_SEIZE, victim, 0, 0));
	REFUSED("PTRACE_TRACEME", ptrace(PTRACE_TRACEME, 0, 0, 0));
	REFUSED("PTRACE_ATTACH to a child", ptrace(PTRACE_ATTACH, child, 0, 0));
	REFUSED("PTRACE_POKEUSER of DR7",
		ptrace(PTRACE_POKEUSER, child, offsetof(struct user, u_debugreg[7]), 1));
	REFUSED("PTRACE_POKEUSER of DR0",
		ptrace(PTRACE_POKEUSER, child, offsetof(struct user, u_debugreg[0]), ARENA));
	REFUSED("PTRACE_POKEUSER of FS",
		ptrace(PTRACE_POKEUSER, child, offsetof(struct user, regs.fs_base), ARENA));
	REFUSED("PTRACE_POKETEXT", ptrace(PTRACE_POKETEXT, child, ARENA, 0));
	OK(kill(child, SIGKILL));
	wait_for(child);
}
