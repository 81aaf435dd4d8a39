/* SPDX-License-Identifier: Apache-2.0 */
/* Job control: SIGTSTP stops a group and SIGCONT continues it; stop discards continue and back. */
#include "guest/guest.h"

static volatile int continued;

static void on_cont(int sig)
{
	continued++;
}

static int member(void *arg)
{
	handle(SIGCONT, on_cont, 0);
	OK(write(*(int *)arg, "r", 1));
	while (!continued)
		pause();
	return 21;
}

int main(void)
{
	int ends[2], status;
	pid_t first, second;
	char c;

	OK(pipe(ends));
	first = spawn(member, &ends[1]);
	second = spawn(member, &ends[1]);
	OK(setpgid(first, 0));
	OK(setpgid(second, first));
	CHECK_EQ(getpgid(second), first);
	OK(read(ends[0], &c, 1));
	OK(read(ends[0], &c, 1));
	OK(kill(-first, SIGTSTP));
	CHECK_EQ(waitpid(first, &status, WUNTRACED), first);
	say("%d %d\n", WIFSTOPPED(status), WSTOPSIG(status));
	CHECK_EQ(waitpid(second, &status, WUNTRACED), second);
	say("%d %d\n", WIFSTOPPED(status), WSTOPSIG(status));
	OK(kill(-first, SIGCONT));
	say("%d\n", WEXITSTATUS(wait_for(first)));
	say("%d\n", WEXITSTATUS(wait_for(second)));
	return 0;
}
