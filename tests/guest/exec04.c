/* SPDX-License-Identifier: Apache-2.0 */
/* exec resets handlers, keeps ignored signals, the mask, pending signals and the pid. */
#include "guest/guest.h"

static void handler(int sig)
{
}

static int after(pid_t before)
{
	struct sigaction sa;
	sigset_t set;

	CHECK_EQ(getpid(), before);
	OK(sigaction(SIGUSR1, NULL, &sa));
	say("SIGUSR1 %s\n", sa.sa_handler == SIG_DFL ? "default" : "other");
	OK(sigaction(SIGUSR2, NULL, &sa));
	say("SIGUSR2 %s\n", sa.sa_handler == SIG_IGN ? "ignored" : "other");
	OK(sigprocmask(SIG_BLOCK, NULL, &set));
	say("blocked %d %d\n", sigismember(&set, SIGTERM), sigismember(&set, SIGHUP));
	OK(sigpending(&set));
	say("pending %d %d\n", sigismember(&set, SIGTERM), sigismember(&set, SIGHUP));
	stack_t ss;
	OK(sigaltstack(NULL, &ss));
	say("altstack %s\n", ss.ss_flags == SS_DISABLE ? "none" : "kept");
	return 0;
}

int main(int argc, char **argv)
{
	static char stack[65536];
	const stack_t ss = { .ss_sp = stack, .ss_size = sizeof(stack) };
	char pid[16];

	if (argc > 1)
		return after(atoi(argv[1]));
	OK(sigaltstack(&ss, NULL));
	handle(SIGUSR1, handler, 0);
	signal(SIGUSR2, SIG_IGN);
	block(SIGTERM);
	raise(SIGTERM);
	snprintf(pid, sizeof(pid), "%d", getpid());
	execl("/proc/self/exe", "x", pid, NULL);
	FAIL("exec");
}
