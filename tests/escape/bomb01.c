/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fork bomb.
 * Stopped by: the limit on tasks; when the bomb is defused the next fork works.
 * Escape-Options: --memory 128M --pids 200
 * Escape-Expect: stopped: EAGAIN from fork
 * Escape-Expect: stopped: a process starts and ends afterwards
 */
#include "escape/escape.h"

static void breed(void)
{
	for (long n = 0; n < 300; n++)
		if (fork() < 0)
			sched_yield();
	for (;;)
		pause();
}

static int nothing(void *arg)
{
	(void)arg;
	return 0;
}

void attempt(void)
{
	int error = 0;

	if (OK(fork()) == 0)
		breed();
	/* Until it is felt here. */
	while (!error) {
		pid_t pid = fork();

		if (pid == 0)
			for (;;)
				pause();
		if (pid < 0)
			error = errno;
	}
	stopped("%s from fork", strerrorname_np(error));
	for (int i = 0; i < 5; i++)
		kill(-1, SIGKILL);
	while (waitpid(-1, NULL, __WALL) > 0 || errno == EINTR)
		;
	wait_ok(spawn(nothing, NULL));
	stopped("a process starts and ends afterwards");
}
