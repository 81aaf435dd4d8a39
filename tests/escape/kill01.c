/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends signals to everybody and to processes of the host: kill(-1), kill(0), by pid, by group, tkill, tgkill, sigqueue.
 * Stopped by: pids inside are our kernel's own.
 * Escape-Expect: stopped: ESRCH from kill of the victim
 * Escape-Expect: stopped: ESRCH from kill of the runner
 * Escape-Expect: stopped: ESRCH from kill of the victim's group
 * Escape-Expect: stopped: ESRCH from tkill
 * Escape-Expect: stopped: ESRCH from tgkill
 * Escape-Expect: stopped: ESRCH from rt_sigqueueinfo
 * Escape-Expect: stopped: ESRCH from rt_tgsigqueueinfo
 * Escape-Expect: stopped: ESRCH from kill of everybody
 * Escape-Expect: stopped: kill of our group reached ourselves only
 */
#include "escape/escape.h"

void attempt(void)
{
	pid_t victim = (pid_t)told_number("ESCAPE_VICTIM");
	pid_t runner = (pid_t)told_number("ESCAPE_RUNNER");
	siginfo_t info = { .si_code = SI_QUEUE };

	REFUSED("kill of the victim", kill(victim, SIGTERM));
	REFUSED("kill of the runner", kill(runner, SIGTERM));
	REFUSED("kill of the victim's group",
		kill(-(pid_t)told_number("ESCAPE_VICTIM_GROUP"), SIGTERM));
	REFUSED("tkill", syscall(SYS_tkill, victim, SIGTERM));
	REFUSED("tgkill", syscall(SYS_tgkill, victim, victim, SIGTERM));
	REFUSED("rt_sigqueueinfo", syscall(SYS_rt_sigqueueinfo, victim, SIGTERM, &info));
	REFUSED("rt_tgsigqueueinfo",
		syscall(SYS_rt_tgsigqueueinfo, victim, victim, SIGTERM, &info));
	/* Process 1 is this one, and kill(-1) leaves out the caller. */
	handle(SIGTERM, SIG_IGN, 0);
	REFUSED("kill of everybody", kill(-1, SIGTERM));
	OK(kill(0, SIGTERM));
	stopped("kill of our group reached ourselves only");
}
