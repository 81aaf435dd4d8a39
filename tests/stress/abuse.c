/* SPDX-License-Identifier: Apache-2.0 */
/*
 * abuse CASE: uses up one thing until it is refused, then looks whether the rest still works. Inside only; run-stress
 * says with which options. Ends with status 0 and "refused: ..." lines that name the errors seen.
 */
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/sysinfo.h>

#include "guest/inside.h"

static void refused(const char *what, long count, int error)
{
	say("%s refused after %ld: %s\n", what, count, strerrorname_np(error));
}

static long free_mib(void)
{
	struct sysinfo s;

	OK(sysinfo(&s));
	return (long)(s.freeram >> 20);
}

/* Ends everything but us; then a process must start, run and end. */
static void recover(void)
{
	for (int i = 0; i < 3; i++)
		kill(-1, SIGKILL);
	while (waitpid(-1, NULL, __WALL) > 0 || errno == EINTR)
		;
	for (int i = 0; i < 200; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		if (pid > 0) {
			wait_ok(pid);
			return;
		}
		sleep_ms(5);
	}
	FAIL("no process can start any more");
}

static void breed(void)
{
	for (;;)
		if (fork() < 0)
			usleep(1000);
}

static void forkbomb(void)
{
	if (OK(fork()) == 0)
		breed();
	sleep_ms(800);
	recover();
}

/* As many children as fit, each asleep. */
static void children(void)
{
	long n = 0;
	pid_t pid;

	while ((pid = fork()) > 0)
		n++;
	if (pid == 0)
		for (;;)
			pause();
	refused("fork", n, errno);
	recover();
}

static void *sleep_long(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void threads(void)
{
	pthread_attr_t attr;
	pthread_t thread;
	long n = 0;
	int error;
	pid_t pid = OK(fork());

	if (pid == 0) {
		pthread_attr_init(&attr);
		pthread_attr_setstacksize(&attr, 16384);
		while ((error = pthread_create(&thread, &attr, sleep_long, NULL)) == 0)
			n++;
		refused("thread", n, error);
		_exit(0);
	}
	wait_ok(pid);
	recover();
}

/* Touches memory until it is killed. */
static void eat(void)
{
	for (;;) {
		char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			       -1, 0);

		if (p == MAP_FAILED)
			_exit(1);
		memset(p, 1, 1 << 20);
	}
}

static void memory(void)
{
	pid_t pid = OK(fork());
	int status;

	if (pid == 0)
		eat();
	/* Who takes little goes on, although its faults find no memory either. */
	while (waitpid(pid, &status, WNOHANG) == 0) {
		char *p = map_pages(16, PROT_READ | PROT_WRITE);

		memset(p, 1, 16 * PAGE);
		OK(munmap(p, 16 * PAGE));
	}
	if (WIFSIGNALED(status))
		say("memory: signal %d\n", WTERMSIG(status));
	else
		say("memory: refused\n");
	recover();
}

static void memory_many(void)
{
	for (int i = 0; i < 8; i++)
		if (OK(fork()) == 0)
			eat();
	while (waitpid(-1, NULL, 0) > 0)
		;
	recover();
}

/* A system call that needs memory, with none left: the page tables and the heap go too. */
static void memory_calls(void)
{
	pid_t pid = OK(fork());

	if (pid == 0) {
		for (;;) {
			char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			int pair[2];

			if (p == MAP_FAILED || pipe(pair) < 0 ||
			    fcntl(pair[1], F_SETPIPE_SZ, 1 << 20) < 0 || fork() < 0)
				continue;
			for (int i = 0; i < 256; i++)
				if (write(pair[1], p, 4096) < 0)
					break;
			p[0] = 1;
		}
	}
	sleep_ms(800);
	recover();
}

static void fill(const char *path)
{
	static char text[1 << 16];
	int fd = OK(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644));
	long n = 0;
	ssize_t r;

	while ((r = write(fd, text, sizeof(text))) > 0)
		n += r;
	say("%s: %s\n", path, n > 16 << 20 ? "some" : "little");
	refused("write", 0, errno);
	OK(close(fd));
	recover();
	OK(unlink(path));
	CHECK(free_mib() > 24);
}

static void files_full(void)
{
	fill("/tmp/full");
	fill("/dev/shm/full");
}

static void shared_full(void)
{
	int fd = OK(memfd_create("full", 0));
	pid_t pid;
	char *p;
	int status;

	OK(ftruncate(fd, 1l << 32));
	pid = OK(fork());
	if (pid == 0) {
		p = mmap(NULL, 1l << 32, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		CHECK(p != MAP_FAILED);
		for (long at = 0; at < 1l << 32; at += PAGE)
			p[at] = 1;
		_exit(0);
	}
	status = wait_for(pid);
	say("shared: signal %d\n", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	OK(close(fd));
	recover();
}

static void descriptors(void)
{
	long n = 0;
	int fd;

	while ((fd = dup(1)) >= 0)
		n = fd;
	refused("dup", n, errno);
	closefrom(3);
	n = 0;
	while ((fd = epoll_create1(0)) >= 0)
		n = fd;
	refused("epoll", n, errno);
	closefrom(3);
	recover();
}

static void directories(void)
{
	long n = 0;

	scratch();
	while (n < 2000 && mkdir("d", 0755) == 0 && chdir("d") == 0)
		n++;
	say("depth %ld\n", n);
	errno = 0;
	say("getcwd: %s\n", getcwd(NULL, 0) ? "a path" : strerrorname_np(errno));
	while (n > 0 && chdir("..") == 0 && rmdir("d") == 0)
		n--;
	say("back to %ld\n", n);
}

static void symlinks(void)
{
	char a[16], b[16];

	scratch();
	for (int i = 0; i < 60; i++) {
		snprintf(a, sizeof(a), "%d", i + 1);
		snprintf(b, sizeof(b), "%d", i);
		OK(symlink(a, b));
	}
	FAILS(open("0", O_RDONLY), ELOOP);
	FAILS(open("15", O_RDONLY), ELOOP);
	FAILS(open("25", O_RDONLY), ENOENT);
	OK(symlink("b/b/b/b/b/b/b", "b"));
	FAILS(open("b", O_RDONLY), ELOOP);
	say("symlinks ok\n");
}

static void many_files(void)
{
	char name[16];
	long count = 0;

	scratch();
	for (int i = 0; i < 30000; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		OK(close(OK(open(name, O_WRONLY | O_CREAT | O_EXCL, 0644))));
		count++;
	}
	for (int i = 0; i < 30000; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		OK(unlink(name));
	}
	say("files %ld\n", count);
}

static void arguments(void)
{
	static char *argv[100001];
	char *big = malloc((4 << 20) + 1);
	pid_t pid;

	memset(big, 'a', 4 << 20);
	big[4 << 20] = 0;
	FAILS(execv("/bin/true", ARGS("true", big)), E2BIG);
	for (int i = 0; i < 100000; i++)
		argv[i] = big + (4 << 20) - 100;
	FAILS(execv("/bin/true", argv), E2BIG);
	for (int i = 0; i < 100000; i++)
		argv[i] = big + (4 << 20) - 1;
	pid = OK(fork());
	if (pid == 0)
		OK(execv("/bin/true", argv));
	wait_ok(pid);
	say("arguments ok\n");
}

static void epoll_loops(void)
{
	struct epoll_event e = { .events = EPOLLIN };
	int fds[40], depth = 0, pair[2];

	for (int i = 0; i < 40; i++)
		fds[i] = OK(epoll_create1(0));
	FAILS(epoll_ctl(fds[0], EPOLL_CTL_ADD, fds[0], &e), EINVAL);
	while (depth < 39 && epoll_ctl(fds[depth + 1], EPOLL_CTL_ADD, fds[depth], &e) == 0)
		depth++;
	say("epoll depth %d\n", depth);
	FAILS(epoll_ctl(fds[0], EPOLL_CTL_ADD, fds[2], &e), ELOOP);
	OK(pipe(pair));
	OK(epoll_ctl(fds[0], EPOLL_CTL_ADD, pair[0], &e));
	CHECK_EQ(write(pair[1], "x", 1), 1);
	CHECK_EQ(epoll_wait(fds[depth], &e, 1, 1000), 1);
}

static int send_fd(int over, int fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec v = { (char[1]){ 'x' }, 1 };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	return (int)sendmsg(over, &m, MSG_DONTWAIT);
}

/* Sockets that carry each other and themselves, then are closed. */
static void rights(void)
{
	long n = 0, before = free_mib();
	int pair[2];

	for (int i = 0; i < 3000; i++) {
		OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
		if (send_fd(pair[0], pair[1]) < 0 || send_fd(pair[1], pair[0]) < 0 ||
		    send_fd(pair[0], pair[0]) < 0) {
			refused("cycle", 0, errno);
			break;
		}
		close(pair[0]);
		close(pair[1]);
	}
	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	while (n < 100000 && send_fd(pair[0], 1) > 0)
		n++;
	say("rights: %s\n", n < 100000 ? strerrorname_np(errno) : "unlimited");
	close(pair[0]);
	close(pair[1]);
	recover();
	CHECK(before - free_mib() < 64);
}

/* A chain of sockets in sockets in sockets: closing the last must not recurse. */
static void nested_rights(void)
{
	int pair[2], next[2];

	OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
	for (int i = 0; i < 6000; i++) {
		OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, next));
		if (send_fd(next[0], pair[0]) < 0 || send_fd(next[0], pair[1]) < 0) {
			refused("nesting", 0, errno);
			break;
		}
		close(pair[0]);
		close(pair[1]);
		memcpy(pair, next, sizeof(pair));
	}
	close(pair[0]);
	close(pair[1]);
	recover();
	say("nested rights ok\n");
}

static void busy(int kind)
{
	char *p;
	int pair[2];

	for (;;) {
		switch (kind % 6) {
		case 0:
			if (fork() == 0)
				_exit(0);
			waitpid(-1, NULL, WNOHANG);
			break;
		case 1:
			p = map_pages(64, PROT_READ | PROT_WRITE);
			memset(p, 1, 64 * PAGE);
			munmap(p, 64 * PAGE);
			break;
		case 2:
			if (vfork() == 0)
				execl("/bin/true", "true", (char *)NULL);
			waitpid(-1, NULL, WNOHANG);
			break;
		case 3:
			if (pipe(pair) == 0 && write(pair[1], "x", 1) == 1 &&
			    read(pair[0], &p, 1) == 1)
				close(pair[0]), close(pair[1]);
			break;
		case 4:
			close(open("/etc/passwd", O_RDONLY));
			close(open("/tmp/busy", O_RDWR | O_CREAT, 0644));
			break;
		default:
			sleep_ms(1);
		}
	}
}

static void random_kills(void)
{
	pid_t pids[6] = { 0 };
	unsigned state = 1;

	for (int i = 0; i < 30; i++) {
		unsigned k = rand_r(&state) % 6;

		if (pids[k] > 0) {
			kill(pids[k], SIGKILL);
			wait_for(pids[k]);
		}
		pids[k] = fork();
		if (pids[k] == 0)
			busy((int)k);
		usleep(rand_r(&state) % 3000);
	}
	recover();
	say("kills ok\n");
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{ "forkbomb", forkbomb },       { "children", children },
	{ "threads", threads },         { "memory", memory },
	{ "memory-many", memory_many }, { "memory-calls", memory_calls },
	{ "files", files_full },        { "shared", shared_full },
	{ "descriptors", descriptors }, { "directories", directories },
	{ "symlinks", symlinks },       { "many-files", many_files },
	{ "arguments", arguments },     { "epoll", epoll_loops },
	{ "rights", rights },           { "nested-rights", nested_rights },
	{ "kills", random_kills },
};

int main(int argc, char **argv)
{
	inside_only();
	for (size_t i = 0; argc == 2 && i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (strcmp(argv[1], cases[i].name) == 0) {
			cases[i].run();
			return 0;
		}
	}
	return 2;
}
