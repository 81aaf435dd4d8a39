/* SPDX-License-Identifier: Apache-2.0 */
/*
 * x86-64 4-level page tables, as a pure library over a root and an allocator. It knows nothing of
 * KVM, CPUs or TLBs: mutating calls report what changed, and the caller invalidates.
 *
 * Locking: one mutating call at a time per table (the caller's lock); any number of hardware
 * walkers meanwhile. Every entry is stored whole, so a walker sees the old or the new mapping,
 * never a third.
 *
 * The calls return 0, −EINVAL (nothing done) or −ENOMEM. An address range is refused with −EINVAL
 * when it is empty, unaligned (4 KiB), overflows, leaves the canonical half it starts in, or
 * touches a shared slot. The last page of the address space cannot be mapped (its end is 2^64).
 */
#pragma once

#include "base/bitmap.h"
#include "base/types.h"

/* Permissions; the first three have the values of PROT_READ, PROT_WRITE and PROT_EXEC. */
#define PT_READ     (1u << 0)
#define PT_WRITE    (1u << 1)
#define PT_EXEC     (1u << 2)
#define PT_USER     (1u << 3)
#define PT_GLOBAL   (1u << 4)
/* Set by the processor; given to pt_map() or pt_protect(), set from the start. */
#define PT_ACCESSED (1u << 5)
#define PT_DIRTY    (1u << 6)

#define PT_SIZE_4K (1ull << 12)
#define PT_SIZE_2M (1ull << 21)
#define PT_SIZE_1G (1ull << 30)

#define PT_SLOTS 512u

struct pt_alloc_ops {
	/* Returns a zeroed, page-aligned page that the caller of pt_init() can address, or NULL. */
	void *(*alloc_table)(void *ctx);
	/* Takes a page from alloc_table(); its contents are arbitrary. */
	void (*free_table)(void *ctx, void *table);
	u64 (*virt_to_gpa)(void *ctx, const void *table);
	void *(*gpa_to_virt)(void *ctx, u64 gpa);
};

struct pagetable {
	u64 *root;
	const struct pt_alloc_ops *ops;
	void *ctx;
	/* Tables reachable from the root and owned by it, the root included. */
	u64 tables;
	/* Slots of another root's tables, and slots whose table must stay for other roots. */
	DECLARE_BITMAP(shared, PT_SLOTS);
	DECLARE_BITMAP(pinned, PT_SLOTS);
};

/*
 * Tables taken out of use that a processor may still walk. They are free to be reused only after
 * the invalidation. Linked through their first entry.
 */
struct pt_freelist {
	void *first;
	u64 count;
};

/* What calls changed since pt_change_init(); calls add up. Counts are of page-mapping entries. */
struct pt_change {
	/* Were present, and were cleared or now mean something else: need invalidation. */
	u64 present_changed;
	/* Were not present and now are: need none. */
	u64 added;
	/*
	 * Were present and only gained permissions: need none, as a stale translation costs one
	 * page fault that finds nothing to do (SDM vol. 3A §4.10.4.3 "Optional Invalidation").
	 */
	u64 relaxed;
	/* Covers everything counted in present_changed, as [lo, hi); lo == hi when that is 0. */
	uptr_t lo;
	uptr_t hi;
};

/* One page-mapping entry. */
struct pt_mapping {
	uptr_t va;
	gpa_t gpa;
	/* PT_SIZE_4K, PT_SIZE_2M or PT_SIZE_1G; va and gpa are multiples of it. */
	u64 size;
	/* Effective over all levels, with PT_ACCESSED and PT_DIRTY of the entry. */
	u32 prot;
};

static inline void pt_change_init(struct pt_change *change)
{
	*change = (struct pt_change){ 0 };
}

static inline void pt_freelist_init(struct pt_freelist *list)
{
	*list = (struct pt_freelist){ 0 };
}

/* Allocates the root. Borrows @ops and @ctx until pt_done(). −ENOMEM. */
int __must_check pt_init(struct pagetable *pt, const struct pt_alloc_ops *ops, void *ctx);

/* Frees all tables but those behind shared slots. No processor may hold the root any more. */
void pt_done(struct pagetable *pt);

/* What CR3 takes. */
gpa_t pt_root_gpa(const struct pagetable *pt);

/*
 * Makes PML4 slot @slot the entry @entry of another root, whose tables then serve both and are
 * never changed or freed through @pt. −EINVAL when the slot is in use by something else, or not an
 * entry.
 */
int __must_check pt_install_shared(struct pagetable *pt, unsigned int slot, u64 entry);

/* The entry of PML4 slot @slot, for pt_install_shared(); 0 when not present. */
u64 pt_slot_entry(const struct pagetable *pt, unsigned int slot);

/*
 * Gives slot @slot a table that stays until pt_done(), even when empty, so that its entry can be
 * shared: mappings made there later, through @pt, appear in every root. −ENOMEM.
 */
int __must_check pt_populate_slot(struct pagetable *pt, unsigned int slot);

/*
 * Maps [@va, @va + @len) to the frames from @gpa with @prot, replacing what is there. Uses pages up
 * to @max_page_size (one of PT_SIZE_*) wherever alignment permits. @prot needs one of PT_READ,
 * PT_WRITE and PT_EXEC, each of which implies PT_READ. A page mapped to the same frame before
 * keeps its accessed and dirty flags; an equal entry is not a change.
 *
 * Tables replaced by a large page go to @freed; with NULL they are freed at once, which is right
 * only for a root no processor has used.
 *
 * −ENOMEM: some first part of the range (of any length, also none) is mapped as asked, the rest
 * is as it was, perhaps with large pages split; @change tells what needs invalidation. Calling
 * again completes it.
 */
int __must_check pt_map(struct pagetable *pt, uptr_t va, gpa_t gpa, u64 len, u32 prot,
			u64 max_page_size, struct pt_freelist *freed, struct pt_change *change);

/*
 * Unmaps the range; what is not mapped is skipped. Tables that become empty go to @freed (NULL as
 * for pt_map()). −ENOMEM, when a large page at an edge can't be split: everything is still mapped.
 */
int __must_check pt_unmap(struct pagetable *pt, uptr_t va, u64 len, struct pt_freelist *freed,
			  struct pt_change *change);

/*
 * Gives what is mapped in the range the permissions @prot (as for pt_map(); for no access at all,
 * unmap). Accessed and dirty flags are kept. −ENOMEM as for pt_unmap().
 */
int __must_check pt_protect(struct pagetable *pt, uptr_t va, u64 len, u32 prot,
			    struct pt_change *change);

/*
 * Clears PT_ACCESSED and/or PT_DIRTY, by @flags, in the entries that lie wholly within the range: a
 * large page that reaches beyond it keeps its flags. Never −ENOMEM.
 */
int __must_check pt_clear_flags(struct pagetable *pt, uptr_t va, u64 len, u32 flags,
				struct pt_change *change);

/*
 * Makes the 2 MiB page that maps @va 512 small ones with the same frames and permissions, in @table, which comes from alloc_table() and
 * is the page table's then: so that a caller that put one aside can't fail to change a part. No invalidation is needed for the split itself.
 * False, and nothing done, when no page of that size is there.
 */
bool pt_split_2m(struct pagetable *pt, uptr_t va, void *table);

/* Finds the entry that maps @va. False when there is none or @va is not canonical. */
bool pt_lookup(const struct pagetable *pt, uptr_t va, struct pt_mapping *ret_mapping);

/* Finds the first entry that maps an address in [@va, @end). It may begin before @va. */
bool pt_next(const struct pagetable *pt, uptr_t va, uptr_t end, struct pt_mapping *ret_mapping);

/* The frame address of @va, which lies in @m. */
static inline gpa_t pt_mapping_gpa(const struct pt_mapping *m, uptr_t va)
{
	return m->gpa + (va - m->va);
}

/* Frees the tables on @list, which is then empty. The invalidation has been done. */
void pt_freelist_release(struct pt_freelist *list, const struct pt_alloc_ops *ops, void *ctx);

/*
 * Describes the walk of @va, level by level, in one line of at most @size - 1 bytes, for fault
 * dumps. Returns the length.
 */
int pt_walk_describe(const struct pagetable *pt, uptr_t va, char *buf, size_t size);
