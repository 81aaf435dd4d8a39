/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks for other processes' data in fresh memory: after a process full of a pattern has ended, all memory is mapped and read; then pipes, files and the stack.
 * Stopped by: pages are cleared before a program sees them.
 * Escape-Options: --memory 64M
 * Escape-Expect: stopped: only zeros in fresh memory
 * Escape-Expect: stopped: only zeros in fresh shared memory
 * Escape-Expect: stopped: only zeros in the holes of a file
 * Escape-Expect: stopped: only zeros in the heap
 */
#include "escape/escape.h"

#define PATTERN 0xdeadbeefcafef00dul
#define SIZE    (24ul << 20)

static void fill(void)
{
	uint64_t *p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	for (size_t i = 0; i < SIZE / 8; i++)
		p[i] = PATTERN;
}

static void look(const char *what, const uint64_t *p, size_t size)
{
	for (size_t i = 0; i < size / 8; i++)
		if (p[i])
			escaped("%s has %#" PRIx64 " at %zu", what, p[i], i * 8);
	stopped("only zeros in %s", what);
}

void attempt(void)
{
	uint64_t *p;
	int fd;

	CHECK_EQ(in_child(fill), 0);
	p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1,
		 0);
	CHECK(p != MAP_FAILED);
	look("fresh memory", p, SIZE);
	munmap(p, SIZE);
	CHECK_EQ(in_child(fill), 0);
	fd = OK(memfd_create("fresh", 0));
	OK(ftruncate(fd, (off_t)SIZE / 2));
	p = mmap(NULL, SIZE / 2, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	look("fresh shared memory", p, SIZE / 2);
	munmap(p, SIZE / 2);
	close(fd);
	CHECK_EQ(in_child(fill), 0);
	/* A file written at its end only: the page around it. */
	fd = OK(open("/hole", O_RDWR | O_CREAT, 0600));
	OK(pwrite(fd, "\0", 1, 3000000));
	p = mmap(NULL, 3000000, PROT_READ, MAP_PRIVATE, fd, 0);
	CHECK(p != MAP_FAILED);
	look("the holes of a file", p, 3000000);
	p = sbrk(4 << 20);
	CHECK(p != (void *)-1);
	look("the heap", p, 4 << 20);
}
