/* SPDX-License-Identifier: Apache-2.0 */
/* SIGCHLD carries pid, uid, status and code; SA_NOCLDSTOP suppresses the one for stops. */
#include "guest/guest.h"

static volatile siginfo_t seen;
static volatile int count;

static void on_child(int sig, siginfo_t *info, void *context)
{
	seen = *info;
	count++;
}

static int sleep_on(void *arg)
{
	for (;;)
		pause();
	return 0;
}

static int end_3(void *arg)
{
	return 3;
}

int main(void)
{
	sigset_t old, chld = set_of(SIGCHLD);
	pid_t pid;
	int status;

	handle_info(SIGCHLD, on_child, 0);
	OK(sigprocmask(SIG_BLOCK, &chld, &old));
	pid = spawn(end_3, NULL);
	while (!count)
		sigsuspend(&old);
	CHECK_EQ(seen.si_pid, pid);
	CHECK_EQ(seen.si_uid, getuid());
	say("code %d status %d\n", seen.si_code, seen.si_status);
	wait_for(pid);
	OK(sigprocmask(SIG_SETMASK, &old, NULL));
	pid = spawn(sleep_on, NULL);
	OK(kill(pid, SIGSTOP));
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	say("%d: code %d status %d\n", count, seen.si_code, seen.si_status);
	handle_info(SIGCHLD, on_child, SA_NOCLDSTOP);
	OK(kill(pid, SIGCONT));
	CHECK_EQ(waitpid(pid, &status, WCONTINUED), pid);
	say("%d\n", count);
	OK(kill(pid, SIGKILL));
	wait_for(pid);
	say("%d: code %d status %d\n", count, seen.si_code, seen.si_status);
	return 0;
}
