/* SPDX-License-Identifier: Apache-2.0 */
/*
 * leaks [--rounds N] [NAME...]: the kernel's memory after what a process did is what it was before, inside only.
 *
 * A child does each family of operations some ten times and ends. Counted are the kernel's objects by size (/proc/slabinfo) and the
 * frames that are neither free nor objects nor the page cache (/proc/meminfo). Both may grow while caches fill; what grows in each of
 * ROUNDS_MAX rounds is a leak. Says "family NAME done" so that the caller can look at the monitor meanwhile.
 */
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>

#include "guest/inside.h"
#include "stress/use.h"

#define TIMES      20
#define ROUNDS_MAX 6
#define SCRATCH    "/tmp/leaks"

/* The classes, and as bit 31 the frames, of which `b` has more than `a`. */
static unsigned grown(const struct use *a, const struct use *b)
{
	unsigned bits = b->pages > a->pages ? 1u << 31 : 0;

	for (int i = 0; i < USE_CLASSES; i++)
		bits |= b->objects[i] > a->objects[i] ? 1u << i : 0;
	return bits;
}

/* ---- families ---- */

static void nothing(int sig)
{
	(void)sig;
}

static void processes(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	CHECK(pid > 0);
	wait_for(pid);
	pid = vfork();
	if (pid == 0)
		_exit(3);
	wait_for(pid);
	pid = fork();
	if (pid == 0)
		for (;;)
			pause();
	kill(pid, SIGKILL);
	wait_for(pid);
}

static void programs(void)
{
	pid_t pid = vfork();

	if (pid == 0) {
		execl("/bin/true", "true", "and", "arguments", (char *)NULL);
		_exit(1);
	}
	wait_ok(pid);
	pid = vfork();
	if (pid == 0) {
		execl("/etc/passwd", "no", (char *)NULL);
		_exit(9);
	}
	wait_for(pid);
}

static void *thread(void *arg)
{
	return arg;
}

static void threads(void)
{
	pthread_t t[8];

	for (int i = 0; i < 8; i++)
		CHECK_EQ(pthread_create(&t[i], NULL, thread, NULL), 0);
	for (int i = 0; i < 8; i++)
		CHECK_EQ(pthread_join(t[i], NULL), 0);
}

static void memory(void)
{
	char *p = map_pages(64, PROT_READ | PROT_WRITE);

	memset(p, 1, 64 * PAGE);
	OK(mprotect(p + 8 * PAGE, 8 * PAGE, PROT_READ));
	OK(munmap(p + 20 * PAGE, 3 * PAGE));
	OK(madvise(p + 30 * PAGE, 4 * PAGE, MADV_DONTNEED));
	p = mremap(p + 40 * PAGE, 24 * PAGE, 200 * PAGE, MREMAP_MAYMOVE);
	CHECK(p != MAP_FAILED);
	memset(p, 2, 200 * PAGE);
	OK(munmap(p, 100 * PAGE)); /* the rest goes with the process */
}

static void shared_memory(void)
{
	char *p = map_shared(16);
	int fd = OK(memfd_create("leaks", 0));
	pid_t pid;

	OK(ftruncate(fd, 16 * PAGE));
	memset(p, 3, 16 * PAGE);
	pid = fork();
	if (pid == 0) {
		memset(p, 4, 16 * PAGE);
		_exit(0);
	}
	wait_for(pid);
	OK(munmap(p, 16 * PAGE));
	p = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	memset(p, 5, 16 * PAGE);
	close(fd);
}

static void files(void)
{
	char buffer[5000] = "text";
	int fd = OK(open(SCRATCH "/file", O_RDWR | O_CREAT | O_TRUNC, 0600)), other;

	CHECK_EQ(OK(write(fd, buffer, sizeof(buffer))), sizeof(buffer));
	OK(flock(fd, LOCK_EX));
	OK(fcntl(fd, F_SETLK, &(struct flock){ .l_type = F_WRLCK, .l_len = 10 }));
	other = OK(dup(fd));
	close(fd);
	OK(rename(SCRATCH "/file", SCRATCH "/other"));
	OK(link(SCRATCH "/other", SCRATCH "/third"));
	OK(unlink(SCRATCH "/other"));
	OK(unlink(SCRATCH "/third"));
	OK(pwrite(other, "x", 1, 100000));
	OK(mkdir(SCRATCH "/directory", 0700));
	OK(symlink("directory", SCRATCH "/link"));
	close(OK(open(SCRATCH "/link/./../link/new", O_RDWR | O_CREAT, 0600)));
	OK(unlink(SCRATCH "/directory/new"));
	OK(unlink(SCRATCH "/link"));
	OK(rmdir(SCRATCH "/directory"));
}

static void host_files(void)
{
	char buffer[4096];
	int fd = OK(open("/etc/passwd", O_RDONLY));
	void *p = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);

	CHECK(p != MAP_FAILED && *(volatile char *)p);
	OK(read(fd, buffer, sizeof(buffer)));
	close(fd);
	FAILS(open("/etc/there-is-no-such-file", O_RDONLY), ENOENT);
	fd = OK(open("/etc", O_RDONLY | O_DIRECTORY));
	OK(syscall(SYS_getdents64, fd, buffer, sizeof(buffer)));
}

static void proc_files(void)
{
	static const char *const paths[] = { "/proc/self/maps", "/proc/self/status",
					     "/proc/self/fd/0", "/proc/meminfo",
					     "/proc/self/task", "/proc/self/exe" };
	char buffer[4096];

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		int fd = open(paths[i], O_RDONLY);

		if (fd >= 0 && read(fd, buffer, sizeof(buffer)) < 0)
			CHECK_EQ(errno, EISDIR);
		close(fd);
	}
}

static void pipes(void)
{
	char buffer[40000] = "";
	int pair[2], other[2];

	OK(pipe(pair));
	OK(pipe2(other, O_NONBLOCK));
	OK(write(pair[1], buffer, sizeof(buffer)));
	OK(splice(pair[0], NULL, other[1], NULL, 8192, 0));
	OK(tee(pair[0], other[1], 4096, 0));
	OK(vmsplice(other[1], &(struct iovec){ buffer, 4096 }, 1, 0));
	close(pair[0]);
}

static void polling(void)
{
	struct epoll_event e = { .events = EPOLLIN };
	int epoll = OK(epoll_create1(0)), event = OK(eventfd(3, 0)), timer, signals, second;
	sigset_t set = set_of(SIGUSR2);

	timer = OK(timerfd_create(CLOCK_MONOTONIC, 0));
	signals = OK(signalfd(-1, &set, 0));
	second = OK(epoll_create1(0));
	OK(timerfd_settime(timer, 0, &(struct itimerspec){ { 0, 1000 }, { 0, 1000 } }, NULL));
	OK(epoll_ctl(epoll, EPOLL_CTL_ADD, event, &e));
	OK(epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &e));
	OK(epoll_ctl(epoll, EPOLL_CTL_ADD, signals, &e));
	OK(epoll_ctl(second, EPOLL_CTL_ADD, epoll, &e));
	OK(epoll_wait(second, &e, 1, 100));
	OK(poll(&(struct pollfd){ .fd = epoll, .events = POLLIN }, 1, 0));
	OK(epoll_ctl(epoll, EPOLL_CTL_DEL, event, NULL));
	close(timer);
}

static void sockets(void)
{
	char control[CMSG_SPACE(sizeof(int))] = "";
	struct iovec part = { control, 4 };
	struct msghdr m = { .msg_iov = &part,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	int pair[2];

	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	*c = (struct cmsghdr){ CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
	memcpy(CMSG_DATA(c), &pair[0], sizeof(int));
	OK(sendmsg(pair[1], &m, 0)); /* a socket in its own queue: nobody receives it */
	memcpy(CMSG_DATA(c), &pair[1], sizeof(int));
	OK(sendmsg(pair[0], &m, 0));
	close(pair[0]);
	close(pair[1]);
	OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
	OK(send(pair[0], control, sizeof(control), 0));
}

static void signals(void)
{
	union sigval value = { .sival_int = 1 };
	timer_t t;

	block(SIGRTMIN);
	block(SIGUSR1);
	for (int i = 0; i < 10; i++)
		OK(sigqueue(getpid(), SIGRTMIN, value));
	OK(kill(getpid(), SIGUSR1));
	OK(timer_create(CLOCK_MONOTONIC,
			&(struct sigevent){ .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN },
			&t));
	OK(timer_settime(t, 0, &(struct itimerspec){ { 0, 1000 }, { 0, 1000 } }, NULL));
	handle(SIGALRM, nothing, 0);
	alarm(100);
}

static void names_and_rights(void)
{
	char name[32];

	OK(prctl(PR_SET_NAME, "another"));
	OK(prctl(PR_GET_NAME, name));
	OK(setpgid(0, 0));
	OK(setgid(getgid()));
	OK(setuid(getuid()));
	OK(chdir("/tmp"));
	CHECK(getcwd(name, sizeof(name)));
	OK(fcntl(0, F_DUPFD, 700));
}

static void refused(void)
{
	void *bad = bad_address();
	struct iovec vector[40];

	for (int i = 0; i < 40; i++)
		vector[i] = (struct iovec){ bad, 1 };
	FAILS(readv(OK(open("/dev/zero", O_RDONLY)), vector, 40), EFAULT);
	FAILS(pipe(bad), EFAULT);
	FAILS(syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, bad), EFAULT);
	FAILS(open(bad, O_RDONLY), EFAULT);
	FAILS(syscall(SYS_execve, "/bin/true", bad, NULL), EFAULT);
	FAILS(syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, bad), EFAULT);
	FAILS(syscall(SYS_clone, CLONE_THREAD, 0, 0, 0, 0), EINVAL);
	FAILS(epoll_ctl(0, EPOLL_CTL_ADD, 0, NULL), EFAULT);
}

static const struct family {
	const char *name;
	void (*once)(void);
} families[] = {
	{ "processes", processes },
	{ "programs", programs },
	{ "threads", threads },
	{ "memory", memory },
	{ "shared-memory", shared_memory },
	{ "files", files },
	{ "host-files", host_files },
	{ "proc-files", proc_files },
	{ "pipes", pipes },
	{ "polling", polling },
	{ "sockets", sockets },
	{ "signals", signals },
	{ "names-and-rights", names_and_rights },
	{ "refused", refused },
};

/* ---- rounds ---- */

static void in_child(void (*once)(void))
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		once();
		_exit(0);
	}
	wait_ok(pid);
}

static bool family_leaks(const struct family *f)
{
	struct use before, after;
	unsigned always = ~0u;

	in_child(f->once);
	before = use_now();
	for (int round = 0; round < ROUNDS_MAX && always; round++) {
		for (int i = 0; i < TIMES; i++)
			in_child(f->once);
		after = use_now();
		always &= grown(&before, &after);
		before = after;
	}
	if (always)
		say("%s: grows each time: %s classes %#x\n", f->name, always >> 31 ? "frames," : "",
		    always & ~(1u << 31));
	return always;
}

static bool wanted(const char *name, char **names)
{
	for (char **n = names; *n; n++)
		if (strcmp(*n, name) == 0)
			return true;
	return !*names;
}

int main(int argc, char **argv)
{
	int rounds = 1;
	bool leaks = false;

	inside_only();
	if (argc > 2 && strcmp(argv[1], "--rounds") == 0) {
		rounds = atoi(argv[2]);
		argv += 2;
	}
	OK(mkdir(SCRATCH, 0700));
	for (int i = 0; i < rounds; i++) {
		for (size_t f = 0; f < sizeof(families) / sizeof(families[0]); f++) {
			if (!wanted(families[f].name, argv + 1))
				continue;
			leaks |= family_leaks(&families[f]);
			say("family %s done\n", families[f].name);
		}
	}
	return leaks;
}
