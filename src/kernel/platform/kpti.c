/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/platform/kpti.h"

#include "pagetable/pte_x86_64.h"

bool guest_kpti;

static u64 arena_gpa(u64 va)
{
	return va - RF_ARENA_BASE + RF_ARENA_GPA;
}

static u32 range_prot(const struct entry_range *r)
{
	return (r->prot & (RF_READ | RF_WRITE | RF_EXEC)) | PT_ACCESSED |
	       (r->prot & RF_WRITE ? PT_DIRTY : 0);
}

int kpti_build(struct pagetable *pt, const struct pt_alloc_ops *ops, void *ctx,
	       const struct entry_range *ranges, unsigned count)
{
	struct pt_change change;
	int r = pt_init(pt, ops, ctx);

	pt_change_init(&change);
	for (unsigned i = 0; r == 0 && i < count; i++)
		r = pt_map(pt, ranges[i].start, arena_gpa(ranges[i].start),
			   ranges[i].end - ranges[i].start, range_prot(&ranges[i]), PT_SIZE_4K,
			   NULL, &change);
	return r;
}

static const struct entry_range *range_of(const struct entry_range *ranges, unsigned count, u64 va)
{
	for (unsigned i = 0; i < count; i++)
		if (va >= ranges[i].start && va < ranges[i].end)
			return &ranges[i];
	return NULL;
}

bool kpti_verify(const struct pagetable *pt, const struct entry_range *ranges, unsigned count)
{
	u64 end = RF_ARENA_BASE + RF_ARENA_MAX, pages = 0, wanted = 0;
	struct pt_mapping m;

	for (unsigned i = 0; i < count; i++)
		wanted += (ranges[i].end - ranges[i].start) / PAGE_SIZE;
	for (u64 va = RF_ARENA_BASE; va < end && pt_next(pt, va, end, &m); va = m.va + m.size) {
		const struct entry_range *r = range_of(ranges, count, m.va);

		if (!r || m.size != PAGE_SIZE || m.gpa != arena_gpa(m.va) ||
		    m.prot != range_prot(r))
			return false;
		pages++;
	}
	return pages == wanted;
}

void kpti_sync(const struct pagetable *pt, uptr_t va, u64 len)
{
	u64 *user = pt->root + PTE_ENTRIES;
	unsigned last = pte_index(RF_MAX_USER_ADDRESS - 1, PTE_LEVELS);

	if (!len || va >= RF_MAX_USER_ADDRESS)
		return;
	if (len <= RF_MAX_USER_ADDRESS - va)
		last = pte_index(va + len - 1, PTE_LEVELS);
	for (unsigned slot = pte_index(va, PTE_LEVELS); slot <= last; slot++)
		WRITE_ONCE(user[slot], READ_ONCE(pt->root[slot]));
}
