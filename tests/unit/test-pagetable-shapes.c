/* SPDX-License-Identifier: Apache-2.0 */
/* Page tables by example: neighbours, boundaries, mixed sizes, and the bits of the entries themselves. */
#include <stdlib.h>
#include <string.h>

#include "harness/test.h"
#include "pagetable/pagetable.h"
#include "pagetable/pte_x86_64.h"

#define K4         PT_SIZE_4K
#define M2         PT_SIZE_2M
#define G1         PT_SIZE_1G
/* What one root entry covers. */
#define ROOT_ENTRY (512 * G1)

static const u32 RW = PT_READ | PT_WRITE | PT_USER;

static void *table_alloc(void *ctx)
{
	void *table = aligned_alloc(PAGE_SIZE, PAGE_SIZE);

	ASSERT_NOT_NULL(table);
	return memset(table, 0, PAGE_SIZE);
}

static void table_free(void *ctx, void *table)
{
	free(table);
}

static u64 table_gpa(void *ctx, const void *table)
{
	return (u64)(uintptr_t)table;
}

static void *table_virt(void *ctx, u64 gpa)
{
	return (void *)(uintptr_t)gpa;
}

static const struct pt_alloc_ops ops = {
	.alloc_table = table_alloc,
	.free_table = table_free,
	.virt_to_gpa = table_gpa,
	.gpa_to_virt = table_virt,
};

static void up(struct pagetable *pt)
{
	ASSERT_OK(pt_init(pt, &ops, NULL));
}

static void map(struct pagetable *pt, u64 va, u64 gpa, u64 len, u32 prot)
{
	struct pt_change change;

	pt_change_init(&change);
	ASSERT_OK(pt_map(pt, va, gpa, len, prot, G1, NULL, &change));
}

static void unmap(struct pagetable *pt, u64 va, u64 len)
{
	struct pt_change change;

	pt_change_init(&change);
	ASSERT_OK(pt_unmap(pt, va, len, NULL, &change));
}

static void expect(const struct pagetable *pt, u64 va, u64 gpa, u64 size)
{
	struct pt_mapping m;

	ASSERT_TRUE(pt_lookup(pt, va, &m));
	ASSERT_EQ(pt_mapping_gpa(&m, va), gpa);
	ASSERT_EQ(m.size, size);
}

static void expect_nothing(const struct pagetable *pt, u64 va)
{
	struct pt_mapping m;

	ASSERT_FALSE(pt_lookup(pt, va, &m));
}

/* The entry that maps @va, and whether all levels above permit what it does. */
static u64 leaf(const struct pagetable *pt, u64 va, u64 *ret_and)
{
	const u64 *table = pt->root;

	*ret_and = ~0ull;
	for (unsigned int level = PTE_LEVELS;; level--) {
		u64 entry = table[pte_index(va, level)];

		ASSERT_TRUE(pte_is_present(entry));
		*ret_and &= entry;
		if (pte_is_leaf(entry, level))
			return entry;
		ASSERT_EQ(entry >> 63, 0); /* NX is the leaf's business */
		table = table_virt(NULL, pte_addr(entry));
	}
}

TEST(unmapped_page_leaves_its_neighbours)
{
	struct pagetable pt;

	up(&pt);
	map(&pt, 0x400000, 42 * K4, 3 * K4, RW);
	unmap(&pt, 0x401000, K4);
	expect(&pt, 0x400000, 42 * K4, K4);
	expect_nothing(&pt, 0x401000);
	expect(&pt, 0x402000, 44 * K4, K4);
	unmap(&pt, 0x400000, 3 * K4);
	expect_nothing(&pt, 0x400000);
	EXPECT_EQ(pt.tables, 1);
	pt_done(&pt);
}

TEST(serial_pages_have_frames_of_their_own)
{
	struct pagetable pt;

	up(&pt);
	map(&pt, 0x400000, 42 * K4, K4, RW);
	map(&pt, 0x401000, 7 * K4, K4, PT_READ | PT_USER);
	expect(&pt, 0x400000, 42 * K4, K4);
	expect(&pt, 0x401fff, 7 * K4 + 0xfff, K4);
	expect_nothing(&pt, 0x402000);
	expect_nothing(&pt, 0x3ff000);
	pt_done(&pt);
}

TEST(range_spans_a_root_entry_boundary)
{
	struct pagetable pt;

	up(&pt);
	map(&pt, ROOT_ENTRY - K4, 42 * K4, 2 * K4, RW);
	expect(&pt, ROOT_ENTRY - K4, 42 * K4, K4);
	expect(&pt, ROOT_ENTRY, 43 * K4, K4);
	expect_nothing(&pt, ROOT_ENTRY - 2 * K4);
	expect_nothing(&pt, ROOT_ENTRY + K4);
	EXPECT_EQ(pt.tables, 1 + 2 * 3);
	unmap(&pt, ROOT_ENTRY - K4, 2 * K4);
	EXPECT_EQ(pt.tables, 1);
	pt_done(&pt);
}

TEST(sparse_pages_in_different_root_entries)
{
	struct pagetable pt;

	up(&pt);
	for (u64 i = 0; i < 250; i++)
		map(&pt, i * ROOT_ENTRY + i * M2, (1000 + i) * K4, K4, RW);
	for (u64 i = 0; i < 250; i++) {
		expect(&pt, i * ROOT_ENTRY + i * M2, (1000 + i) * K4, K4);
		expect_nothing(&pt, i * ROOT_ENTRY + i * M2 + K4);
	}
	unmap(&pt, 0, 250 * ROOT_ENTRY);
	EXPECT_EQ(pt.tables, 1);
	pt_done(&pt);
}

TEST(large_page_beside_a_small_one)
{
	static const u64 sizes[] = { M2, G1 };
	struct pagetable pt;

	for (size_t i = 0; i < 2; i++) {
		up(&pt);
		map(&pt, 4 * G1, 8 * G1, sizes[i] + K4, RW);
		expect(&pt, 4 * G1, 8 * G1, sizes[i]);
		expect(&pt, 4 * G1 + sizes[i] - 1, 8 * G1 + sizes[i] - 1, sizes[i]);
		expect(&pt, 4 * G1 + sizes[i], 8 * G1 + sizes[i], K4);
		expect_nothing(&pt, 4 * G1 + sizes[i] + K4);
		pt_done(&pt);
	}
}

/* All but the two ends of a large page is unmapped: 4 KiB of it remain at either end, where they were. */
TEST(large_page_is_split_at_both_ends)
{
	static const u64 sizes[] = { M2, G1 };
	struct pagetable pt;

	for (size_t i = 0; i < 2; i++) {
		const u64 va = 4 * G1, gpa = 8 * G1, last = sizes[i] - K4;

		up(&pt);
		map(&pt, va, gpa, sizes[i], RW);
		unmap(&pt, va + K4, sizes[i] - 2 * K4);
		expect(&pt, va, gpa, K4);
		expect(&pt, va + last, gpa + last, K4);
		expect_nothing(&pt, va + K4);
		expect_nothing(&pt, va + last - K4);
		expect_nothing(&pt, va + sizes[i] / 2);
		pt_done(&pt);
	}
}

/* 1 GiB split for one page of it: 2 MiB pages where they can stay. */
TEST(split_of_a_huge_page_keeps_large_pages)
{
	struct pagetable pt;

	up(&pt);
	map(&pt, 4 * G1, 8 * G1, G1, RW);
	unmap(&pt, 4 * G1 + 5 * M2 + 3 * K4, K4);
	expect(&pt, 4 * G1, 8 * G1, M2);
	expect(&pt, 4 * G1 + 4 * M2, 8 * G1 + 4 * M2, M2);
	expect(&pt, 4 * G1 + 5 * M2 + 2 * K4, 8 * G1 + 5 * M2 + 2 * K4, K4);
	expect_nothing(&pt, 4 * G1 + 5 * M2 + 3 * K4);
	expect(&pt, 4 * G1 + 5 * M2 + 4 * K4, 8 * G1 + 5 * M2 + 4 * K4, K4);
	expect(&pt, 4 * G1 + 511 * M2, 8 * G1 + 511 * M2, M2);
	pt_done(&pt);
}

/* R/W, U/S and NX as the CPU combines them over the levels (SDM vol. 3A §4.6). */
TEST(entries_say_what_was_asked)
{
	static const u64 pages[] = { K4, M2, G1 };
	struct pagetable pt;

	for (size_t i = 0; i < 3; i++) {
		for (u32 n = 0; n < 8; n++) {
			u32 prot = PT_READ | (n & 1 ? PT_WRITE : 0) | (n & 2 ? PT_EXEC : 0) |
				   (n & 4 ? PT_USER : 0);
			/* the user's half, and the kernel's */
			u64 va = n & 4 ? 4 * G1 : 0xffff800000000000ull, all, entry;

			up(&pt);
			map(&pt, va, 8 * G1, pages[i], prot);
			entry = leaf(&pt, va, &all);
			EXPECT_EQ(all >> 1 & 1, n & 1);
			EXPECT_EQ(entry >> 63, !(n & 2));
			EXPECT_EQ(all >> 2 & 1, n >> 2);
			/* Write-back is all there is: PWT, PCD and PAT are off. */
			EXPECT_EQ(entry & 0x18, 0);
			EXPECT_EQ(i ? entry >> 12 & 1 : entry >> 7 & 1, 0);
			EXPECT_EQ(pte_addr(entry) & ~(pages[i] - 1), 8 * G1);
			pt_done(&pt);
		}
	}
}
