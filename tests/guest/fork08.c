/* SPDX-License-Identifier: Apache-2.0 */
/* CLONE_PARENT_SETTID, CLONE_CHILD_SETTID and CLONE_CHILD_CLEARTID store what they should. */
#include <linux/futex.h>

#include "guest/guest.h"

static int *shared;

static int child(void *arg)
{
	return shared[1] == getpid() ? 0 : 1;
}

int main(void)
{
	char *stack = map_pages(16, PROT_READ | PROT_WRITE);
	pid_t pid;

	shared = map_shared(1);
	shared[1] = -1;
	pid = OK(clone(child, stack + 16 * PAGE,
		       CLONE_VM | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID |
			       SIGCHLD,
		       NULL, &shared[0], NULL, &shared[1]));
	CHECK_EQ(shared[0], pid);
	for (int seen; (seen = __atomic_load_n(&shared[1], __ATOMIC_SEQ_CST));)
		syscall(SYS_futex, &shared[1], FUTEX_WAIT, seen, NULL, NULL, 0);
	wait_ok(pid);
	say("ok\n");
	return 0;
}
