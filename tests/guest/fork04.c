/* SPDX-License-Identifier: Apache-2.0 */
/* clone3: the structure's sizes, fields and errors. */
#include <linux/sched.h>

#include "guest/guest.h"

static long clone3(void *args, size_t size)
{
	return syscall(SYS_clone3, args, size);
}

int main(void)
{
	struct clone_args args = { .exit_signal = SIGCHLD };
	struct {
		struct clone_args args;
		uint64_t more;
	} longer = { { .exit_signal = SIGCHLD }, 0 };
	int parent_tid = 0;
	pid_t pid;

	args.flags = CLONE_PARENT_SETTID;
	args.parent_tid = (uintptr_t)&parent_tid;
	pid = (pid_t)OK(clone3(&args, sizeof(args)));
	if (pid == 0)
		_exit(9);
	CHECK_EQ(parent_tid, pid);
	say("%d\n", WEXITSTATUS(wait_for(pid)));
	pid = (pid_t)OK(clone3(&longer, sizeof(longer)));
	if (pid == 0)
		_exit(8);
	say("%d\n", WEXITSTATUS(wait_for(pid)));
	longer.more = 1;
	FAILS(clone3(&longer, sizeof(longer)), E2BIG);
	FAILS(clone3(&args, 16), EINVAL);
	FAILS(clone3((void *)8, sizeof(args)), EFAULT);
	args.exit_signal = 300;
	FAILS(clone3(&args, sizeof(args)), EINVAL);
	args = (struct clone_args){ .exit_signal = SIGCHLD, .stack = 4096 };
	FAILS(clone3(&args, sizeof(args)), EINVAL);
	return 0;
}
