/* SPDX-License-Identifier: Apache-2.0 */
/* Test-Sources: src/kernel/platform/kpti.c */
/* What user roots map of the kernel, entry by entry, and that their user half follows the kernel's root. */
#include <stdlib.h>
#include <string.h>

#include "harness/test.h"
#include "kernel/platform/kpti.h"
#include "pagetable/pte_x86_64.h"

#define TABLES 64u

/* Frames 0 … of a made-up machine; a root takes a pair. */
static u64 pool[TABLES][PTE_ENTRIES] __attribute__((aligned(8192)));
static unsigned used;

static void *pool_alloc(void *ctx)
{
	const struct pagetable *pt = ctx;
	unsigned pair = pt && !pt->root ? 2 : 1, at = ALIGN_UP(used, pair);

	if (at + pair > TABLES)
		return NULL;
	used = at + pair;
	memset(pool[at], 0, pair * sizeof(pool[0]));
	return pool[at];
}

static void pool_free(void *ctx, void *table)
{
	(void)ctx;
	(void)table;
}

static u64 pool_gpa(void *ctx, const void *table)
{
	(void)ctx;
	return (u64)(uintptr_t)table - (u64)(uintptr_t)pool;
}

static void *pool_virt(void *ctx, u64 gpa)
{
	(void)ctx;
	return (u8 *)pool + gpa;
}

static const struct pt_alloc_ops ops = { pool_alloc, pool_free, pool_gpa, pool_virt };

#define BASE (RF_ARENA_BASE + 0x200000)
static const struct entry_range ranges[] = {
	{ BASE + 0x4000, BASE + 0x5000, RF_READ | RF_EXEC },
	{ BASE + 0x195000, BASE + 0x196000, RF_READ },
	{ BASE + 0x191000, BASE + 0x195000, RF_READ | RF_WRITE },
	/* Across a 2 MiB boundary. */
	{ BASE + 0x1fe000, BASE + 0x203000, RF_READ | RF_WRITE },
};
#define RANGES 4u

/* Counts leaves below @table by a walk of our own; checks each. */
static unsigned walk(const u64 *table, unsigned level, u64 va)
{
	unsigned leaves = 0;

	for (unsigned i = 0; i < PTE_ENTRIES; i++) {
		u64 entry = table[i], at = va | (u64)i << pte_shift(level);
		const struct entry_range *r = NULL;

		if (!(entry & PTE_P))
			continue;
		if (level > 1) {
			EXPECT_EQ(entry & PTE_PS, 0);
			leaves += walk(pool_virt(NULL, pte_addr(entry)), level - 1, at);
			continue;
		}
		for (unsigned k = 0; k < RANGES; k++)
			if (at >= ranges[k].start && at < ranges[k].end)
				r = &ranges[k];
		EXPECT_NOT_NULL(r);
		EXPECT_EQ(pte_addr(entry), at - RF_ARENA_BASE + RF_ARENA_GPA);
		EXPECT_EQ(entry & (PTE_US | PTE_G), 0);
		EXPECT_EQ(!!(entry & PTE_RW), !!(r->prot & RF_WRITE));
		EXPECT_EQ(!(entry & PTE_XD), !!(r->prot & RF_EXEC));
		leaves++;
	}
	return leaves;
}

TEST(user_roots_map_the_entry_ranges_and_nothing_else)
{
	struct pagetable pt;

	used = 0;
	EXPECT_OK(kpti_build(&pt, &ops, NULL, ranges, RANGES));
	EXPECT_EQ(walk(pt.root, PTE_LEVELS, 0), 1 + 1 + 4 + 5);
	EXPECT_TRUE(kpti_verify(&pt, ranges, RANGES));
}

TEST(verify_sees_a_page_too_many_or_too_few)
{
	struct pt_change change = { 0 };
	struct pagetable pt;

	used = 0;
	EXPECT_OK(kpti_build(&pt, &ops, NULL, ranges, RANGES));
	EXPECT_FALSE(kpti_verify(&pt, ranges, RANGES - 1));
	EXPECT_OK(pt_unmap(&pt, BASE + 0x4000, PAGE_SIZE, NULL, &change));
	EXPECT_FALSE(kpti_verify(&pt, ranges, RANGES));
	EXPECT_OK(pt_map(&pt, BASE + 0x4000, RF_ARENA_GPA, PAGE_SIZE,
			 PT_READ | PT_EXEC | PT_ACCESSED, PT_SIZE_4K, NULL, &change));
	EXPECT_FALSE(kpti_verify(&pt, ranges, RANGES));
}

TEST(build_reports_lack_of_memory)
{
	struct pagetable pt;

	used = TABLES - 2;
	EXPECT_LT(kpti_build(&pt, &ops, NULL, ranges, RANGES), 0);
}

static void check_user_half(const struct pagetable *pt)
{
	EXPECT_MEM_EQ(pt->root + PTE_ENTRIES, pt->root, 252 * sizeof(u64));
}

TEST(the_user_half_follows_every_change)
{
	const u64 slot = 1ull << 39, end = RF_MAX_USER_ADDRESS;
	const struct {
		u64 va, len;
		bool map;
	} steps[] = {
		{ 0x1000, 0x1000, true },   { slot - 0x1000, 0x2000, true },
		{ 5 * slot, 0x1000, true }, { end - 0x1000, 0x1000, true },
		{ 0x1000, 0x1000, false },  { 0x1000, end - 0x1000, false },
	};
	struct pt_change change = { 0 };
	struct pagetable pt;

	used = 0;
	EXPECT_OK(pt_init(&pt, &ops, &pt));
	EXPECT_EQ(pt_root_gpa(&pt) & KPTI_ROOT_BIT, 0);
	pt.root[PTE_ENTRIES + 252] = 0x1234;
	for (unsigned i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (steps[i].map)
			EXPECT_OK(pt_map(&pt, steps[i].va, RF_ARENA_GPA, steps[i].len,
					 PT_READ | PT_USER, PT_SIZE_4K, NULL, &change));
		else
			EXPECT_OK(pt_unmap(&pt, steps[i].va, steps[i].len, NULL, &change));
		kpti_sync(&pt, steps[i].va, steps[i].len);
		check_user_half(&pt);
		EXPECT_EQ(pt.root[PTE_ENTRIES + 252], 0x1234);
	}
	/* Beyond user space there is nothing to copy. */
	kpti_sync(&pt, RF_ARENA_BASE, PAGE_SIZE);
	kpti_sync(&pt, 0, ~0ull);
	EXPECT_EQ(pt.root[PTE_ENTRIES + 252], 0x1234);
}
