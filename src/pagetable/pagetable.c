/* SPDX-License-Identifier: Apache-2.0 */
#include "pagetable/pagetable.h"

#include "abi/linux/errno.h"
#include "base/bug.h"
#include "base/checked.h"
#include "pagetable/pte_x86_64.h"

/* What a leaf entry takes from a prot; the rest of it is the frame and PS. */
#define PTE_PROT (PTE_P | PTE_RW | PTE_US | PTE_G | PTE_XD)
#define PTE_AD   (PTE_A | PTE_D)

#define PT_PROT_ACCESS (PT_READ | PT_WRITE | PT_EXEC)
#define PT_PROT_ALL    (PT_PROT_ACCESS | PT_USER | PT_GLOBAL | PT_ACCESSED | PT_DIRTY)

/* One mutating call. */
struct pt_op {
	struct pagetable *pt;
	struct pt_freelist *freed;
	struct pt_change *change;
	/* What a 4 KiB entry gets beside its frame: PTE_PROT and PTE_AD bits. */
	u64 flags;
	/* Of pt_map(): the frame of address 0 of the range, minus that address, modulo 2^64. */
	u64 gpa_offset;
	u64 max_page_size;
};

static u64 flags_from_prot(u32 prot)
{
	return PTE_P | (prot & PT_WRITE ? PTE_RW : 0) | (prot & PT_USER ? PTE_US : 0) |
	       (prot & PT_GLOBAL ? PTE_G : 0) | (prot & PT_EXEC ? 0 : PTE_XD) |
	       (prot & PT_ACCESSED ? PTE_A : 0) | (prot & PT_DIRTY ? PTE_D : 0);
}

static u32 prot_from_flags(u64 flags)
{
	return PT_READ | (flags & PTE_RW ? PT_WRITE : 0) | (flags & PTE_US ? PT_USER : 0) |
	       (flags & PTE_G ? PT_GLOBAL : 0) | (flags & PTE_XD ? 0 : PT_EXEC) |
	       (flags & PTE_A ? PT_ACCESSED : 0) | (flags & PTE_D ? PT_DIRTY : 0);
}

static bool prot_is_valid(u32 prot)
{
	return (prot & PT_PROT_ACCESS) && !(prot & ~PT_PROT_ALL);
}

/* The end of the part of [va, end) that one entry of @level covers. Does not wrap at 2^64. */
static u64 span_end(u64 va, u64 end, unsigned int level)
{
	u64 last = va | (pte_span(level) - 1);

	return last < end - 1 ? last + 1 : end;
}

static u64 *table_of(const struct pagetable *pt, u64 entry)
{
	return pt->ops->gpa_to_virt(pt->ctx, pte_addr(entry));
}

static bool range_is_valid(const struct pagetable *pt, u64 va, u64 len)
{
	u64 end;

	if (!len || !IS_ALIGNED(va | len, PAGE_SIZE) || ckd_add(&end, va, len))
		return false;
	/* Both ends canonical and in the same half. */
	if (!va_is_canonical(va) || !va_is_canonical(end - 1) || (s64)(va ^ (end - 1)) < 0)
		return false;
	return bitmap_find_next_set(pt->shared, pte_index(end - 1, PTE_LEVELS) + 1,
				    pte_index(va, PTE_LEVELS)) > pte_index(end - 1, PTE_LEVELS);
}

static void change_note(struct pt_change *change, u64 va, u64 end, u64 count)
{
	if (!change->present_changed) {
		change->lo = va;
		change->hi = end;
	}
	change->lo = MIN(change->lo, va);
	change->hi = MAX(change->hi, end);
	change->present_changed += count;
}

/* Tables */

static u64 *table_new(struct pagetable *pt)
{
	u64 *table = pt->ops->alloc_table(pt->ctx);

	if (table)
		pt->tables++;
	return table;
}

/* Stores a pointer to @table after what is in @table. */
static u64 table_entry(const struct pagetable *pt, const u64 *table)
{
	barrier();
	return pt->ops->virt_to_gpa(pt->ctx, table) | PTE_TABLE;
}

/*
 * A processor may still walk @table, so its contents stay but for the first entry, the link: a page
 * address, hence without P. It is a virtual address, far beyond any memory, hence useless as
 * a frame for L1 terminal fault too.
 */
static void table_retire(struct pagetable *pt, struct pt_freelist *freed, u64 *table)
{
	pt->tables--;
	if (!freed) {
		pt->ops->free_table(pt->ctx, table);
		return;
	}
	WRITE_ONCE(table[0], (u64)(uintptr_t)freed->first);
	freed->first = table;
	freed->count++;
}

/*
 * Retires @table, whose entries are of @level, and the tables below. Returns how many
 * leaves it had.
 */
static u64 table_retire_all(struct pagetable *pt, struct pt_freelist *freed, u64 *table,
			    unsigned int level)
{
	u64 leaves = 0;

	for (unsigned int i = 0; i < PTE_ENTRIES; i++) {
		u64 entry = READ_ONCE(table[i]);

		if (!pte_is_present(entry))
			continue;
		if (pte_is_leaf(entry, level))
			leaves++;
		else
			leaves += table_retire_all(pt, freed, table_of(pt, entry), level - 1);
	}
	table_retire(pt, freed, table);
	return leaves;
}

/* Frees @table, whose entries are of @level, and the tables below, without a look at what pages they map. */
static void tables_free(struct pagetable *pt, u64 *table, unsigned int level)
{
	for (unsigned int i = 0; level > 1 && i < PTE_ENTRIES; i++) {
		u64 entry = READ_ONCE(table[i]);

		if (pte_is_present(entry) && !pte_is_leaf(entry, level))
			tables_free(pt, table_of(pt, entry), level - 1);
	}
	table_retire(pt, NULL, table);
}

/* Looks after @from first: neighbours of what was just cleared are the likeliest to be in use. */
static bool table_is_empty(const u64 *table, unsigned int from)
{
	for (unsigned int i = 0; i < PTE_ENTRIES; i++)
		if (READ_ONCE(table[(from + i) % PTE_ENTRIES]))
			return false;
	return true;
}

/* Replaces the large page in *@entry of @level by @table, which then maps the same. */
static void leaf_split_into(struct pagetable *pt, u64 *entry, unsigned int level, u64 *table)
{
	u64 old = READ_ONCE(*entry);

	do {
		/* A processor may set A or D meanwhile: then they are copied again. */
		u64 first = level == 2 ? old & ~PTE_PS : old;

		for (unsigned int i = 0; i < PTE_ENTRIES; i++)
			WRITE_ONCE(table[i], first + i * pte_span(level - 1));
	} while (!__atomic_compare_exchange_n(entry, &old, table_entry(pt, table), false,
					      __ATOMIC_RELEASE, __ATOMIC_RELAXED));
}

static int leaf_split(struct pagetable *pt, u64 *entry, unsigned int level)
{
	u64 *table = table_new(pt);

	if (!table)
		return -ENOMEM;
	leaf_split_into(pt, entry, level, table);
	return 0;
}

/* Makes *@entry of @level, whatever it is, point to a table, which it returns; NULL: no memory. */
static u64 *entry_table(struct pagetable *pt, u64 *entry, unsigned int level)
{
	u64 old = READ_ONCE(*entry);
	u64 *table;

	if (!pte_is_present(old)) {
		table = table_new(pt);
		if (table)
			WRITE_ONCE(*entry, table_entry(pt, table));
		return table;
	}
	if (pte_is_leaf(old, level) && leaf_split(pt, entry, level))
		return NULL;
	return table_of(pt, READ_ONCE(*entry));
}

/* Splits large pages until none reaches across @va. */
static int split_at(struct pagetable *pt, u64 va)
{
	u64 *table = pt->root;

	for (unsigned int level = PTE_LEVELS; level > 1; level--) {
		u64 *entry = &table[pte_index(va, level)];

		if (IS_ALIGNED(va, pte_span(level)) || !pte_is_present(READ_ONCE(*entry)))
			return 0;
		table = entry_table(pt, entry, level);
		if (!table)
			return -ENOMEM;
	}
	return 0;
}

static int split_edges(struct pagetable *pt, u64 va, u64 end)
{
	int err = split_at(pt, va);

	return err ? err : split_at(pt, end);
}

/* Changing leaves */

/* Does @new allow something that @old did not and nothing less? Of the same frame. */
static bool flags_only_relax(u64 old, u64 new)
{
	u64 lost = (old & ~new &(PTE_RW | PTE_US | PTE_G)) | (new & ~old &PTE_XD);

	return !lost && (old & PTE_G) == (new &PTE_G);
}

/* Gives the leaf *@entry other flags, keeping its frame and what the processor sets meanwhile. */
static void leaf_set_flags(struct pt_op *op, u64 *entry, u64 va, u64 end)
{
	u64 old = READ_ONCE(*entry), new;

	do {
		new = (old & ~PTE_PROT) | op->flags;
		if (new == old)
			return;
	} while (!__atomic_compare_exchange_n(entry, &old, new, false, __ATOMIC_RELAXED,
					      __ATOMIC_RELAXED));
	if (!((old ^ new) & PTE_PROT))
		return;
	if (flags_only_relax(old, new))
		op->change->relaxed++;
	else
		change_note(op->change, va, end, 1);
}

/* Stores @new in *@entry, which points to a table of @level, and retires that and those below. */
static void entry_drop_table(struct pt_op *op, u64 *entry, u64 new, unsigned int level, u64 va,
			     u64 end)
{
	u64 *table = table_of(op->pt, READ_ONCE(*entry));
	u64 leaves;

	WRITE_ONCE(*entry, new);
	leaves = table_retire_all(op->pt, op->freed, table, level);
	/* Without leaves, the pointer itself may be cached (SDM vol. 3A §4.10.3). */
	change_note(op->change, va, end, leaves ? leaves : 1);
}

static void map_leaf(struct pt_op *op, u64 *entry, unsigned int level, u64 va, u64 end)
{
	u64 old = READ_ONCE(*entry);
	u64 new = (va + op->gpa_offset) | op->flags | (level > 1 ? PTE_PS : 0);

	if (!pte_is_present(old)) {
		WRITE_ONCE(*entry, new);
		op->change->added++;
	} else if (!pte_is_leaf(old, level)) {
		entry_drop_table(op, entry, new, level - 1, va, end);
	} else if (pte_addr(old) == pte_addr(new)) {
		leaf_set_flags(op, entry, va, end);
	} else {
		WRITE_ONCE(*entry, new);
		change_note(op->change, va, end, 1);
	}
}

static bool map_fits(const struct pt_op *op, unsigned int level, u64 va, u64 end)
{
	u64 span = pte_span(level);

	return level < PTE_LEVELS && span <= op->max_page_size && end - va == span &&
	       IS_ALIGNED(va + op->gpa_offset, span);
}

static int map_level(struct pt_op *op, u64 *table, unsigned int level, u64 va, u64 end)
{
	for (u64 next; va < end; va = next) {
		u64 *entry = &table[pte_index(va, level)];
		u64 *below;
		int err;

		next = span_end(va, end, level);
		if (map_fits(op, level, va, next)) {
			map_leaf(op, entry, level, va, next);
			continue;
		}
		below = entry_table(op->pt, entry, level);
		err = below ? map_level(op, below, level - 1, va, next) : -ENOMEM;
		if (err)
			return err;
	}
	return 0;
}

/* Retires the table under *@entry of @level if nothing is left in it. [va, end) was unmapped. */
static void entry_drop_if_empty(struct pt_op *op, u64 *entry, unsigned int level, u64 va, u64 end)
{
	u64 *below = table_of(op->pt, READ_ONCE(*entry));

	if (!table_is_empty(below, pte_index(end - 1, level - 1)))
		return;
	WRITE_ONCE(*entry, 0);
	table_retire(op->pt, op->freed, below);
	/* If it was empty before, the pointer itself may still be cached. */
	change_note(op->change, va, end, !op->change->present_changed);
}

static void unmap_level(struct pt_op *op, u64 *table, unsigned int level, u64 va, u64 end)
{
	for (u64 next; va < end; va = next) {
		u64 *entry = &table[pte_index(va, level)];
		u64 old = READ_ONCE(*entry);
		bool keep;

		next = span_end(va, end, level);
		if (!pte_is_present(old))
			continue;
		if (pte_is_leaf(old, level)) {
			WRITE_ONCE(*entry, 0);
			change_note(op->change, va, next, 1);
			continue;
		}
		keep = level == PTE_LEVELS && bitmap_test(op->pt->pinned, pte_index(va, level));
		if (!keep && next - va == pte_span(level)) {
			entry_drop_table(op, entry, 0, level - 1, va, next);
			continue;
		}
		unmap_level(op, table_of(op->pt, old), level - 1, va, next);
		if (!keep)
			entry_drop_if_empty(op, entry, level, va, next);
	}
}

/* Calls @fn for every leaf that maps something in [va, end). */
static void leaves_visit(struct pt_op *op, u64 *table, unsigned int level, u64 va, u64 end,
			 void (*fn)(struct pt_op *op, u64 *entry, u64 va, u64 end))
{
	for (u64 next; va < end; va = next) {
		u64 *entry = &table[pte_index(va, level)];
		u64 old = READ_ONCE(*entry);

		next = span_end(va, end, level);
		if (!pte_is_present(old))
			continue;
		if (!pte_is_leaf(old, level))
			leaves_visit(op, table_of(op->pt, old), level - 1, va, next, fn);
		else if (level == 1 || next - va == pte_span(level))
			fn(op, entry, va, next);
	}
}

int pt_map(struct pagetable *pt, uptr_t va, gpa_t gpa, u64 len, u32 prot, u64 max_page_size,
	   struct pt_freelist *freed, struct pt_change *change)
{
	struct pt_op op = {
		.pt = pt,
		.freed = freed,
		.change = change,
		.flags = flags_from_prot(prot),
		.gpa_offset = gpa - va,
		.max_page_size = max_page_size,
	};

	if (!range_is_valid(pt, va, len) || !prot_is_valid(prot))
		return -EINVAL;
	if (!IS_ALIGNED(gpa, PAGE_SIZE) || !range_within(gpa, len, PTE_ADDR + PAGE_SIZE))
		return -EINVAL;
	if (max_page_size != PT_SIZE_4K && max_page_size != PT_SIZE_2M &&
	    max_page_size != PT_SIZE_1G)
		return -EINVAL;
	return map_level(&op, pt->root, PTE_LEVELS, va, va + len);
}

int pt_unmap(struct pagetable *pt, uptr_t va, u64 len, struct pt_freelist *freed,
	     struct pt_change *change)
{
	struct pt_op op = { .pt = pt, .freed = freed, .change = change };
	int err;

	if (!range_is_valid(pt, va, len))
		return -EINVAL;
	err = split_edges(pt, va, va + len);
	if (err)
		return err;
	unmap_level(&op, pt->root, PTE_LEVELS, va, va + len);
	return 0;
}

int pt_protect(struct pagetable *pt, uptr_t va, u64 len, u32 prot, struct pt_change *change)
{
	struct pt_op op = { .pt = pt, .change = change, .flags = flags_from_prot(prot) };
	int err;

	if (!range_is_valid(pt, va, len) || !prot_is_valid(prot))
		return -EINVAL;
	err = split_edges(pt, va, va + len);
	if (err)
		return err;
	leaves_visit(&op, pt->root, PTE_LEVELS, va, va + len, leaf_set_flags);
	return 0;
}

static void leaf_clear_flags(struct pt_op *op, u64 *entry, u64 va, u64 end)
{
	u64 old = READ_ONCE(*entry);

	if (!(old & op->flags))
		return;
	__atomic_fetch_and(entry, ~op->flags, __ATOMIC_RELAXED);
	change_note(op->change, va, end, 1);
}

int pt_clear_flags(struct pagetable *pt, uptr_t va, u64 len, u32 flags, struct pt_change *change)
{
	struct pt_op op = { .pt = pt, .change = change };

	if (!range_is_valid(pt, va, len) || !flags || (flags & ~(PT_ACCESSED | PT_DIRTY)))
		return -EINVAL;
	op.flags = flags_from_prot(flags) & PTE_AD;
	leaves_visit(&op, pt->root, PTE_LEVELS, va, va + len, leaf_clear_flags);
	return 0;
}

bool pt_split_2m(struct pagetable *pt, uptr_t va, void *table)
{
	u64 *entries = pt->root;

	for (unsigned int level = PTE_LEVELS;; level--) {
		u64 *entry = &entries[pte_index(va, level)];

		if (!pte_is_present(READ_ONCE(*entry)))
			return false;
		if (level == 2) {
			if (!pte_is_leaf(READ_ONCE(*entry), level))
				return false;
			pt->tables++;
			leaf_split_into(pt, entry, level, table);
			return true;
		}
		if (pte_is_leaf(READ_ONCE(*entry), level))
			return false;
		entries = table_of(pt, READ_ONCE(*entry));
	}
}

/* Looking up */

/* The permissions that @entry leaves of @above, those of the levels over it. */
static u64 flags_below(u64 above, u64 entry)
{
	return (above & entry & (PTE_RW | PTE_US)) | ((above | entry) & PTE_XD);
}

static void mapping_fill(struct pt_mapping *m, u64 va, u64 entry, unsigned int level, u64 above)
{
	m->size = pte_span(level);
	m->va = ALIGN_DOWN(va, m->size);
	m->gpa = ALIGN_DOWN(pte_addr(entry), m->size);
	m->prot = prot_from_flags(flags_below(above, entry) | (entry & (PTE_G | PTE_AD)));
}

static bool next_level(const struct pagetable *pt, const u64 *table, unsigned int level, u64 va,
		       u64 end, u64 above, struct pt_mapping *ret)
{
	for (u64 next; va < end; va = next) {
		u64 entry = READ_ONCE(table[pte_index(va, level)]);

		next = span_end(va, end, level);
		if (!pte_is_present(entry))
			continue;
		if (pte_is_leaf(entry, level)) {
			mapping_fill(ret, va, entry, level, above);
			return true;
		}
		if (next_level(pt, table_of(pt, entry), level - 1, va, next,
			       flags_below(above, entry), ret))
			return true;
	}
	return false;
}

bool pt_next(const struct pagetable *pt, uptr_t va, uptr_t end, struct pt_mapping *ret_mapping)
{
	const u64 half = 1ull << 47;

	/* The hole between the halves maps nothing; indices there would alias the upper half's. */
	if (va >= half && va < -half)
		va = -half;
	if (va < half && end > half)
		return pt_next(pt, va, half, ret_mapping) ||
		       (end > -half && pt_next(pt, -half, end, ret_mapping));
	return va < end &&
	       next_level(pt, pt->root, PTE_LEVELS, va, end, PTE_RW | PTE_US, ret_mapping);
}

bool pt_lookup(const struct pagetable *pt, uptr_t va, struct pt_mapping *ret_mapping)
{
	va = ALIGN_DOWN(va, PAGE_SIZE);
	if (!va_is_canonical(va) || va + PAGE_SIZE == 0)
		return false;
	return pt_next(pt, va, va + PAGE_SIZE, ret_mapping);
}

/* Roots */

gpa_t pt_root_gpa(const struct pagetable *pt)
{
	return pt->ops->virt_to_gpa(pt->ctx, pt->root);
}

int pt_init(struct pagetable *pt, const struct pt_alloc_ops *ops, void *ctx)
{
	*pt = (struct pagetable){ .ops = ops, .ctx = ctx };
	pt->root = table_new(pt);
	return pt->root ? 0 : -ENOMEM;
}

void pt_done(struct pagetable *pt)
{
	unsigned int slot;

	if (!pt->root)
		return;
	bitmap_for_each_set(slot, pt->shared, PT_SLOTS)
		WRITE_ONCE(pt->root[slot], 0);
	tables_free(pt, pt->root, PTE_LEVELS);
	BUG_ON(pt->tables);
	pt->root = NULL;
}

u64 pt_slot_entry(const struct pagetable *pt, unsigned int slot)
{
	BUG_ON(slot >= PT_SLOTS);
	return READ_ONCE(pt->root[slot]);
}

int pt_populate_slot(struct pagetable *pt, unsigned int slot)
{
	BUG_ON(slot >= PT_SLOTS);
	if (!entry_table(pt, &pt->root[slot], PTE_LEVELS))
		return -ENOMEM;
	bitmap_set(pt->pinned, slot);
	return 0;
}

int pt_install_shared(struct pagetable *pt, unsigned int slot, u64 entry)
{
	if (slot >= PT_SLOTS || !pte_is_present(entry) || (entry & PTE_PS))
		return -EINVAL;
	if (READ_ONCE(pt->root[slot]) && !bitmap_test(pt->shared, slot))
		return -EINVAL;
	bitmap_set(pt->shared, slot);
	WRITE_ONCE(pt->root[slot], entry);
	return 0;
}

void pt_freelist_release(struct pt_freelist *list, const struct pt_alloc_ops *ops, void *ctx)
{
	while (list->first) {
		u64 *table = list->first;

		list->first = (void *)(uintptr_t)table[0];
		ops->free_table(ctx, table);
	}
	list->count = 0;
}
