/* SPDX-License-Identifier: Apache-2.0 */
/* Memory in 2 MiB pages behaves as in small ones: cut, protected, shared by fork, moved, given back. */
#include "guest/guest.h"

#define HUGE  (2ul << 20)
#define COUNT 6ul /* large pages */

static unsigned char *area;

static unsigned long value(unsigned long page, unsigned long salt)
{
	return page * 0x9e3779b97f4a7c15ul + salt;
}

static void fill(unsigned char *p, unsigned long bytes, unsigned long salt)
{
	for (unsigned long i = 0; i < bytes / PAGE; i++)
		*(unsigned long *)(p + i * PAGE + i % 500 * 8) = value(i, salt);
}

static unsigned long wrong(const unsigned char *p, unsigned long first, unsigned long count,
			   unsigned long salt)
{
	unsigned long n = 0;

	for (unsigned long i = first; i < first + count; i++)
		n += *(const unsigned long *)(p + i * PAGE + i % 500 * 8) != value(i, salt);
	return n;
}

static long meminfo(const char *name)
{
	static char buf[8192];
	FILE *f = fopen("/proc/meminfo", "r");
	long kib = -1;

	while (f && fgets(buf, sizeof(buf), f))
		if (!strncmp(buf, name, strlen(name)))
			kib = atol(buf + strlen(name) + 1);
	if (f)
		fclose(f);
	return kib;
}

static bool huge_expected(void)
{
	const char *residency = getenv("GUEST_RESIDENCY");

	return residency && !strcmp(residency, "guest");
}

static void *map_area(int advice)
{
	unsigned char *p = mmap(NULL, (COUNT + 1) * HUGE, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	p = (unsigned char *)(((unsigned long)p + HUGE - 1) & ~(HUGE - 1));
	if (advice)
		CHECK_EQ(madvise(p, COUNT * HUGE, advice), 0);
	return p;
}

/* Bytes of every page read as zero but where we wrote. */
static unsigned long dirt(const unsigned char *p, unsigned long bytes)
{
	unsigned long n = 0;

	for (unsigned long i = 0; i < bytes; i++)
		n += p[i] != 0;
	return n;
}

static void test_cut(void)
{
	fill(area, COUNT * HUGE, 1);
	CHECK_EQ(wrong(area, 0, COUNT * 512, 1), 0);
	/* A hole of three pages in the first, the border of the second and third, the whole fourth. */
	CHECK_EQ(munmap(area + 100 * PAGE, 3 * PAGE), 0);
	CHECK_EQ(munmap(area + 2 * HUGE - PAGE, 2 * PAGE), 0);
	CHECK_EQ(munmap(area + 3 * HUGE, HUGE), 0);
	CHECK_EQ(wrong(area, 0, 100, 1), 0);
	CHECK_EQ(wrong(area, 103, 1023 - 103, 1), 0);
	CHECK_EQ(wrong(area, 1025, 1536 - 1025, 1), 0);
	CHECK_EQ(wrong(area, 2048, COUNT * 512 - 2048, 1), 0);
	CHECK(mmap(area + 100 * PAGE, 3 * PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED);
	CHECK_EQ(dirt(area + 100 * PAGE, 3 * PAGE), 0);
}

static void test_protect(void)
{
	int status;

	for (int part = 0; part < 2; part++) {
		pid_t pid = fork();

		CHECK(pid >= 0);
		if (pid == 0) {
			/* First a part of a large page, then all of one. */
			unsigned char *at = part ? area + 4 * HUGE : area + 5 * HUGE + 7 * PAGE;

			if (mprotect(at, part ? HUGE : PAGE, PROT_READ))
				_exit(2);
			at[PAGE * (part ? 17 : 1)] = part ? 1 : 2; /* beside the page: allowed */
			at[8] = 1;
			_exit(0);
		}
		CHECK_EQ(waitpid(pid, &status, 0), pid);
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	}
	CHECK_EQ(mprotect(area + 5 * HUGE, HUGE, PROT_READ), 0);
	CHECK_EQ(wrong(area, 5 * 512, 512, 1), 0);
	CHECK_EQ(mprotect(area + 5 * HUGE, HUGE, PROT_READ | PROT_WRITE), 0);
	area[5 * HUGE + 4000] = 77;
	CHECK_EQ(area[5 * HUGE + 4000], 77);
	CHECK_EQ(mprotect(area + 4 * HUGE, HUGE, PROT_NONE), 0);
	CHECK_EQ(mprotect(area + 4 * HUGE, HUGE, PROT_READ | PROT_WRITE), 0);
	CHECK_EQ(wrong(area, 4 * 512, 512, 1), 0);
}

static void test_fork(void)
{
	unsigned char *p = map_area(MADV_HUGEPAGE);
	int status;
	pid_t pid;

	fill(p, 2 * HUGE, 3);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		if (wrong(p, 0, 1024, 3))
			_exit(1);
		fill(p, HUGE / 2, 4);
		_exit(wrong(p, 0, 256, 4) || wrong(p, 256, 768, 3));
	}
	fill(p + HUGE, HUGE / 2, 5);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	CHECK_EQ(wrong(p, 0, 512, 3), 0);
	CHECK_EQ(wrong(p + HUGE, 0, 256, 5), 0);
	CHECK_EQ(wrong(p, 768, 256, 3), 0);
	CHECK_EQ(munmap(p, COUNT * HUGE), 0);
}

static void test_move_and_discard(void)
{
	unsigned char *p = map_area(MADV_HUGEPAGE), *q;

	fill(p, 3 * HUGE, 6);
	CHECK_EQ(madvise(p + HUGE + 5 * PAGE, 20 * PAGE, MADV_DONTNEED), 0);
	CHECK_EQ(dirt(p + HUGE + 5 * PAGE, 20 * PAGE), 0);
	CHECK_EQ(wrong(p, 0, 517, 6), 0);
	CHECK_EQ(wrong(p, 537, 1536 - 537, 6), 0);
	q = mremap(p + 2 * HUGE, HUGE, 2 * HUGE, MREMAP_MAYMOVE);
	CHECK(q != MAP_FAILED);
	CHECK_EQ(dirt(q + HUGE, HUGE), 0);
	for (unsigned long i = 0; i < 512; i++)
		CHECK_EQ(*(unsigned long *)(q + i * PAGE + (i + 1024) % 500 * 8),
			 value(i + 1024, 6));
}

int main(void)
{
	long before = meminfo("AnonHugePages");

	area = map_area(MADV_HUGEPAGE);
	fill(area, COUNT * HUGE, 0);
	if (huge_expected())
		CHECK(meminfo("AnonHugePages") - before >= (long)(COUNT * HUGE / 1024));
	test_cut();
	test_protect();
	test_fork();
	test_move_and_discard();
	/* Without being asked to: after the first 2 MiB were filled page by page. */
	before = meminfo("AnonHugePages");
	area = map_area(0);
	fill(area, COUNT * HUGE, 7);
	CHECK_EQ(wrong(area, 0, COUNT * 512, 7), 0);
	if (huge_expected())
		CHECK(meminfo("AnonHugePages") - before >= (long)((COUNT - 2) * HUGE / 1024));
	CHECK_EQ(madvise(area, COUNT * HUGE, MADV_NOHUGEPAGE), 0);
	return 0;
}
