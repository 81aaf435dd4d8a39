/* SPDX-License-Identifier: Apache-2.0 */
/* sigtimedwait and sigwaitinfo take pending signals; EAGAIN at the end of the time. */
#include "guest/guest.h"

static int send_later(void *arg)
{
	wait_until_state(getppid(), 'S');
	OK(sigqueue(getppid(), SIGUSR2, (union sigval){ .sival_int = 55 }));
	return 0;
}

int main(void)
{
	const struct timespec zero = { 0, 0 }, soon = { 0, 20000000 };
	sigset_t set;
	siginfo_t info;
	pid_t pid;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	OK(sigprocmask(SIG_BLOCK, &set, NULL));
	FAILS(sigtimedwait(&set, &info, &zero), EAGAIN);
	FAILS(sigtimedwait(&set, &info, &soon), EAGAIN);
	raise(SIGUSR1);
	CHECK_EQ(sigtimedwait(&set, &info, &zero), SIGUSR1);
	say("%d %d\n", info.si_signo, info.si_code);
	FAILS(sigtimedwait(&set, &info, &zero), EAGAIN);
	pid = spawn(send_later, NULL);
	CHECK_EQ(OK(sigwaitinfo(&set, &info)), SIGUSR2);
	CHECK_EQ(info.si_pid, pid);
	say("%d %d\n", info.si_code, info.si_value.sival_int);
	raise(SIGUSR1);
	CHECK_EQ(sigwait(&set, &sig), 0);
	say("%d\n", sig);
	wait_ok(pid);
	FAILS(sigtimedwait(&set, &info, &(struct timespec){ 0, -1 }), EINVAL);
	return 0;
}
