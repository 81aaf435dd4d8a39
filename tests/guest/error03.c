/* SPDX-License-Identifier: Apache-2.0 */
/* Buffers that cross into unmapped or protected memory: how much is transferred, by call and kind of file; nothing is lost. */
#include <dirent.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "guest/guest.h"

static char *edge;  /* readable and writable before it, nothing behind */
static char *fence; /* readable and writable before it, read-only behind */

static void show(const char *what, long n)
{
	say("%s: %ld %d\n", what, n, n < 0 ? errno : 0);
}

#define SHOW(call)                   \
	do {                         \
		errno = 0;           \
		show(#call, (call)); \
	} while (0)

static void files(void)
{
	int fd = OK(open("file", O_RDWR | O_CREAT, 0644));
	struct iovec v[3] = { { edge - 10, 10 }, { edge - 5, 20 }, { edge - 100, 10 } };
	struct iovec bad_first[2] = { { edge, 10 }, { edge - 100, 10 } };
	char text[200];

	memset(text, 'f', sizeof(text));
	CHECK_EQ(write(fd, text, sizeof(text)), sizeof(text));
	memset(edge - 64, 'e', 64);
	SHOW(pread(fd, edge - 50, 100, 0));
	CHECK(edge[-1] == 'f' && edge[-51] == 'e');
	SHOW(pread(fd, edge, 100, 0));
	SHOW(pread(fd, fence - 50, 100, 0));
	SHOW(pwrite(fd, edge - 50, 100, 0));
	SHOW(pwrite(fd, edge, 100, 0));
	SHOW(lseek(fd, 0, SEEK_SET));
	SHOW(read(fd, edge - 7, 100));
	SHOW(lseek(fd, 0, SEEK_CUR));
	SHOW(write(fd, edge - 7, 100));
	SHOW(lseek(fd, 0, SEEK_CUR));
	SHOW(lseek(fd, 0, SEEK_END));
	SHOW(write(fd, edge - 9, 100));
	SHOW(size_of_file("file"));
	SHOW(write(fd, edge, 1));
	SHOW(preadv(fd, v, 3, 0));
	SHOW(pwritev(fd, v, 3, 0));
	SHOW(preadv(fd, bad_first, 2, 0));
	SHOW(preadv(fd, (struct iovec *)(edge - 16), 2, 0));
	SHOW(read(fd, edge, 0));
	SHOW(write(fd, edge, 0));
	OK(close(fd));
}

static void pipes(void)
{
	struct iovec v[2] = { { edge - 10, 10 }, { edge, 20 } };
	char text[100];
	int p[2];

	OK(pipe2(p, O_NONBLOCK));
	SHOW(write(p[1], edge - 30, 60));
	SHOW(read(p[0], text, sizeof(text)));
	SHOW(write(p[1], edge, 60));
	SHOW(read(p[0], text, sizeof(text)));
	SHOW(writev(p[1], v, 2));
	SHOW(read(p[0], text, sizeof(text)));
	CHECK_EQ(write(p[1], text, 80), 80);
	SHOW(read(p[0], edge - 30, 60));
	SHOW(read(p[0], edge, 60));
	SHOW(read(p[0], text, sizeof(text)) > 0);
	OK(close(p[0]));
	OK(close(p[1]));
}

static void sockets(int type)
{
	struct iovec v[2] = { { edge - 10, 10 }, { edge, 20 } };
	char text[100] = "";
	int s[2];

	OK(socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, s));
	SHOW(write(s[1], edge - 30, 60));
	SHOW(read(s[0], text, sizeof(text)));
	SHOW(send(s[1], edge, 10, 0));
	SHOW(writev(s[1], v, 2));
	SHOW(read(s[0], text, sizeof(text)));
	CHECK_EQ(write(s[1], text, 80), 80);
	SHOW(recv(s[0], edge, 60, 0));
	SHOW(read(s[0], text, sizeof(text)));
	OK(close(s[0]));
	OK(close(s[1]));
}

static void devices(void)
{
	int zero = OK(open("/dev/zero", O_RDWR)), null = OK(open("/dev/null", O_RDWR));
	int efd = OK(eventfd(5, EFD_NONBLOCK));
	uint64_t value;

	SHOW(read(zero, edge - 100, 200));
	SHOW(read(zero, edge - 2 * PAGE, 4 * PAGE));
	SHOW(read(zero, fence - 100, 200));
	SHOW(read(null, edge, 10));
	SHOW(write(null, edge, 10));
	SHOW(write(zero, edge, 10));
	SHOW(getrandom(edge - 100, 200, 0));
	SHOW(getrandom(edge, 200, 0));
	SHOW(read(efd, edge - 4, 8));
	SHOW(read(efd, &value, 8)); /* not lost, or lost as on the host */
	SHOW(write(efd, edge - 4, 8));
	OK(close(zero));
	OK(close(null));
	OK(close(efd));
}

/* Calls whose result does not fit, or whose arguments are cut off. */
static void structures(void)
{
	int fd = OK(open(".", O_RDONLY | O_DIRECTORY));
	struct pollfd *fds = (struct pollfd *)(edge - sizeof(struct pollfd));
	struct timespec *ts = (struct timespec *)(edge - sizeof(struct timespec));

	fds->fd = fd;
	fds->events = POLLIN;
	SHOW(poll(fds, 1, 0) >= 0);
	SHOW(poll(fds, 2, 0));
	SHOW(syscall(SYS_getdents64, fd, edge - 24, 100));
	SHOW(syscall(SYS_getdents64, fd, edge, 100));
	SHOW(readlink("/proc/self/exe", edge - 2, 100));
	SHOW(syscall(SYS_getcwd, edge - 3, 100));
	ts->tv_sec = 0;
	ts->tv_nsec = 1;
	SHOW(syscall(SYS_nanosleep, ts, NULL));
	SHOW(syscall(SYS_nanosleep, (char *)ts + 8, NULL));
	memcpy(edge - 5, "/dev\0", 5);
	SHOW(syscall(SYS_access, edge - 5, F_OK));
	memcpy(edge - 4, "/dev", 4); /* no end */
	SHOW(syscall(SYS_access, edge - 4, F_OK));
	SHOW(syscall(SYS_pipe, edge - 4));
	SHOW(syscall(SYS_execve, edge - 4, NULL, NULL));
	OK(close(fd));
}

/* A page that is there for reading only: the kernel may not write it either. */
static void protections(void)
{
	char *p = map_pages(3, PROT_READ | PROT_WRITE);
	int zero = OK(open("/dev/zero", O_RDONLY)), null = OK(open("/dev/null", O_WRONLY)), ends[2];

	OK(pipe2(ends, O_NONBLOCK));
	memset(p, 1, 3 * PAGE);
	OK(mprotect(p + PAGE, PAGE, PROT_NONE));
	SHOW(read(zero, p, 3 * PAGE));
	SHOW(write(ends[1], p, 3 * PAGE));
	SHOW(write(ends[1], p + PAGE, 1));
	OK(mprotect(p + PAGE, PAGE, PROT_READ));
	SHOW(read(zero, p, 3 * PAGE));
	CHECK_EQ(p[PAGE], 1);
	OK(mprotect(p + PAGE, PAGE, PROT_EXEC));
	SHOW(read(zero, p + PAGE, 10));
	OK(mprotect(p + PAGE, PAGE, PROT_WRITE));
	SHOW(read(zero, p + PAGE, 10));
	OK(close(zero));
	OK(close(null));
}

int main(void)
{
	char *p = map_pages(6, PROT_READ | PROT_WRITE);

	scratch();
	OK(munmap(p + 2 * PAGE, PAGE));
	edge = p + 2 * PAGE;
	OK(mprotect(p + 5 * PAGE, PAGE, PROT_READ));
	fence = p + 5 * PAGE;
	files();
	pipes();
	sockets(SOCK_STREAM);
	sockets(SOCK_DGRAM);
	sockets(SOCK_SEQPACKET);
	devices();
	structures();
	protections();
	return 0;
}
