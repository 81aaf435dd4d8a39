/* SPDX-License-Identifier: Apache-2.0 */
/* kill: groups, all of a session's, pid 0, existence, and errors. */
#include "guest/guest.h"

static volatile int count;

static void handler(int sig)
{
	count++;
}

static int group(void *arg)
{
	pid_t pid[3];
	int ends[2];
	char c;

	OK(setpgid(0, 0));
	OK(pipe(ends));
	handle(SIGUSR1, handler, 0);
	for (int i = 0; i < 3; i++) {
		pid[i] = OK(fork());
		if (pid[i] == 0) {
			OK(write(ends[1], "r", 1));
			while (!count)
				pause();
			_exit(i + 1);
		}
	}
	for (int i = 0; i < 3; i++)
		OK(read(ends[0], &c, 1));
	for (int i = 0; i < 3; i++)
		wait_until_state(pid[i], 'S');
	OK(kill(0, SIGUSR1));
	CHECK_EQ(count, 1);
	for (int i = 0; i < 3; i++)
		say("%d\n", WEXITSTATUS(wait_for(pid[i])));
	OK(kill(-getpgrp(), SIGUSR1));
	CHECK_EQ(count, 2);
	return 0;
}

int main(void)
{
	wait_ok(spawn(group, NULL));
	OK(kill(getpid(), 0));
	FAILS(kill(getpid(), 65), EINVAL);
	FAILS(kill(getpid(), -1), EINVAL);
	FAILS(kill(1 << 22, SIGUSR1), ESRCH);
	FAILS(kill(-(1 << 22), SIGUSR1), ESRCH);
	FAILS(syscall(SYS_tgkill, getpid(), 1 << 22, SIGUSR1), ESRCH);
	FAILS(syscall(SYS_tgkill, 0, getpid(), SIGUSR1), EINVAL);
	FAILS(syscall(SYS_tgkill, getpid(), getpid(), 99), EINVAL);
	FAILS(syscall(SYS_tkill, -1, SIGUSR1), EINVAL);
	return 0;
}
