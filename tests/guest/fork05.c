/* SPDX-License-Identifier: Apache-2.0 */
/* Orphans go to the nearest subreaper. */
#include <sys/prctl.h>

#include "guest/guest.h"

static int *report;

static int grandchild(void *arg)
{
	pid_t parent = *(pid_t *)arg;

	while (getppid() == parent)
		sched_yield();
	report[0] = getppid();
	return 4;
}

static int child(void *arg)
{
	pid_t self = getpid();

	report[1] = spawn(grandchild, &self);
	return 0;
}

int main(void)
{
	int status;

	report = map_shared(1);
	OK(prctl(PR_SET_CHILD_SUBREAPER, 1));
	wait_ok(spawn(child, NULL));
	status = wait_for(report[1]);
	CHECK_EQ(report[0], getpid());
	say("%d\n", WEXITSTATUS(status));
	return 0;
}
