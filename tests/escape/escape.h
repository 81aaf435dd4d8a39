/* SPDX-License-Identifier: Apache-2.0 */
/*
 * escape.h: what the escape programs share. A program defines attempt(), which tries to get out and says with stopped() what
 * stopped it, line by line; its first comment names the same lines as "Escape-Expect:". escaped() is the end: status 1.
 * main() is here, so that no program runs outside the sandbox.
 */
#pragma once

#include <inttypes.h>
#include <sys/utsname.h>

#include "guest/guest.h"

/* What must not be readable starts with this; the runner adds random digits. */
#define SECRET     "RF-SECRET-"
/* Programs of the sandbox live below this address, those of Linux have their stack above it: <ringfence/platform.h>. */
#define USER_END   0x7e0000000000ul
#define ARENA      USER_END
#define NOT_INSIDE 77

#define stopped(...) escape_say("stopped: ", __VA_ARGS__)
#define escaped(...)                                  \
	do {                                          \
		escape_say("ESCAPED: ", __VA_ARGS__); \
		_exit(1);                             \
	} while (0)

void attempt(void);

/* One write a line, so that lines of several processes don't mix. */
__attribute__((format(printf, 2, 3))) static inline void escape_say(const char *kind,
								    const char *format, ...)
{
	char line[512];
	int n = snprintf(line, sizeof(line), "%s", kind);
	va_list args;

	va_start(args, format);
	n += vsnprintf(line + n, sizeof(line) - (size_t)n - 1, format, args);
	va_end(args);
	n = n < (int)sizeof(line) - 1 ? n : (int)sizeof(line) - 2;
	line[n] = '\n';
	if (write(1, line, (size_t)n + 1) < 0)
		_exit(2);
}

/* The end, unless everything says sandbox: a variable that run-escape sets inside only, the names, the pid, the addresses. */
static inline void only_inside(void)
{
	struct utsname u;

	if (getenv("ESCAPE_INSIDE") && uname(&u) == 0 && strcmp(u.nodename, "ringfence") == 0 &&
	    strstr(u.release, "ringfence") && getpid() < 10 &&
	    (uintptr_t)__builtin_frame_address(0) < USER_END)
		return;
	dprintf(2,
		"not inside: this program runs only in the sandbox, by tests/escape/run-escape\n");
	_exit(NOT_INSIDE);
}

int main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	only_inside();
	attempt();
	return 0;
}

/* What the runner says of the world outside, as text; of numbers 0 means that it is not there. */
static inline const char *told(const char *name)
{
	const char *value = getenv(name);

	if (!value)
		FAIL("%s is not set", name);
	return value;
}

static inline long told_number(const char *name)
{
	return strtol(told(name), NULL, 0);
}

/* Of the last four paths made, each stays as it is. BASE has box/ (writable bind), shelf/ (read-only bind), secret/. */
static inline const char *base_path(const char *name)
{
	static char paths[4][256];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", told("ESCAPE_BASE"), name);
	return path;
}

static inline void check_for_secret(const char *what, const void *data, size_t size)
{
	if (memmem(data, size, SECRET, strlen(SECRET)))
		escaped("%s has the secret", what);
}

/* Says how a system call that gave r was refused. */
static inline void judge_call(const char *name, long r)
{
	int error = errno;

	if (r != -1)
		escaped("%s gave %ld", name, r);
	if (error == ENOSYS)
		stopped("no such call: %s", name);
	else
		stopped("%s from %s", strerrorname_np(error), name);
}

#define REFUSED(name, call) judge_call(name, (long)(call))

/* Tries to read a file; other content than the secret is fine only where the caller says so. */
static inline void try_read_at(const char *what, int dir, const char *path, int flags)
{
	static char text[65536];
	int fd = openat(dir, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | flags);
	ssize_t n;

	if (fd < 0) {
		judge_call(what, fd);
		return;
	}
	n = read(fd, text, sizeof(text));
	if (n < 0)
		stopped("%s from read of %s", strerrorname_np(errno), what);
	else if (n == 0)
		stopped("nothing in %s", what);
	else
		check_for_secret(what, text, (size_t)n);
	if (n > 0)
		stopped("no secret in %s", what);
	close(fd);
}

static inline void try_read(const char *what, const char *path)
{
	try_read_at(what, AT_FDCWD, path, 0);
}

/* Tries to write to a file that exists, or to make it. */
static inline void try_write(const char *what, const char *path, int flags)
{
	int fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | flags, 0644);

	if (fd < 0) {
		judge_call(what, fd);
		return;
	}
	REFUSED(what, write(fd, "1\n", 2));
	close(fd);
}

/* How a child ended, as text in a static buffer. */
static inline const char *ending_of(int status)
{
	static char text[64];

	if (WIFSIGNALED(status))
		snprintf(text, sizeof(text), "SIG%s", sigabbrev_np(WTERMSIG(status)));
	else
		snprintf(text, sizeof(text), "exit status %d", WEXITSTATUS(status));
	return text;
}

/* Runs fn in a child, which speaks for itself. */
static inline int in_child(void (*fn)(void))
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		fn();
		_exit(0);
	}
	return wait_for(pid);
}
