/* SPDX-License-Identifier: Apache-2.0 */
/* clone refuses flags that do not go together. */
#include "guest/guest.h"

static long raw_clone(unsigned long flags)
{
	long r = syscall(SYS_clone, flags, 0, NULL, NULL, 0);

	if (r == 0)
		_exit(0);
	return r;
}

int main(void)
{
	FAILS(raw_clone(CLONE_THREAD | SIGCHLD), EINVAL);
	FAILS(raw_clone(CLONE_THREAD | CLONE_VM | SIGCHLD), EINVAL);
	FAILS(raw_clone(CLONE_SIGHAND | SIGCHLD), EINVAL);
	FAILS(raw_clone(CLONE_FS | CLONE_NEWNS | SIGCHLD), EINVAL);
	wait_ok((pid_t)OK(raw_clone(SIGCHLD)));
	say("ok\n");
	return 0;
}
