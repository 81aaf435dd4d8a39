/* SPDX-License-Identifier: Apache-2.0 */
/* Masks: blocked signals wait, sigpending shows them, sigsuspend lets them in for a moment. */
#include "guest/guest.h"

static volatile int order[10], count;

static void handler(int sig)
{
	order[count++] = sig;
}

int main(void)
{
	sigset_t set, old, empty;

	sigemptyset(&empty);
	handle(SIGUSR1, handler, 0);
	handle(SIGUSR2, handler, 0);
	block(SIGUSR1);
	block(SIGUSR2);
	raise(SIGUSR2);
	raise(SIGUSR1);
	raise(SIGUSR1); /* a standard signal is pending once */
	OK(sigpending(&set));
	say("%d %d %d\n", sigismember(&set, SIGUSR1), sigismember(&set, SIGUSR2), count);
	FAILS(sigsuspend(&empty), EINTR);
	say("%d: %d %d\n", count, order[0], order[1]);
	OK(sigprocmask(SIG_BLOCK, NULL, &old));
	say("%d %d\n", sigismember(&old, SIGUSR1), sigismember(&old, SIGUSR2));
	raise(SIGUSR1);
	signal(SIGUSR1, SIG_IGN); /* discards what is pending */
	OK(sigpending(&set));
	say("%d\n", sigismember(&set, SIGUSR1));
	OK(sigprocmask(SIG_SETMASK, &empty, NULL));
	FAILS(sigprocmask(77, &empty, NULL), EINVAL);
	sigfillset(&set);
	OK(sigprocmask(SIG_SETMASK, &set, NULL));
	OK(sigprocmask(SIG_BLOCK, NULL, &old));
	say("%d %d %d\n", sigismember(&old, SIGKILL), sigismember(&old, SIGSTOP),
	    sigismember(&old, SIGTERM));
	FAILS(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 16), EINVAL);
	return 0;
}
