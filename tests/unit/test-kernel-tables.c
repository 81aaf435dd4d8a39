/* SPDX-License-Identifier: Apache-2.0 */
/*
 * User page tables of residency guest, hosted: small and 2 MiB pages against a flat array of what should be mapped.
 *
 * Test-Sources: src/kernel/platform/guest_tables.c src/kernel/platform/kpti.c
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "harness/test.h"

#include "abi/linux/errno.h"
#include "kernel/mm/page.h"
#include "kernel/platform/guest.h"

#define ARENA_SIZE (64ul << 20)
#define TABLES     (ARENA_SIZE / PAGE_SIZE)
#define LARGE      6u /* 2 MiB pieces under test, from BASE */
#define PAGES      (LARGE * 512u)
#define BASE       0x7fe00000ull /* crosses a border of the tables above, too */
#define VA(page)   (BASE + (uptr_t)(page)*PAGE_SIZE)
/* Frames are only numbers here: beyond what holds the tables. */
#define FRAME(n)   (ARENA_SIZE + (u64)(n)*PAGE_SIZE)

/* ---- page frames, of which only tables are taken ---- */

static struct page frames[TABLES];
static unsigned frames_next, frames_used, allocations_left;
static struct page *frames_free[TABLES];
static unsigned nr_free;

static void arena_up(void)
{
	static bool once;

	if (!once)
		ASSERT_PTR_EQ(mmap((void *)RF_ARENA_BASE, ARENA_SIZE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE |
					   MAP_NORESERVE,
				   -1, 0),
			      (void *)RF_ARENA_BASE);
	once = true;
	allocations_left = ~0u;
}

struct page *page_alloc(unsigned order, unsigned flags)
{
	struct page *p;

	ASSERT_EQ(order, 0);
	if (!allocations_left || (!nr_free && frames_next == TABLES))
		return NULL;
	allocations_left--;
	p = nr_free ? frames_free[--nr_free] : &frames[frames_next++];
	frames_used++;
	p->refs = 1;
	memset(page_address(p), flags & ALLOC_ZERO ? 0 : 0xaa, PAGE_SIZE);
	return p;
}

void page_unref(struct page *p)
{
	ASSERT_EQ(p->refs, 1);
	p->refs = 0;
	frames_used--;
	frames_free[nr_free++] = p;
}

void *page_address(const struct page *p)
{
	return (void *)(RF_ARENA_BASE + (u64)(p - frames) * PAGE_SIZE);
}

struct page *page_of(const void *kernel_address)
{
	return &frames[((u64)kernel_address - RF_ARENA_BASE) / PAGE_SIZE];
}

/* ---- the model ---- */

struct model {
	u64 offset[PAGES]; /* ~0: nothing */
	u32 prot[PAGES];
};

static struct model model;
static struct kas as;

static void up(void)
{
	arena_up();
	as = (struct kas){ .stale_lo = ~0ull };
	ASSERT_OK(pt_init(&as.pt, &guest_table_ops, NULL));
	memset(model.offset, 0xff, sizeof(model.offset));
}

/* What guest_as_flush() and guest_as_free() do, without CPUs. */
static void flush(void)
{
	pt_freelist_release(&as.deferred, &guest_table_ops, NULL);
	as.stale = false;
}

static void down(void)
{
	flush();
	kplat_large_pages -= as.spare.count;
	pt_freelist_release(&as.spare, &guest_table_ops, NULL);
	pt_done(&as.pt);
	EXPECT_EQ(frames_used, 0);
	EXPECT_EQ(kplat_large_pages, 0);
}

static unsigned large_pages(void)
{
	struct pt_mapping m;
	unsigned n = 0;

	for (uptr_t at = BASE; at < VA(PAGES) && pt_next(&as.pt, at, VA(PAGES), &m);
	     at = m.va + m.size)
		n += m.size == PT_SIZE_2M;
	return n;
}

/* The tables say what the model says, and a table is put aside for each large page. */
static void compare(void)
{
	uptr_t va = 0, at = BASE;
	u64 offset = 0;
	u32 prot = 0;

	for (unsigned i = 0; i < PAGES; i++) {
		bool found = guest_as_next(&as, VA(i), VA(i + 1), &va, &offset, &prot);

		if (found != (model.offset[i] != ~0ull) ||
		    (found && (va != VA(i) || offset != model.offset[i] || prot != model.prot[i])))
			test_fatal("page %u: found %d offset 0x%lx prot %u, not 0x%lx %u", i, found,
				   (unsigned long)offset, prot, (unsigned long)model.offset[i],
				   model.prot[i]);
	}
	/* And in one go over all of it. */
	for (unsigned i = 0; i < PAGES; i++) {
		if (model.offset[i] == ~0ull)
			continue;
		ASSERT_TRUE(guest_as_next(&as, at, VA(PAGES), &va, &offset, &prot));
		ASSERT_EQ(va, VA(i));
		at = va + PAGE_SIZE;
	}
	EXPECT_EQ(as.spare.count, large_pages());
	EXPECT_EQ(kplat_large_pages, as.spare.count);
}

static u32 random_prot(void)
{
	static const u32 prots[] = { RF_READ, RF_READ | RF_WRITE, RF_READ | RF_EXEC };

	return prots[rand() % 3];
}

static void model_set(unsigned from, unsigned count, u64 offset, u32 prot)
{
	for (unsigned i = from; i < from + count; i++) {
		model.offset[i] = offset == ~0ull ? ~0ull : offset + (u64)(i - from) * PAGE_SIZE;
		model.prot[i] = prot;
	}
}

static void map_2m(unsigned piece, unsigned frame, u32 prot)
{
	bool empty = true;
	int r;

	for (unsigned i = piece * 512; i < (piece + 1) * 512; i++)
		empty &= model.offset[i] == ~0ull;
	r = guest_as_map_2m(&as, VA(piece * 512), FRAME(frame * 512), prot);
	if (r == -ENOMEM && !allocations_left)
		return;
	EXPECT_EQ(r, empty ? 0 : -EEXIST);
	if (!r)
		model_set(piece * 512, 512, FRAME(frame * 512), prot);
}

static void random_operation(void)
{
	unsigned from = (unsigned)rand() % PAGES, count = 1 + (unsigned)rand() % 40, piece;
	u32 prot = random_prot(), mask;

	if (rand() % 4 == 0) { /* whole large pages, aligned */
		from = from / 512 * 512;
		count = 512 * (1 + (unsigned)rand() % 2);
	}
	count = MIN(count, PAGES - from);
	piece = from / 512;
	switch (rand() % 6) {
	case 0:
	case 1:
		map_2m(piece, (unsigned)rand() % 100, prot);
		break;
	case 2:
		if (!guest_as_map(&as, VA(from), FRAME(from), PAGE_SIZE, prot))
			model_set(from, 1, FRAME(from), prot);
		break;
	case 3:
		guest_as_unmap(&as, VA(from), (u64)count * PAGE_SIZE);
		model_set(from, count, ~0ull, 0);
		break;
	case 4:
		mask = rand() % 2 ? RF_READ : RF_READ | RF_EXEC;
		guest_as_protect(&as, VA(from), (u64)count * PAGE_SIZE, mask);
		for (unsigned i = from; i < from + count; i++)
			model.prot[i] &= mask;
		break;
	default:
		flush();
		break;
	}
}

TEST(random_operations_on_small_and_large_pages)
{
	for (unsigned seed = 1; seed <= 40; seed++) {
		srand(seed);
		up();
		for (unsigned i = 0; i < 150; i++) {
			random_operation();
			if (i % 10 == 0)
				compare();
		}
		compare();
		down();
	}
}

TEST(cutting_a_large_page_needs_no_memory)
{
	up();
	map_2m(0, 1, RF_READ | RF_WRITE);
	map_2m(1, 2, RF_READ | RF_WRITE);
	map_2m(2, 3, RF_READ | RF_WRITE);
	allocations_left = 0;
	guest_as_unmap(&as, VA(511), 2 * PAGE_SIZE);
	model_set(511, 2, ~0ull, 0);
	guest_as_protect(&as, VA(1024 + 7), PAGE_SIZE, RF_READ);
	model.prot[1024 + 7] = RF_READ;
	compare();
	map_2m(4, 1, RF_READ); /* has none: refused */
	compare();
	EXPECT_EQ(large_pages(), 0);
	down();
}

TEST(protecting_or_unmapping_all_of_a_large_page_keeps_it_whole)
{
	up();
	map_2m(0, 1, RF_READ | RF_WRITE);
	map_2m(1, 2, RF_READ | RF_WRITE);
	flush();
	guest_as_protect(&as, VA(0), PT_SIZE_2M, RF_READ);
	for (unsigned i = 0; i < 512; i++)
		model.prot[i] = RF_READ;
	EXPECT_TRUE(as.stale);
	EXPECT_EQ(large_pages(), 2);
	guest_as_unmap(&as, VA(512), PT_SIZE_2M);
	model_set(512, 512, ~0ull, 0);
	EXPECT_EQ(large_pages(), 1);
	compare();
	down();
}
