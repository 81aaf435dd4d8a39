/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking pages out of an address space. A frame may be reused only when no CPU can reach it through a stale translation, so frames
 * are collected first and freed after the flush.
 */
#include "kernel/mm/internal.h"

bool frame_counted(u64 offset)
{
	return offset >= boot_info()->free_start && offset != page_offset(zero_page);
}

void gather_init(struct gather *g, struct mm *mm)
{
	g->mm = mm;
	g->n = 0;
}

void gather_finish(struct gather *g)
{
	kplat->as_flush(&g->mm->as);
	for (unsigned i = 0; i < g->n; i++)
		page_unref(g->pages[i]);
	g->n = 0;
}

void gather_add(struct gather *g, struct page *p)
{
	if (g->n == GATHER_INLINE)
		gather_finish(g);
	g->pages[g->n++] = p;
}

/* Collects what is mapped from *at on until the batch is full. Returns false at the end of the range. */
static bool collect_batch(struct gather *g, uptr_t *at, uptr_t end)
{
	uptr_t va;
	u64 off;
	u32 prot;

	while (kplat->as_next(&g->mm->as, *at, end, &va, &off, &prot)) {
		if (g->n == GATHER_INLINE)
			return true;
		*at = va + PAGE_SIZE;
		if (!frame_counted(off))
			continue;
		g->mm->rss--;
		g->pages[g->n++] = page_from_offset(off);
	}
	*at = end;
	return false;
}

static void zap_mapped(struct gather *g, uptr_t start, uptr_t end)
{
	uptr_t at = start;
	bool more;

	do {
		uptr_t from = at;

		more = collect_batch(g, &at, end);
		if (at > from)
			kplat->as_unmap(&g->mm->as, from, at - from);
		if (more)
			gather_finish(g);
	} while (more);
}

static void zap_parked(struct mm *mm, uptr_t start, uptr_t end)
{
	u64 index = start >> PAGE_SHIFT, last = end >> PAGE_SHIFT;
	struct page *p;

	if (!mm->parked.count)
		return;
	while ((p = radix_next(&mm->parked, &index)) && index < last) {
		radix_clear(&mm->parked, index);
		mm->rss--;
		page_unref(p); /* parked pages are in no page table */
		index++;
	}
	if (!mm->parked.count)
		radix_done(&mm->parked);
}

void mm_zap(struct gather *g, uptr_t start, uptr_t end)
{
	struct vma *v = mm_find_vma(g->mm, start);

	zap_parked(g->mm, start, end);
	for (; v && v->start < end; v = vma_next(v))
		zap_mapped(g, MAX(start, v->start), MIN(end, v->end));
}

void mm_zap_all(struct mm *mm)
{
	uptr_t at = 0, va;
	u64 off;
	u32 prot;

	zap_parked(mm, 0, RF_MAX_USER_ADDRESS);
	while (kplat->as_next(&mm->as, at, RF_MAX_USER_ADDRESS, &va, &off, &prot)) {
		if (frame_counted(off))
			page_unref(page_from_offset(off));
		at = va + PAGE_SIZE;
	}
	mm->rss = 0;
}

int mm_park(struct mm *mm, uptr_t start, uptr_t end)
{
	uptr_t at = start, va;
	u64 off;
	u32 prot;
	int r = 0;

	while (kplat->as_next(&mm->as, at, end, &va, &off, &prot)) {
		at = va + PAGE_SIZE;
		if (!frame_counted(off))
			continue;
		r = radix_set(&mm->parked, va >> PAGE_SHIFT, page_from_offset(off));
		if (r < 0) {
			at = va;
			break;
		}
	}
	if (r == 0)
		at = end;
	if (at > start)
		kplat->as_unmap(&mm->as, start, at - start);
	kplat->as_flush(&mm->as);
	return r;
}

int mm_unpark(struct vma *v, uptr_t start, uptr_t end)
{
	struct mm *mm = v->mm;
	u64 index = start >> PAGE_SHIFT, last = end >> PAGE_SHIFT;
	struct page *p;

	if (!mm->parked.count)
		return 0;
	while ((p = radix_next(&mm->parked, &index)) && index < last) {
		int r = kplat->as_map(&mm->as, index << PAGE_SHIFT, page_offset(p), PAGE_SIZE,
				      vma_page_prot(v, p));

		if (r < 0)
			return r;
		radix_clear(&mm->parked, index++);
	}
	if (!mm->parked.count)
		radix_done(&mm->parked);
	return 0;
}
