/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Touches memory without end, in one process, and in several at once that share it.
 * Stopped by: the limit on memory ends who takes most; the rest goes on.
 * Escape-Options: --memory 48M
 * Escape-Expect: stopped: eating memory ended with SIGKILL
 * Escape-Expect: stopped: eating shared memory ended with SIGBUS
 * Escape-Expect: stopped: one of several ended with SIGKILL
 * Escape-Expect: stopped: one of several ended with SIGKILL
 * Escape-Expect: stopped: one of several ended with SIGKILL
 */
#include "escape/escape.h"

static void eat(void)
{
	for (;;) {
		char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			       -1, 0);

		if (p == MAP_FAILED)
			_exit(3);
		memset(p, 1, 1 << 20);
	}
}

static void eat_shared(void)
{
	int fd = OK(memfd_create("eaten", 0));
	char *p;

	OK(ftruncate(fd, 1l << 30));
	p = mmap(NULL, 1l << 30, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	memset(p, 1, 1l << 30);
}

void attempt(void)
{
	pid_t pid[3];

	stopped("eating memory ended with %s", ending_of(in_child(eat)));
	stopped("eating shared memory ended with %s", ending_of(in_child(eat_shared)));
	for (int i = 0; i < 3; i++) {
		pid[i] = OK(fork());
		if (pid[i] == 0)
			eat();
	}
	for (int i = 0; i < 3; i++)
		stopped("one of several ended with %s", ending_of(wait_for(pid[i])));
}
