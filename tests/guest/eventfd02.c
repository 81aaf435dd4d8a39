/* SPDX-License-Identifier: Apache-2.0 */
/* A blocking eventfd hands over between processes. */
#include <sys/eventfd.h>

#include "guest/guest.h"

static int fd[2];

static int echo(void *arg)
{
	uint64_t value;

	for (int i = 0; i < 500; i++) {
		OK(read(fd[0], &value, 8));
		value++;
		OK(write(fd[1], &value, 8));
	}
	return 0;
}

int main(void)
{
	uint64_t value = 1;
	pid_t pid;

	fd[0] = OK(eventfd(0, 0));
	fd[1] = OK(eventfd(0, 0));
	pid = spawn(echo, NULL);
	for (int i = 0; i < 500; i++) {
		OK(write(fd[0], &value, 8));
		OK(read(fd[1], &value, 8));
	}
	wait_ok(pid);
	say("%d\n", (int)value);
	return 0;
}
