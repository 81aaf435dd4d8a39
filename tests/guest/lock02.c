/* SPDX-License-Identifier: Apache-2.0 */
/* flock belongs to the open file: shared with fork and dup, not with a second open. */
#include <sys/file.h>

#include "guest/guest.h"

static int blocked(void *arg)
{
	int fd = OK(open("file", O_RDWR));

	close(*(int *)arg); /* the copy would keep the lock */
	OK(flock(fd, LOCK_EX));
	return 0;
}

static int inherits(void *arg)
{
	OK(flock(*(int *)arg, LOCK_EX | LOCK_NB));
	return 0;
}

int main(void)
{
	int fd, second;
	pid_t pid;

	scratch();
	fd = OK(open("file", O_RDWR | O_CREAT, 0644));
	second = OK(open("file", O_RDWR));
	OK(flock(fd, LOCK_SH));
	OK(flock(second, LOCK_SH | LOCK_NB));
	FAILS(flock(second, LOCK_EX | LOCK_NB), EWOULDBLOCK);
	OK(flock(second, LOCK_UN));
	OK(flock(fd, LOCK_EX));
	FAILS(flock(second, LOCK_SH | LOCK_NB), EWOULDBLOCK);
	wait_ok(spawn(inherits, &fd));
	pid = spawn(blocked, &fd);
	wait_until_state(pid, 'S');
	OK(close(fd));
	wait_ok(pid);
	FAILS(flock(second, 0), EINVAL);
	FAILS(flock(99, LOCK_SH), EBADF);
	say("ok\n");
	return 0;
}
