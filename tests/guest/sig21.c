/* SPDX-License-Identifier: Apache-2.0 */
/* rt_sigqueueinfo: own values pass, forged kernel codes to others don't. */
#include "guest/guest.h"

static int child(void *arg)
{
	for (;;)
		pause();
	return 0;
}

int main(void)
{
	siginfo_t info = { .si_signo = SIGUSR1, .si_code = SI_USER };
	pid_t pid = spawn(child, NULL);

	FAILS(syscall(SYS_rt_sigqueueinfo, pid, SIGUSR1, &info), EPERM);
	info.si_code = SI_TKILL;
	FAILS(syscall(SYS_rt_sigqueueinfo, pid, SIGUSR1, &info), EPERM);
	info.si_code = SI_MESGQ;
	OK(syscall(SYS_rt_sigqueueinfo, pid, SIGUSR1, &info));
	say("%d\n", WTERMSIG(wait_for(pid)));
	FAILS(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, bad_address()), EFAULT);
	return 0;
}
