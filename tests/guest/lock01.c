/* SPDX-License-Identifier: Apache-2.0 */
/* POSIX record locks: conflicts, ranges, who holds, end with close and with the process. */
#include "guest/guest.h"

static struct flock lock_of(short type, off_t start, off_t length)
{
	return (struct flock){
		.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length
	};
}

static int child(void *arg)
{
	struct flock l = lock_of(F_WRLCK, 5, 10);
	int fd = OK(open("file", O_RDWR));

	OK(fcntl(fd, F_GETLK, &l));
	CHECK_EQ(l.l_pid, getppid());
	say("type %d start %d len %d\n", l.l_type, (int)l.l_start, (int)l.l_len);
	l = lock_of(F_WRLCK, 5, 10);
	FAILS(fcntl(fd, F_SETLK, &l), EAGAIN);
	l = lock_of(F_WRLCK, 20, 10);
	OK(fcntl(fd, F_SETLK, &l));
	l = lock_of(F_RDLCK, 12, 2);
	OK(fcntl(fd, F_SETLK, &l));
	return 0;
}

static int blocked(void *arg)
{
	struct flock l = lock_of(F_WRLCK, 0, 0);
	int fd = OK(open("file", O_RDWR));

	OK(fcntl(fd, F_SETLKW, &l));
	return 0;
}

int main(void)
{
	struct flock l;
	pid_t pid;
	int fd, other;

	scratch();
	fd = OK(open("file", O_RDWR | O_CREAT, 0644));
	l = lock_of(F_WRLCK, 0, 10);
	OK(fcntl(fd, F_SETLK, &l));
	l = lock_of(F_RDLCK, 10, 5);
	OK(fcntl(fd, F_SETLK, &l));
	wait_ok(spawn(child, NULL));
	l = lock_of(F_UNLCK, 3, 4); /* splits */
	OK(fcntl(fd, F_SETLK, &l));
	pid = spawn(blocked, NULL);
	wait_until_state(pid, 'S');
	other = OK(open("file", O_RDONLY));
	OK(close(other)); /* any close of the file drops the process's locks */
	wait_ok(pid);
	l = lock_of(77, 0, 0);
	FAILS(fcntl(fd, F_SETLK, &l), EINVAL);
	l = lock_of(F_WRLCK, -5, 2);
	FAILS(fcntl(fd, F_SETLK, &l), EINVAL);
	OK(close(fd));
	fd = OK(open("file", O_RDONLY));
	l = lock_of(F_WRLCK, 0, 1);
	FAILS(fcntl(fd, F_SETLK, &l), EBADF);
	return 0;
}
