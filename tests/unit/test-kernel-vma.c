/* SPDX-License-Identifier: Apache-2.0 */
/* Test-Sources: src/kernel/mm/vma.c */
#include <stdlib.h>

#include "harness/test.h"
#include "kernel/fs/vfs.h"
#include "kernel/mm/internal.h"

/* What vma.c takes from the rest of the kernel. */
void *kzalloc(size_t n)
{
	return calloc(1, n);
}
void kfree(void *p)
{
	free(p);
}
struct file *file_ref(struct file *f)
{
	f->refs++;
	return f;
}
void file_unref(struct file *f)
{
	if (f)
		f->refs--;
}

#define RW   (VMA_F_READ | VMA_F_WRITE)
#define P(n) ((uptr_t)(n)*PAGE_SIZE)

static struct vma *add(struct mm *mm, uptr_t start, uptr_t end, u32 flags, struct file *f,
		       u64 pgoff)
{
	struct vma *v = vma_new(mm, start, end, flags);

	vma_set_file(v, f, pgoff);
	vma_insert(v);
	return v;
}

static void clear(struct mm *mm)
{
	struct vma *v;

	while ((v = mm_first_vma(mm))) {
		vma_remove(v);
		vma_free(v);
	}
}

TEST(vma_find_returns_first_that_ends_above)
{
	struct mm mm = { 0 };
	struct vma *a = add(&mm, P(10), P(20), RW, NULL, 0),
		   *b = add(&mm, P(30), P(40), RW, NULL, 0);

	EXPECT_PTR_EQ(mm_find_vma(&mm, 0), a);
	EXPECT_PTR_EQ(mm_find_vma(&mm, P(20) - 1), a);
	EXPECT_PTR_EQ(mm_find_vma(&mm, P(20)), b);
	EXPECT_NULL(mm_find_vma(&mm, P(40)));
	EXPECT_EQ(mm.total_pages, 20);
	EXPECT_EQ(mm.data_pages, 20);
	EXPECT_TRUE(mm_range_mapped(&mm, P(12), P(20)));
	EXPECT_FALSE(mm_range_mapped(&mm, P(12), P(21)));
	clear(&mm);
	EXPECT_EQ(mm.total_pages, 0);
	EXPECT_EQ(mm.nr_vmas, 0);
}

TEST(vma_split_and_merge_restore_each_other)
{
	struct inode inode = { 0 };
	struct file f = { .inode = &inode, .refs = 1 };
	struct mm mm = { 0 };
	struct vma *v;

	list_init(&inode.vmas);
	add(&mm, P(10), P(20), RW, &f, 5);
	ASSERT_OK(mm_split_at(&mm, P(14)));
	ASSERT_OK(mm_split_at(&mm, P(14)));
	ASSERT_OK(mm_split_at(&mm, P(25)));
	EXPECT_EQ(mm.nr_vmas, 2);
	EXPECT_EQ(f.refs, 3);
	v = mm_find_vma(&mm, P(14));
	EXPECT_EQ(v->start, P(14));
	EXPECT_EQ(v->pgoff, 9);
	EXPECT_EQ(list_count(&inode.vmas), 2);
	v = vma_merge(v);
	EXPECT_EQ(v->start, P(10));
	EXPECT_EQ(v->end, P(20));
	EXPECT_EQ(v->pgoff, 5);
	EXPECT_EQ(mm.nr_vmas, 1);
	EXPECT_EQ(mm.total_pages, 10);
	clear(&mm);
	EXPECT_EQ(f.refs, 1);
	EXPECT_TRUE(list_empty(&inode.vmas));
}

TEST(vma_merge_refuses_what_does_not_continue)
{
	struct inode inode = { 0 };
	struct file f = { .inode = &inode, .refs = 1 };
	struct mm mm = { 0 };
	struct vma *v;

	list_init(&inode.vmas);
	add(&mm, P(10), P(20), RW, &f, 0);
	v = add(&mm, P(20), P(30), RW, &f, 11); /* a gap of one page in the file */
	EXPECT_PTR_EQ(vma_merge(v), v);
	v = add(&mm, P(30), P(40), VMA_F_READ, NULL, 0);
	EXPECT_PTR_EQ(vma_merge(v), v);
	v = add(&mm, P(41), P(50), VMA_F_READ, NULL, 0);
	EXPECT_PTR_EQ(vma_merge(v), v);
	EXPECT_EQ(mm.nr_vmas, 4);
	clear(&mm);
}

TEST(vma_gap_is_the_highest_below_the_base)
{
	struct mm mm = { 0 };

	EXPECT_EQ(mm_find_gap(&mm, P(4), P(1000)), P(996));
	add(&mm, P(990), P(1000), RW, NULL, 0);
	EXPECT_EQ(mm_find_gap(&mm, P(4), P(1000)), P(986));
	add(&mm, P(980), P(985), RW, NULL, 0);
	EXPECT_EQ(mm_find_gap(&mm, P(5), P(1000)), P(985));
	EXPECT_EQ(mm_find_gap(&mm, P(6), P(1000)), P(974));
	/* Base inside a mapping. */
	EXPECT_EQ(mm_find_gap(&mm, P(1), P(995)), P(989));
	/* Nothing below the base: anywhere. */
	EXPECT_GE(mm_find_gap(&mm, P(2000), P(1000)), P(1000));
	EXPECT_EQ(mm_find_gap(&mm, RF_MAX_USER_ADDRESS, P(1000)), 0);
	clear(&mm);
}

TEST(vma_gap_keeps_away_from_stacks)
{
	struct mm mm = { 0 };

	add(&mm, P(5000), P(5010), RW | VMA_F_GROWSDOWN, NULL, 0);
	EXPECT_EQ(mm_find_gap(&mm, P(4), P(5010)), P(5000) - STACK_GUARD_GAP - P(4));
	clear(&mm);
}

/* Against a map of pages. */
TEST(vma_random_operations_match_a_model)
{
	enum { PAGES = 256 };
	static u8 model[PAGES];
	struct mm mm = { 0 };
	struct test_rng rng;

	test_rng_init(&rng, 7);
	for (unsigned step = 0; step < 20000; step++) {
		u64 a = test_rng_below(&rng, PAGES), b = a + 1 + test_rng_below(&rng, PAGES - a);
		u32 flags = (u32)test_rng_below(&rng, 4);
		struct vma *v;
		u64 total = 0;

		ASSERT_OK(mm_split_at(&mm, P(a + 100)));
		ASSERT_OK(mm_split_at(&mm, P(b + 100)));
		while ((v = mm_find_vma(&mm, P(a + 100))) && v->start < P(b + 100)) {
			vma_remove(v);
			vma_free(v);
		}
		if (flags)
			vma_merge(add(&mm, P(a + 100), P(b + 100), flags, NULL, 0));
		for (u64 i = a; i < b; i++)
			model[i] = (u8)flags;
		for (u64 i = 0; i < PAGES; i++) {
			v = mm_find_vma(&mm, P(i + 100));
			ASSERT_EQ(v && v->start <= P(i + 100) ? v->flags : 0, model[i]);
			total += model[i] != 0;
		}
		ASSERT_EQ(mm.total_pages, total);
		for (v = mm_first_vma(&mm); v && vma_next(v); v = vma_next(v))
			ASSERT_TRUE(v->end < vma_next(v)->start || v->flags != vma_next(v)->flags);
	}
	clear(&mm);
}
