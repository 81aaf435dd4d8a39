/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Uses up descriptors, epoll instances, pipes and their memory, timers, queued signals, memory mappings.
 * Stopped by: a limit on each; the next process has them again.
 * Escape-Options: --memory 128M
 * Escape-Expect: stopped: EMFILE from dup
 * Escape-Expect: stopped: EBADF from dup2 to a high number
 * Escape-Expect: stopped: EMFILE from epoll_create1
 * Escape-Expect: stopped: EMFILE from filled pipes
 * Escape-Expect: stopped: EAGAIN from timer_create
 * Escape-Expect: stopped: EAGAIN from sigqueue
 * Escape-Expect: stopped: ENOMEM from split mappings
 * Escape-Expect: stopped: a descriptor can be had afterwards
 */
#include <sys/epoll.h>
#include <sys/resource.h>

#include "escape/escape.h"

#define MANY 3000000l

static void say_end(const char *what, long n)
{
	if (n >= MANY)
		escaped("%ld of %s", n, what);
	stopped("%s from %s", strerrorname_np(errno), what);
}

static void descriptors(void)
{
	long n = 0;

	while (n < MANY && dup(1) >= 0)
		n++;
	say_end("dup", n);
	REFUSED("dup2 to a high number", dup2(1, 1 << 30));
}

static void epolls(void)
{
	long n = 0;

	while (n < MANY && epoll_create1(0) >= 0)
		n++;
	say_end("epoll_create1", n);
}

static void limit_to(int resource, rlim_t most)
{
	struct rlimit limit = { most, most };

	OK(setrlimit(resource, &limit));
}

static void pipes(void)
{
	static char data[1 << 16];
	int pair[2];
	long n = 0;

	limit_to(RLIMIT_NOFILE, 1024);
	while (n < MANY && pipe2(pair, O_NONBLOCK) == 0 && write(pair[1], data, sizeof(data)) > 0)
		n++;
	say_end("filled pipes", n);
}

static void timers(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_NONE };
	timer_t id;
	long n = 0;

	limit_to(RLIMIT_SIGPENDING, 5000);
	while (n < MANY && timer_create(CLOCK_MONOTONIC, &event, &id) == 0)
		n++;
	say_end("timer_create", n);
}

static void signals(void)
{
	long n = 0;

	limit_to(RLIMIT_SIGPENDING, 5000);
	block(SIGRTMIN);
	while (n < MANY && sigqueue(getpid(), SIGRTMIN, (union sigval){ 0 }) == 0)
		n++;
	say_end("sigqueue", n);
}

static void mappings(void)
{
	char *p = mmap(NULL, 1ul << 36, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
		       0);
	long n = 0;

	CHECK(p != MAP_FAILED);
	while (n < MANY && mprotect(p + n * 2 * PAGE, PAGE, PROT_READ) == 0)
		n++;
	say_end("split mappings", n);
}

void attempt(void)
{
	in_child(descriptors);
	in_child(epolls);
	in_child(pipes);
	in_child(timers);
	in_child(signals);
	in_child(mappings);
	OK(close(OK(open("/dev/null", O_RDONLY))));
	stopped("a descriptor can be had afterwards");
}
