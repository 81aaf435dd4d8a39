/* SPDX-License-Identifier: Apache-2.0 */
/* sigaction: the handler runs, the old action comes back, bad numbers are refused. */
#include "guest/guest.h"

static volatile int last, count;

static void handler(int sig)
{
	last = sig;
	count++;
}

int main(void)
{
	struct sigaction sa = { .sa_handler = handler, .sa_flags = SA_RESTART | SA_NODEFER }, old;

	sigaddset(&sa.sa_mask, SIGUSR2);
	OK(sigaction(SIGUSR1, &sa, &old));
	CHECK(old.sa_handler == SIG_DFL);
	OK(sigaction(SIGUSR1, NULL, &old));
	CHECK(old.sa_handler == handler);
	say("%#x %d %d\n", old.sa_flags, sigismember(&old.sa_mask, SIGUSR2),
	    sigismember(&old.sa_mask, SIGUSR1));
	for (int i = 0; i < 1000; i++)
		raise(SIGUSR1);
	say("%d %d\n", last, count);
	signal(SIGUSR1, SIG_IGN);
	raise(SIGUSR1);
	say("%d\n", count);
	FAILS(sigaction(0, &sa, NULL), EINVAL);
	FAILS(sigaction(65, &sa, NULL), EINVAL);
	FAILS(sigaction(SIGKILL, &sa, NULL), EINVAL);
	FAILS(sigaction(SIGSTOP, &sa, NULL), EINVAL);
	FAILS(syscall(SYS_rt_sigaction, SIGUSR1, NULL, &old, 4), EINVAL);
	FAILS(syscall(SYS_rt_sigaction, SIGUSR1, bad_address(), NULL, 8), EFAULT);
	return 0;
}
