/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/pcache.h"

#include "kernel/fs/internal.h"

static LIST_HEAD(clean_lru); /* oldest last */
static u64 nr_cached, nr_dirty;

/* One hostcall fills many pages; frames are single, so it goes through here. Not used across a point that sleeps. */
static u8 fill_buffer[READAHEAD_PAGES_MAX * PAGE_SIZE] __aligned(4096);
static bool fill_busy;

void pcache_init(struct inode *i, struct pcache *pc,
		 int (*fill)(struct inode *, u64, unsigned, void *))
{
	pc->fill = fill;
	i->pcache = pc;
}

void pcache_stats(u64 *ret_pages, u64 *ret_dirty)
{
	*ret_pages = nr_cached;
	*ret_dirty = nr_dirty;
}

struct page *pcache_find(struct inode *i, u64 index)
{
	return radix_get(&i->pcache->tree, index);
}

/* Enters p (its reference becomes the cache's) as a clean page. */
static int pcache_enter(struct inode *i, u64 index, struct page *p)
{
	int r = radix_set(&i->pcache->tree, index, p);

	if (r < 0)
		return r;
	p->flags |= PAGE_F_CACHE;
	p->owner = i;
	p->index = index;
	list_init(&p->lru);
	list_add(&p->lru, &clean_lru);
	nr_cached++;
	return 0;
}

static void pcache_remove(struct inode *i, struct page *p)
{
	if (p->flags & PAGE_F_DIRTY)
		pcache_set_clean(i, p);
	radix_clear(&i->pcache->tree, p->index);
	list_del(&p->lru);
	p->flags &= (u16) ~(PAGE_F_CACHE | PAGE_F_REFERENCED);
	p->owner = NULL;
	nr_cached--;
	page_unref(p);
}

int pcache_add_zero(struct inode *i, u64 index, struct page **ret)
{
	struct page *p = page_alloc(0, ALLOC_ZERO);
	int r;

	if (!p)
		return -ENOMEM;
	r = pcache_enter(i, index, p);
	if (r < 0)
		page_unref(p);
	else
		*ret = p;
	return r;
}

static int pcache_enter_copy(struct inode *i, u64 index, const void *data)
{
	struct page *p = page_alloc(0, 0);
	int r;

	if (!p)
		return -ENOMEM;
	memcpy(page_address(p), data, PAGE_SIZE);
	r = pcache_enter(i, index, p);
	if (r < 0)
		page_unref(p);
	return r;
}

/* Pages from index on that are missing, at most n. */
static unsigned pcache_gap(struct inode *i, u64 index, unsigned n)
{
	unsigned got = 0;

	while (got < n && !pcache_find(i, index + got))
		got++;
	return got;
}

static int pcache_fill_one(struct inode *i, u64 index)
{
	struct page *p = page_alloc(0, 0);
	int r;

	if (!p)
		return -ENOMEM;
	r = i->pcache->fill(i, index, 1, page_address(p));
	if (r == 0 && !pcache_find(i, index))
		r = pcache_enter(i, index, p);
	else if (r == 0)
		r = -EAGAIN; /* somebody else was faster: look again */
	if (r < 0)
		page_unref(p);
	return r == -EAGAIN ? 0 : r;
}

static int pcache_fill_many(struct inode *i, u64 index, unsigned n)
{
	int r;

	fill_busy = true;
	r = i->pcache->fill(i, index, n, fill_buffer);
	for (unsigned k = 0; r == 0 && k < n; k++) {
		if (pcache_find(i, index + k))
			continue;
		r = pcache_enter_copy(i, index + k, fill_buffer + k * PAGE_SIZE);
		if (r < 0 && k > 0)
			r = 0, n = k; /* the page asked for is there: read-ahead is a favour */
	}
	fill_busy = false;
	return r;
}

int pcache_get(struct inode *i, u64 index, unsigned ahead, u64 limit, struct page **ret)
{
	struct page *p = pcache_find(i, index);

	while (!p) {
		unsigned n = MIN(MAX(ahead, 1u), READAHEAD_PAGES_MAX);
		int r;

		if (index < limit && n > limit - index)
			n = (unsigned)(limit - index);
		n = index < limit ? pcache_gap(i, index, n) : 1;
		if (!i->pcache->fill)
			r = pcache_add_zero(i, index, &p);
		else
			r = n > 1 && !fill_busy ? pcache_fill_many(i, index, n)
						: pcache_fill_one(i, index);
		if (r < 0)
			return r;
		p = pcache_find(i, index);
	}
	p->flags |= PAGE_F_REFERENCED;
	page_ref(p);
	*ret = p;
	return 0;
}

void pcache_set_dirty(struct inode *i, struct page *p)
{
	if (p->flags & PAGE_F_DIRTY)
		return;
	p->flags |= PAGE_F_DIRTY;
	list_del(&p->lru);
	i->pcache->nr_dirty++;
	nr_dirty++;
}

void pcache_set_clean(struct inode *i, struct page *p)
{
	if (!(p->flags & PAGE_F_DIRTY))
		return;
	p->flags &= (u16)~PAGE_F_DIRTY;
	list_add(&p->lru, &clean_lru);
	i->pcache->nr_dirty--;
	nr_dirty--;
}

void pcache_drop(struct inode *i, u64 from, u64 to)
{
	struct page *p;

	while ((p = radix_next(&i->pcache->tree, &from)) && from < to)
		pcache_remove(i, p);
}

void pcache_zero_tail(struct inode *i, u64 from)
{
	u64 off = from & PAGE_MASK;
	struct page *p = off ? pcache_find(i, from >> PAGE_SHIFT) : NULL;

	if (p)
		memset((u8 *)page_address(p) + off, 0, PAGE_SIZE - off);
}

void pcache_done(struct inode *i)
{
	if (!i->pcache)
		return;
	pcache_drop(i, 0, ~0ull);
	radix_done(&i->pcache->tree);
	i->pcache = NULL;
}

/* Oldest clean pages nobody else holds; one more round for those used since the last look. */
size_t pcache_reclaim(size_t want)
{
	size_t freed = 0;
	u64 look = nr_cached * 2;

	while (freed < want && look-- && !list_empty(&clean_lru)) {
		struct page *p = list_last_entry(&clean_lru, struct page, lru);

		if (p->refs > 1 || (p->flags & (PAGE_F_REFERENCED | PAGE_F_LOCKED))) {
			p->flags &= (u16)~PAGE_F_REFERENCED;
			list_move(&p->lru, &clean_lru);
			continue;
		}
		pcache_remove(p->owner, p);
		freed++;
	}
	return freed;
}
