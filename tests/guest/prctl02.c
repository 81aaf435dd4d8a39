/* SPDX-License-Identifier: Apache-2.0 */
/* PR_SET_PDEATHSIG: the signal comes when the parent dies. */
#include <sys/prctl.h>

#include "guest/guest.h"

static int *report;

static void handler(int sig)
{
	report[0] = sig;
	report[1] = 1;
}

static int child(void *arg)
{
	sigset_t old, usr1 = set_of(SIGUSR1);

	handle(SIGUSR1, handler, 0);
	OK(sigprocmask(SIG_BLOCK, &usr1, &old));
	OK(prctl(PR_SET_PDEATHSIG, SIGUSR1));
	OK(write(*(int *)arg, "r", 1));
	while (!report[1])
		sigsuspend(&old);
	return 0;
}

static int parent(void *arg)
{
	int ends[2];
	char c;

	OK(pipe(ends));
	spawn(child, &ends[1]);
	OK(read(ends[0], &c, 1));
	return 0;
}

int main(void)
{
	report = map_shared(1);
	OK(prctl(PR_SET_CHILD_SUBREAPER, 1));
	wait_ok(spawn(parent, NULL));
	OK(wait(NULL)); /* the grandchild, ours now */
	say("%d\n", report[0]);
	return 0;
}
