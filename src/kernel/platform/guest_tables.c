/* SPDX-License-Identifier: Apache-2.0 */
/* User page tables in residency guest: kernel code edits them in place, under the kernel lock. */
#include "abi/linux/errno.h"
#include "base/bug.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/page.h"
#include "kernel/platform/guest.h"
#include "kernel/platform/kpti.h"
#include "pagetable/pte_x86_64.h"

/* @ctx: of an address space, its struct pagetable; its first table is the root: with KPTI a pair. */
static void *table_alloc(void *ctx)
{
	const struct pagetable *pt = ctx;
	struct page *p = page_alloc(guest_kpti && pt && !pt->root, ALLOC_ZERO);

	return p ? page_address(p) : NULL;
}

static void table_free(void *ctx, void *table)
{
	page_unref(page_of(table));
}

static u64 table_gpa(void *ctx, const void *table)
{
	return (u64)table - RF_ARENA_BASE + RF_ARENA_GPA;
}

static void *table_virt(void *ctx, u64 gpa)
{
	return (void *)(gpa - RF_ARENA_GPA + RF_ARENA_BASE);
}

const struct pt_alloc_ops guest_table_ops = {
	.alloc_table = table_alloc,
	.free_table = table_free,
	.virt_to_gpa = table_gpa,
	.gpa_to_virt = table_virt,
};

static void as_note_change(struct kas *as, const struct pt_change *change)
{
	if (!change->present_changed)
		return;
	as->stale = true;
	as->stale_lo = MIN(as->stale_lo, change->lo);
	as->stale_hi = MAX(as->stale_hi, change->hi);
}

static u32 table_prot(u32 prot)
{
	/* The accessed and dirty bits are nobody's business here, and set ones spare the CPU a locked write each. */
	return prot | PT_USER | PT_ACCESSED | (prot & RF_WRITE ? PT_DIRTY : 0);
}

/*
 * ---- 2 MiB pages ----
 * as->spare holds a table for each of them, so that splitting one never fails; who takes one away whole takes a spare table, too.
 */

u64 kplat_large_pages;

static void *spare_take(struct kas *as)
{
	u64 *table = as->spare.first;

	BUG_ON(!table);
	as->spare.first = (void *)table[0];
	as->spare.count--;
	kplat_large_pages--;
	return table;
}

static void spare_put(struct kas *as, u64 *table)
{
	table[0] = (u64)as->spare.first;
	as->spare.first = table;
	as->spare.count++;
	kplat_large_pages++;
}

int guest_as_map_2m(struct kas *as, uptr_t va, u64 offset, u32 prot)
{
	struct pt_change change;
	struct pt_mapping m;
	u64 *spare;
	int r;

	BUG_ON(!IS_ALIGNED(va | offset, PT_SIZE_2M) || va >= RF_MAX_USER_ADDRESS);
	if (pt_next(&as->pt, va, va + PT_SIZE_2M, &m))
		return -EEXIST;
	spare = table_alloc(NULL);
	if (!spare)
		return -ENOMEM;
	pt_change_init(&change);
	r = pt_map(&as->pt, va, RF_ARENA_GPA + offset, PT_SIZE_2M, table_prot(prot), PT_SIZE_2M,
		   &as->deferred, &change);
	as_note_change(as, &change);
	if (guest_kpti)
		kpti_sync(&as->pt, va, PT_SIZE_2M);
	if (r < 0) {
		table_free(NULL, spare);
		return r;
	}
	spare_put(as, spare);
	return 0;
}

/* After this a change may begin or end at va. */
static void split_at(struct kas *as, uptr_t va)
{
	u64 *table;

	if (likely(!as->spare.count) || IS_ALIGNED(va, PT_SIZE_2M))
		return;
	table = spare_take(as);
	if (!pt_split_2m(&as->pt, va, table))
		spare_put(as, table);
}

/* The tables put aside for the 2 MiB pages of [va, end), which are about to go whole. */
static void spares_drop(struct kas *as, uptr_t va, uptr_t end)
{
	struct pt_mapping m;

	for (; as->spare.count && va < end && pt_next(&as->pt, va, end, &m); va = m.va + m.size)
		if (m.size == PT_SIZE_2M)
			table_free(NULL, spare_take(as));
}

/*
 * ---- single pages ----
 * Faults, fork and exit handle pages one by one, neighbours mostly. They find the lowest table of the 2 MiB they are in through
 * as->leaf instead of from the root. Only as_unmap() takes tables away here, and it forgets as->leaf.
 */

static __attribute__((noinline)) u64 *leaf_walk(struct kas *as, uptr_t va)
{
	u64 *table = as->pt.root;

	for (unsigned level = PTE_LEVELS; level > 1; level--) {
		u64 entry = READ_ONCE(table[pte_index(va, level)]);

		if (!pte_is_present(entry) || pte_is_leaf(entry, level))
			return NULL;
		table = table_virt(NULL, pte_addr(entry));
	}
	as->leaf_va = ALIGN_DOWN(va, pte_span(2));
	return as->leaf = table;
}

/* The lowest table for va, a user address; NULL: there is none. */
static u64 *leaf_table(struct kas *as, uptr_t va)
{
	if (likely(as->leaf && va - as->leaf_va < pte_span(2)))
		return as->leaf;
	return va < RF_MAX_USER_ADDRESS ? leaf_walk(as, va) : NULL;
}

/* The part of [va, end) that leaf_table(as, va) describes. */
static uptr_t leaf_end(uptr_t va, uptr_t end)
{
	return MIN(end, ALIGN_DOWN(va, pte_span(2)) + pte_span(2));
}

/* Tables above grant everything, so the lowest entry alone decides. */
static u32 leaf_prot(u64 entry)
{
	return RF_READ | (entry & PTE_RW ? RF_WRITE : 0) | (entry & PTE_XD ? 0 : RF_EXEC);
}

static bool map_single(struct kas *as, uptr_t va, u64 offset, u32 prot)
{
	u64 *table, *entry;

	if (!IS_ALIGNED(va | offset, PAGE_SIZE) || !(prot & (RF_READ | RF_WRITE | RF_EXEC)))
		return false;
	table = leaf_table(as, va);
	if (!table)
		return false;
	entry = &table[pte_index(va, 1)];
	if (pte_is_present(READ_ONCE(*entry)))
		return false;
	/* As table_prot() says: accessed, and dirty if writable. */
	WRITE_ONCE(*entry, (offset + RF_ARENA_GPA) | PTE_P | PTE_US | PTE_A |
				   (prot & RF_WRITE ? PTE_RW | PTE_D : 0) |
				   (prot & RF_EXEC ? 0 : PTE_XD));
	return true;
}

__hot int guest_as_map(struct kas *as, uptr_t va, u64 offset, u64 len, u32 prot)
{
	struct pt_change change;
	int r;

	if (len == PAGE_SIZE && map_single(as, va, offset, prot))
		return 0;
	split_at(as, va);
	split_at(as, va + len);
	spares_drop(as, va, va + len);
	/* Only 4 KiB pages: for larger ones there is guest_as_map_2m(). */
	pt_change_init(&change);
	r = pt_map(&as->pt, va, RF_ARENA_GPA + offset, len, table_prot(prot), PT_SIZE_4K,
		   &as->deferred, &change);
	as_note_change(as, &change);
	if (guest_kpti)
		kpti_sync(&as->pt, va, len);
	return r;
}

void guest_as_unmap(struct kas *as, uptr_t va, u64 len)
{
	struct pt_change change;

	split_at(as, va);
	split_at(as, va + len);
	spares_drop(as, va, va + len);
	pt_change_init(&change);
	as->leaf = NULL;
	BUG_ON(len && pt_unmap(&as->pt, va, len, &as->deferred, &change) < 0);
	if (guest_kpti)
		kpti_sync(&as->pt, va, len);
	as_note_change(as, &change);
}

/*
 * Takes permissions, not all, from the entry for [va, va + span). Entries are accessed, and dirty if writable, from the start
 * (table_prot()), so no CPU writes them and a plain store loses nothing.
 */
static void entry_restrict(struct kas *as, u64 *entry, uptr_t va, u64 span, u32 mask)
{
	u64 lost = (mask & RF_WRITE ? 0 : PTE_RW), gained = (mask & RF_EXEC ? 0 : PTE_XD);
	u64 old = READ_ONCE(*entry), new = (old & ~lost) | gained;

	if (!pte_is_present(old) || new == old)
		return;
	BUG_ON(!(old & PTE_A) || ((old & PTE_RW) && !(old & PTE_D)));
	WRITE_ONCE(*entry, new);
	as->stale = true;
	as->stale_lo = MIN(as->stale_lo, va);
	as->stale_hi = MAX(as->stale_hi, va + span);
}

/* The entry of the 2 MiB page at va, which is there. */
static u64 *entry_2m(struct kas *as, uptr_t va)
{
	u64 *table = as->pt.root;

	for (unsigned level = PTE_LEVELS; level > 2; level--)
		table = table_virt(NULL, pte_addr(READ_ONCE(table[pte_index(va, level)])));
	return &table[pte_index(va, 2)];
}

void guest_as_protect(struct kas *as, uptr_t va, u64 len, u32 mask)
{
	uptr_t at = va, end = va + len, stop;
	struct pt_mapping m;
	u64 *table;

	/* x86 has no entry that can't be read. */
	BUG_ON(!(mask & RF_READ));
	split_at(as, va);
	split_at(as, end);
	for (; at < end && pt_next(&as->pt, at, end, &m); at = stop) {
		if (m.size == PT_SIZE_2M) {
			stop = m.va + m.size;
			entry_restrict(as, entry_2m(as, m.va), m.va, m.size, mask);
			continue;
		}
		table = leaf_table(as, m.va);
		BUG_ON(!table);
		stop = leaf_end(m.va, end);
		for (uptr_t p = m.va; p < stop; p += PAGE_SIZE)
			entry_restrict(as, &table[pte_index(p, 1)], p, PAGE_SIZE, mask);
	}
}

__hot bool guest_as_next(struct kas *as, uptr_t va, uptr_t end, uptr_t *ret_va, u64 *ret_offset,
			 u32 *ret_prot)
{
	struct pt_mapping m;
	u64 *table;

	for (va = ALIGN_DOWN(va, PAGE_SIZE); va < end && (table = leaf_table(as, va));) {
		for (uptr_t stop = leaf_end(va, end); va < stop; va += PAGE_SIZE) {
			u64 entry = READ_ONCE(table[pte_index(va, 1)]);

			if (!pte_is_present(entry))
				continue;
			*ret_va = va;
			*ret_offset = pte_addr(entry) - RF_ARENA_GPA;
			*ret_prot = leaf_prot(entry);
			return true;
		}
	}
	if (va >= end || !pt_next(&as->pt, va, end, &m))
		return false;
	/* Part of a 2 MiB page is a page like others to the caller. */
	*ret_va = MAX(va, m.va);
	*ret_offset = pt_mapping_gpa(&m, *ret_va) - RF_ARENA_GPA;
	*ret_prot = m.prot & (RF_READ | RF_WRITE | RF_EXEC);
	return true;
}
