/* SPDX-License-Identifier: Apache-2.0 */
/* mmap, munmap, mremap, mprotect and friends at the limits of the address range: the top page, address 0, overflowing lengths. */
#include <sys/uio.h>

#include "guest/guest.h"

#define TOP_LINUX  0x7ffffffff000ul
#define TOP_INSIDE 0x7e0000000000ul
#define FIXED      (MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED)
#define ANYWHERE   (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW         (PROT_READ | PROT_WRITE)

static const unsigned long odd[] = { 0x7ffffffff000,     0x7fffffffffff,     0x800000000000,
				     0xfff8000000000000, 0xffff800000000000, 0xffffffff80000000,
				     0xfffffffffffff000 };

/* What a raw call gives: its errno, or 0. */
static int result(long number, long a, long b, long c, long d, long e)
{
	errno = 0;
	return syscall(number, a, b, c, d, e, 0) == -1 ? errno : 0;
}

#define SAY(what, ...) say("%s: %d\n", what, result(__VA_ARGS__))

static uint8_t *top_page(void)
{
	const uintptr_t tops[] = { TOP_LINUX, TOP_INSIDE };

	for (size_t i = 0; i < 2; i++)
		for (uintptr_t at = tops[i]; at >= tops[i] - 4 * PAGE; at -= PAGE)
			if (mmap((void *)at, PAGE, RW, FIXED | MAP_FIXED_NOREPLACE, -1, 0) ==
			    (void *)at)
				return (uint8_t *)at;
	FAIL("no page at the top");
}

static void at_the_top(void)
{
	uint8_t *top = top_page(), *end = top + PAGE, *below;
	int ends[2];

	OK(pipe(ends));
	memset(top, 'x', PAGE);
	SAY("map past the end", SYS_mmap, (long)top, 2 * PAGE, RW, FIXED, -1);
	SAY("map behind the end", SYS_mmap, (long)end, PAGE, RW, FIXED, -1);
	SAY("grow in place", SYS_mremap, (long)top, PAGE, 2 * PAGE, 0, 0);
	SAY("protect past the end", SYS_mprotect, (long)top, 2 * PAGE, RW, 0, 0);
	SAY("madvise past the end", SYS_madvise, (long)top, 2 * PAGE, MADV_NORMAL, 0, 0);
	SAY("unmap behind the end", SYS_munmap, (long)end, 0x1000000000000, 0, 0, 0);
	CHECK_EQ(write(ends[1], end - 4, 4), 4);
	FAILS(write(ends[1], end, 4), EFAULT);
	CHECK_EQ(read(ends[0], end - 4, 4), 4);
	CHECK_EQ(write(ends[1], "abcdefgh", 8), 8);
	FAILS(syscall(SYS_stat, "/", end - 8), EFAULT);
	/* Moved to the top by mremap, and away from it. */
	below = map_pages(1, RW);
	*below = 'b';
	CHECK(mremap(below, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, top) == top);
	CHECK_EQ(*top, 'b');
	SAY("move behind the end", SYS_mremap, (long)top, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
	    (long)end);
	below = mremap(top, PAGE, 2 * PAGE, MREMAP_MAYMOVE);
	CHECK(below != MAP_FAILED && *below == 'b');
	CHECK_EQ(result(SYS_munmap, (long)top, PAGE, 0, 0, 0), 0);
}

static void odd_addresses(void)
{
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		long a = (long)odd[i];
		void *p;

		say("%#lx: map %d unmap %d protect %d advise %d move %d move to %d msync %d mlock %d mincore %d\n",
		    a, result(SYS_mmap, a, PAGE, RW, FIXED, -1),
		    result(SYS_munmap, a, PAGE, 0, 0, 0),
		    result(SYS_mprotect, a, PAGE, PROT_READ, 0, 0),
		    result(SYS_madvise, a, PAGE, MADV_DONTNEED, 0, 0),
		    result(SYS_mremap, a, PAGE, PAGE, MREMAP_MAYMOVE, 0),
		    result(SYS_mremap, (long)map_pages(1, RW), PAGE, PAGE,
			   MREMAP_MAYMOVE | MREMAP_FIXED, a),
		    result(SYS_msync, a, PAGE, MS_SYNC, 0, 0), result(SYS_mlock, a, PAGE, 0, 0, 0),
		    result(SYS_mincore, a, PAGE, (long)&p, 0, 0));
		/* As a hint it does not matter. */
		p = mmap((void *)a, PAGE, RW, ANYWHERE, -1, 0);
		CHECK(p != MAP_FAILED && (unsigned long)p < 0x7ffffffff000);
		OK(munmap(p, PAGE));
	}
}

/* Too long for any address range: EINVAL from newer Linux, ENOMEM from older. */
static int remap_longer(long p, long n)
{
	int r = result(SYS_mremap, p, PAGE, n, MREMAP_MAYMOVE, 0);

	return r == EINVAL && n ? ENOMEM : r;
}

static void lengths(void)
{
	static const unsigned long odd_lengths[] = {
		0,           1ul << 46, 1ul << 47, 1ul << 63, 0xffff800000000000, ~0ul - PAGE + 1,
		~0ul - PAGE, ~0ul
	};
	long p = (long)map_pages(8, RW);

	OK(munmap((void *)(p + 4 * (long)PAGE),
		  4 * PAGE)); /* nothing behind it, whatever the layout */
	for (size_t i = 0; i < sizeof(odd_lengths) / sizeof(odd_lengths[0]); i++) {
		long n = (long)odd_lengths[i];

		if (n != 1l << 46) /* as much as is free may be mapped */
			say("%#lx: map %d fixed %d\n", n,
			    result(SYS_mmap, 0, n, PROT_NONE, ANYWHERE, -1),
			    result(SYS_mmap, p, n, PROT_NONE, FIXED, -1));
		say("%#lx: protect %d advise %d remap %d remap old %d msync %d mlock %d mincore %d\n",
		    n, result(SYS_mprotect, p, n, RW, 0, 0),
		    result(SYS_madvise, p, n, MADV_NORMAL, 0, 0), remap_longer(p, n),
		    result(SYS_mremap, p, n, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
			   p + 2 * (long)PAGE),
		    result(SYS_msync, p, n, MS_ASYNC, 0, 0), result(SYS_mlock, p, n, 0, 0, 0),
		    result(SYS_mincore, p, n, 8, 0, 0));
		say("%#lx: unmap %d\n", n, n == 1l << 46 ? 0 : result(SYS_munmap, p, n, 0, 0, 0));
	}
}

static void remaps(void)
{
	long p = (long)map_pages(8, RW), hole;

	hole = p + 6 * (long)PAGE;
	OK(munmap((void *)hole, PAGE));
	SAY("unaligned", SYS_mremap, p + 1, PAGE, PAGE, MREMAP_MAYMOVE, 0);
	SAY("to unaligned", SYS_mremap, p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p + 1);
	SAY("fixed alone", SYS_mremap, p, PAGE, PAGE, MREMAP_FIXED, hole);
	SAY("unknown flag", SYS_mremap, p, PAGE, PAGE, 8, 0);
	SAY("overlap", SYS_mremap, p, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
	    p + (long)PAGE);
	SAY("over a hole", SYS_mremap, p, 8 * PAGE, 9 * PAGE, MREMAP_MAYMOVE, 0);
	SAY("a hole", SYS_mremap, hole, PAGE, PAGE, MREMAP_MAYMOVE, 0);
	SAY("shrink to nothing", SYS_mremap, p, PAGE, 0, MREMAP_MAYMOVE, 0);
	SAY("of nothing, private", SYS_mremap, p, 0, PAGE, MREMAP_MAYMOVE, 0);
	SAY("of nothing, shared", SYS_mremap, (long)map_shared(1), 0, PAGE, MREMAP_MAYMOVE, 0);
	SAY("grow into a neighbour", SYS_mremap, p, PAGE, 3 * PAGE, 0, 0);
	SAY("dontunmap", SYS_mremap, p, PAGE, PAGE, MREMAP_MAYMOVE | 4, 0);
	SAY("dontunmap, other length", SYS_mremap, p, PAGE, 2 * PAGE, MREMAP_MAYMOVE | 4, 0);
}

/* At and near 0: who may map there differs (CAP_SYS_RAWIO), that it is then memory does not. */
static void bottom(void)
{
	volatile char *p = mmap(NULL, PAGE, RW, FIXED, -1, 0);

	CHECK(p == MAP_FAILED ? errno == EPERM : p == NULL);
	if (p == NULL) {
		/* A buffer at 0 is a buffer like others. */
		CHECK_EQ(syscall(SYS_uname, 0), 0);
		OK(munmap(NULL, PAGE));
	}
	CHECK_EQ(syscall(SYS_uname, 0) == -1 ? errno : 0, EFAULT);
	say("unmap at 0: %d\n", result(SYS_munmap, 0, PAGE, 0, 0, 0));
	say("protect at 0: %d\n", result(SYS_mprotect, 0, PAGE, PROT_READ, 0, 0));
	/* A low hint is moved up to what is allowed. */
	p = mmap((void *)1, PAGE, RW, ANYWHERE, -1, 0);
	CHECK(p != MAP_FAILED && p != NULL);
}

static void flags(void)
{
	long p = (long)map_pages(1, RW);

	SAY("no kind", SYS_mmap, 0, PAGE, RW, MAP_ANONYMOUS, -1);
	SAY("both kinds", SYS_mmap, 0, PAGE, RW, MAP_ANONYMOUS | MAP_SHARED_VALIDATE, -1);
	SAY("fixed unaligned", SYS_mmap, p + 1, PAGE, RW, FIXED, -1);
	SAY("noreplace", SYS_mmap, p, PAGE, RW, ANYWHERE | MAP_FIXED_NOREPLACE, -1);
	SAY("no descriptor", SYS_mmap, 0, PAGE, RW, MAP_PRIVATE, -1);
	SAY("unmap unaligned", SYS_munmap, p + 1, PAGE, 0, 0, 0);
	SAY("protect unaligned", SYS_mprotect, p + 1, PAGE, RW, 0, 0);
	SAY("protect odd", SYS_mprotect, p, PAGE, 0x100, 0, 0);
	SAY("protect both ways", SYS_mprotect, p, PAGE, PROT_READ | PROT_GROWSUP | PROT_GROWSDOWN,
	    0, 0);
	SAY("advise odd", SYS_madvise, p, PAGE, 999, 0, 0);
}

int main(void)
{
	at_the_top();
	odd_addresses();
	lengths();
	remaps();
	bottom();
	flags();
	return 0;
}
