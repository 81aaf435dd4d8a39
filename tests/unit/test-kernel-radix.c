/* SPDX-License-Identifier: Apache-2.0 */
/* Test-Sources: src/kernel/fs/radix.c */
#include "kernel/fs/radix.h"

#include <stdlib.h>

#include "harness/test.h"
#include "kernel/mm/kmalloc.h"

enum { STEPS = 20000, KEYS = 512 };

void *kzalloc(size_t n)
{
	return calloc(1, n);
}

void kfree(void *p)
{
	free(p);
}

/* Dense, sparse and highest indices. */
static u64 key(unsigned i)
{
	return i < KEYS / 2 ? i : i < KEYS - 1 ? (u64)i << 40 : ~0ull;
}

static char values[KEYS];

static void check_all(const struct radix *t, const bool *present)
{
	u64 index = 0, count = 0;

	for (unsigned i = 0; i < KEYS; i++) {
		count += present[i];
		EXPECT_PTR_EQ(radix_get(t, key(i)), present[i] ? &values[i] : NULL);
		if (!present[i])
			continue;
		EXPECT_PTR_EQ(radix_next(t, &index), &values[i]);
		EXPECT_EQ(index, key(i));
		index++;
	}
	EXPECT_EQ(t->count, count);
}

TEST(set_and_clear_agree_with_an_array)
{
	struct radix t = { 0 };
	bool present[KEYS] = { false };
	unsigned seed = 1;

	for (unsigned step = 0; step < STEPS; step++) {
		unsigned i = (seed = seed * 1103515245u + 12345u) >> 16 & (KEYS - 1);

		if (present[i])
			EXPECT_PTR_EQ(radix_clear(&t, key(i)), &values[i]);
		else
			ASSERT_OK(radix_set(&t, key(i), &values[i]));
		present[i] = !present[i];
		if (step % 1000 == 0)
			check_all(&t, present);
	}
	check_all(&t, present);
	radix_done(&t);
	EXPECT_NULL(radix_get(&t, 0));
}

TEST(next_on_an_empty_tree_finds_nothing)
{
	struct radix t = { 0 };
	u64 index = 0;

	EXPECT_NULL(radix_next(&t, &index));
	EXPECT_NULL(radix_clear(&t, 5));
}
