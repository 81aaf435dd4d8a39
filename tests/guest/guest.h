/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guest.h: what the guest programs share. A program prints what it saw with say() (never through a buffer, which a
 * fork would double), and ends with status 0. A failed check prints where and what, and ends the process with 1.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE      4096ul
#define ARGS(...) ((char *const *)(const char *const[]){ __VA_ARGS__, NULL })

#define say(...) dprintf(1, __VA_ARGS__)

/* Ends the process; what, errno at that moment. */
#define FAIL(...)                                                                 \
	do {                                                                      \
		int fail_errno = errno;                                           \
		dprintf(1, "%s:%d: ", strrchr("/" __FILE__, '/') + 1, __LINE__);  \
		dprintf(1, __VA_ARGS__);                                          \
		dprintf(1, " (errno %d %s)\n", fail_errno, strerror(fail_errno)); \
		_exit(1);                                                         \
	} while (0)

#define CHECK(condition)                                  \
	do {                                              \
		if (!(condition))                         \
			FAIL("not true: %s", #condition); \
	} while (0)

#define CHECK_EQ(a, b)                                                                       \
	do {                                                                                 \
		long long eq_a = (long long)(a), eq_b = (long long)(b);                      \
		if (eq_a != eq_b)                                                            \
			FAIL("%s is %lld (%#llx), not %s = %lld", #a, eq_a, eq_a, #b, eq_b); \
	} while (0)

/* The value of a call that must not fail. Named by a counter, so that one can be an argument of another. */
#define OK(call) OK_NAMED(call, GUEST_JOIN(ok_value_, __COUNTER__))
#define OK_NAMED(call, name)                       \
	({                                         \
		__typeof__(call) name = (call);    \
		if ((long)name == -1)              \
			FAIL("failed: %s", #call); \
		name;                              \
	})
#define GUEST_JOIN(a, b)  GUEST_JOIN2(a, b)
#define GUEST_JOIN2(a, b) a##b

/* A call that must fail, and how. */
#define FAILS(call, error)                                                                   \
	do {                                                                                 \
		errno = 0;                                                                   \
		long fails_value = (long)(call);                                             \
		if (fails_value != -1 || errno != (error))                                   \
			FAIL("%s gave %ld, expected -1 and %s", #call, fails_value, #error); \
	} while (0)

/* An address where nothing is, unknown to the compiler. */
static inline void *bad_address(void)
{
	volatile uintptr_t address = 8;

	return (void *)address;
}

static inline void *map_pages(size_t pages, int prot)
{
	void *p = mmap(NULL, pages * PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

static inline void *map_shared(size_t pages)
{
	void *p =
		mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

/* Runs fn(arg) in a child that ends with fn's value. */
static inline pid_t spawn(int (*fn)(void *), void *arg)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0)
		_exit(fn(arg));
	return pid;
}

static inline int wait_for(pid_t pid)
{
	int status;
	pid_t got;

	do
		got = waitpid(pid, &status, 0);
	while (got < 0 && errno == EINTR);
	CHECK_EQ(got, pid);
	return status;
}

static inline void wait_ok(pid_t pid)
{
	int status = wait_for(pid);

	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		FAIL("the child ended with wait status %#x", status);
}

static inline void handle(int sig, void (*fn)(int), int flags)
{
	struct sigaction sa = { .sa_handler = fn, .sa_flags = flags };

	OK(sigaction(sig, &sa, NULL));
}

static inline void handle_info(int sig, void (*fn)(int, siginfo_t *, void *), int flags)
{
	struct sigaction sa = { .sa_sigaction = fn, .sa_flags = flags | SA_SIGINFO };

	OK(sigaction(sig, &sa, NULL));
}

static inline sigset_t set_of(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	return set;
}

static inline void block(int sig)
{
	sigset_t set = set_of(sig);

	OK(sigprocmask(SIG_BLOCK, &set, NULL));
}

static inline void unblock(int sig)
{
	sigset_t set = set_of(sig);

	OK(sigprocmask(SIG_UNBLOCK, &set, NULL));
}

static inline int64_t now_ns(clockid_t clock)
{
	struct timespec ts;

	OK(clock_gettime(clock, &ts));
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static inline void sleep_ms(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&ts, &ts) < 0 && errno == EINTR)
		;
}

/* The state letter of a process in /proc/PID/stat, 0 if it is gone. */
static inline char process_state(pid_t pid)
{
	char path[64], text[512], *end;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return 0;
	text[n] = 0;
	end = strrchr(text, ')');
	return end ? end[2] : 0;
}

static inline void wait_until_state(pid_t pid, char state)
{
	while (process_state(pid) != state)
		sleep_ms(1);
}

static char scratch_path[64];
static pid_t scratch_owner;

static inline int scratch_remove_one(const char *path, const struct stat *st, int kind,
				     struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static inline void scratch_remove(void)
{
	if (getpid() == scratch_owner && chdir("/") == 0)
		nftw(scratch_path, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Makes an empty directory, goes there, removes it when the process exits. Its path is never printed. */
static inline void scratch(void)
{
	strcpy(scratch_path, "/tmp/rf-guest-XXXXXX");
	CHECK(mkdtemp(scratch_path) != NULL);
	OK(chdir(scratch_path));
	scratch_owner = getpid();
	atexit(scratch_remove);
	umask(022);
}

static inline void write_file(const char *path, const char *text)
{
	int fd = OK(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644));

	CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
	OK(close(fd));
}

/* The whole of a small file, NUL-terminated, in a static buffer. */
static inline char *read_file(const char *path)
{
	static char text[65536];
	size_t length = 0;
	ssize_t n;
	int fd = OK(open(path, O_RDONLY));

	while ((n = OK(read(fd, text + length, sizeof(text) - 1 - length))) > 0)
		length += (size_t)n;
	text[length] = 0;
	OK(close(fd));
	return text;
}

static inline long size_of_file(const char *path)
{
	struct stat st;

	OK(stat(path, &st));
	return st.st_size;
}
