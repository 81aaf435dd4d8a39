/* SPDX-License-Identifier: Apache-2.0 */
/* EBADF: every call that takes a descriptor refuses a closed and a negative one. */
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/sendfile.h>
#include <sys/timerfd.h>
#include <sys/vfs.h>

#include "guest/guest.h"

static void try_all(int fd)
{
	char text[200];

	FAILS(read(fd, text, 1), EBADF);
	FAILS(write(fd, text, 1), EBADF);
	FAILS(pread(fd, text, 1, 0), EBADF);
	FAILS(pwrite(fd, text, 1, 0), EBADF);
	FAILS(syscall(SYS_readv, fd, text, 0), EBADF);
	FAILS(close(fd), EBADF);
	FAILS(fstat(fd, (struct stat *)(void *)text), EBADF);
	FAILS(lseek(fd, 0, SEEK_SET), EBADF);
	FAILS(dup(fd), EBADF);
	FAILS(dup2(fd, 100), EBADF);
	FAILS(fcntl(fd, F_GETFL), EBADF);
	FAILS(ftruncate(fd, 0), EBADF);
	FAILS(fchmod(fd, 0), EBADF);
	FAILS(fchown(fd, 0, 0), EBADF);
	FAILS(fchdir(fd), EBADF);
	FAILS(fsync(fd), EBADF);
	FAILS(flock(fd, LOCK_SH), EBADF);
	FAILS(syscall(SYS_fstatfs, fd, text), EBADF);
	FAILS(syscall(SYS_getdents64, fd, text, 200), EBADF);
	FAILS(syscall(SYS_ioctl, fd, 0x5413, text), EBADF);
	FAILS(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0), EBADF);
	FAILS(epoll_ctl(fd, EPOLL_CTL_DEL, 1, NULL), EBADF);
	FAILS(epoll_wait(fd, (struct epoll_event *)(void *)text, 1, 0), EBADF);
	FAILS(timerfd_gettime(fd, (struct itimerspec *)(void *)text), EBADF);
	FAILS(sendfile(1, fd, NULL, 1), EBADF);
	FAILS(syscall(SYS_openat, fd, "x", O_RDONLY), fd == AT_FDCWD ? ENOENT : EBADF);
	FAILS(mkdirat(fd, "x", 0), EBADF);
	FAILS(unlinkat(fd, "x", 0), EBADF);
	FAILS(fallocate(fd, 0, 0, 1), EBADF);
}

int main(void)
{
	try_all(99);
	try_all(-1);
	try_all(1 << 29);
	say("ok\n");
	return 0;
}
