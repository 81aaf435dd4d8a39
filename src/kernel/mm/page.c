/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The buddy allocator. Blocks never used before lie beyond the frontier and enter the free lists piece by piece, so that an idle sandbox
 * touches little of the arena, struct page included. Single frames pass through a LIFO in front of the free lists: the frame freed
 * last is the warmest in caches and surely backed by the host.
 */
#include "kernel/mm/page.h"

#include "base/bug.h"
#include "base/string.h"
#include "kernel/core/cpu.h"
#include "kernel/core/host.h"
#include "kernel/core/internal.h"
#include "kernel/fs/vfs.h"

/* Frames in the LIFO before half of it goes back to the free lists. */
#define HOT_MAX               1024u
/* The frontier moves by small blocks until this many frames are in use, then by the largest. */
#define FRONTIER_SMALL_ORDER  7u
#define FRONTIER_SMALL_FRAMES 8192u

static struct page *pages;       /* of frames [first, end) */
static u64 first, frontier, end; /* frame numbers: arena offset / PAGE_SIZE */
static u64 used, limit;          /* frames */
static struct list free_lists[PAGE_ORDER_MAX + 1];
static struct list hot;
static u32 hot_count;
struct page *zero_page;

static u64 frame_of(const struct page *p)
{
	return first + (u64)(p - pages);
}

void *page_address(const struct page *p)
{
	return (void *)(RF_ARENA_BASE + frame_of(p) * PAGE_SIZE);
}

u64 page_offset(const struct page *p)
{
	return frame_of(p) * PAGE_SIZE;
}

struct page *page_from_offset(u64 arena_offset)
{
	u64 frame = arena_offset / PAGE_SIZE;

	return frame >= first && frame < frontier ? &pages[frame - first] : NULL;
}

struct page *page_of(const void *kernel_address)
{
	return page_from_offset((u64)kernel_address - RF_ARENA_BASE);
}

void page_stats(u64 *ret_total, u64 *ret_free)
{
	*ret_total = limit;
	*ret_free = limit - MIN(used, limit);
}

/* ---- free lists ---- */

static void block_insert(struct page *p, unsigned order)
{
	p->flags = PAGE_F_FREE;
	p->order = (u8)order;
	list_add(&p->lru, &free_lists[order]);
}

static void block_free(struct page *p, unsigned order)
{
	u64 frame = frame_of(p);

	for (; order < PAGE_ORDER_MAX; order++) {
		u64 buddy = frame ^ 1ull << order;
		struct page *b;

		if (buddy < first || buddy + (1ull << order) > frontier)
			break;
		b = &pages[buddy - first];
		if (!(b->flags & PAGE_F_FREE) || b->order != order)
			break;
		list_del(&b->lru);
		b->flags = 0;
		frame &= ~(1ull << order);
	}
	block_insert(&pages[frame - first], order);
}

/* Moves the frontier by one block of at least `order`; false at the end of the arena. */
static bool frontier_advance(unsigned order)
{
	unsigned want = used < FRONTIER_SMALL_FRAMES ? FRONTIER_SMALL_ORDER : PAGE_ORDER_MAX;
	u64 from = frontier, at;

	want = MAX(want, order);
	/* Frames skipped for alignment go to the free lists by themselves. */
	at = ALIGN_UP(from, 1ull << want);
	while (at + (1ull << want) > end && want > order) {
		want--;
		at = ALIGN_UP(from, 1ull << want);
	}
	if (at + (1ull << want) > end)
		return false;
	frontier = at + (1ull << want);
	/* A hint: one call now instead of a fault for each frame. */
	hc(HC_POPULATE, at * PAGE_SIZE, PAGE_SIZE << want);
	for (u64 f = from; f < at;) {
		unsigned o = MIN((unsigned)__builtin_ctzll(f), PAGE_ORDER_MAX);

		while (f + (1ull << o) > at)
			o--;
		block_insert(&pages[f - first], o);
		f += 1ull << o;
	}
	block_insert(&pages[at - first], want);
	return true;
}

static struct page *block_take(unsigned order)
{
	for (unsigned o = order; o <= PAGE_ORDER_MAX; o++) {
		struct page *p = list_first_entry_or_null(&free_lists[o], struct page, lru);

		if (!p)
			continue;
		list_del(&p->lru);
		/* The upper halves go back; the lower, touched before the upper ever was, is split on. */
		while (o > order) {
			o--;
			block_insert(p + (1ull << o), o);
		}
		return p;
	}
	return NULL;
}

static void hot_drain(u32 keep)
{
	while (hot_count > keep) {
		struct page *p = list_last_entry(&hot, struct page, lru);

		list_del(&p->lru);
		hot_count--;
		block_free(p, 0);
	}
}

static struct page *block_alloc(unsigned order)
{
	struct page *p;

	if (order == 0 && hot_count) {
		p = list_first_entry(&hot, struct page, lru);
		list_del(&p->lru);
		hot_count--;
		return p;
	}
	p = block_take(order);
	if (!p && order && hot_count) {
		hot_drain(0);
		p = block_take(order);
	}
	if (!p && frontier_advance(order))
		p = block_take(order);
	return p;
}

/* ---- interface ---- */

static bool make_room(u64 n, unsigned flags)
{
	while (used + n > limit) {
		if ((flags & ALLOC_NORETRY) || !pcache_reclaim(MAX(n, (u64)256)))
			return false;
	}
	return true;
}

__hot struct page *page_alloc(unsigned order, unsigned flags)
{
	u64 n = 1ull << order;
	struct page *p;

	if (order > PAGE_ORDER_MAX || (unlikely(used + n > limit) && !make_room(n, flags)))
		return NULL;
	p = block_alloc(order);
	if (unlikely(!p) && !(flags & ALLOC_NORETRY) && pcache_reclaim(n))
		p = block_alloc(order);
	if (!p)
		return NULL;
	used += n;
	p->refs = 1;
	p->flags = 0;
	p->order = (u8)order;
	p->owner = NULL;
	p->index = 0;
	list_init(&p->lru);
	if (flags & ALLOC_ZERO)
		memset(page_address(p), 0, n * PAGE_SIZE);
	return p;
}

void page_split(struct page *p)
{
	for (u64 i = (1ull << p->order) - 1; i; i--) {
		p[i] = *p;
		p[i].order = 0;
		list_init(&p[i].lru);
	}
	p->order = 0;
}

__hot void page_unref(struct page *p)
{
	BUG_ON(!p->refs || (p->flags & PAGE_F_FREE));
	if (--p->refs)
		return;
	used -= 1ull << p->order;
	p->flags = 0;
	if (p->order) {
		block_free(p, p->order);
		return;
	}
	list_add(&p->lru, &hot);
	if (++hot_count > HOT_MAX)
		hot_drain(HOT_MAX / 2);
}

void page_init(void)
{
	const struct boot_info *b = boot_info();
	u64 start = b->free_start / PAGE_SIZE, frames, array;

	end = b->stacks_start / PAGE_SIZE;
	frames = end - start;
	pages = (struct page *)(RF_ARENA_BASE + b->free_start);
	/* Slightly more entries than needed: the array describes itself, too. */
	array = (frames * sizeof(struct page) + PAGE_SIZE - 1) / PAGE_SIZE;
	BUG_ON(array >= frames);
	first = frontier = start + array;
	limit = MIN(b->memory_limit / PAGE_SIZE, end - first);
	for (unsigned i = 0; i <= PAGE_ORDER_MAX; i++)
		list_init(&free_lists[i]);
	list_init(&hot);
	zero_page = page_alloc(0, ALLOC_ZERO | ALLOC_NORETRY);
	BUG_ON(!zero_page);
}
