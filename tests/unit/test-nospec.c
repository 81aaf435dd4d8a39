/* SPDX-License-Identifier: Apache-2.0 */
/* Bounds by arithmetic: they must be right before they can be right on wrong paths. */
#include "base/nospec.h"
#include "harness/test.h"

TEST(array_index_nospec_keeps_what_is_below_and_drops_the_rest)
{
	static const u64 sizes[] = { 1, 2, 64, 463, 1ull << 31, 1ull << 32, 1ull << 63, ~0ull };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		u64 n = sizes[i];

		EXPECT_EQ(array_index_nospec(0, n), 0);
		EXPECT_EQ(array_index_nospec(n / 2, n), n / 2);
		EXPECT_EQ(array_index_nospec(n - 1, n), n - 1);
		EXPECT_EQ(array_index_nospec(n, n), 0);
		EXPECT_EQ(array_index_nospec(~0ull, n), 0);
	}
	EXPECT_EQ(array_index_nospec(5, 0), 0);
	EXPECT_EQ(array_index_nospec((u64)-1, 64), 0);
}

TEST(nospec_mask_is_all_or_nothing)
{
	EXPECT_EQ(nospec_mask(3, 4), ~0ull);
	EXPECT_EQ(nospec_mask(4, 4), 0);
	EXPECT_EQ(nospec_mask(0x7dffffffffff, 0x7e0000000000), ~0ull);
	EXPECT_EQ(nospec_mask(0x7e0000000000, 0x7e0000000000), 0);
	EXPECT_EQ(nospec_mask(0xffff800000000000, 0x7e0000000000), 0);
}

TEST(min_nospec_is_unsigned)
{
	EXPECT_EQ(min_nospec(1, 2), 1);
	EXPECT_EQ(min_nospec(2, 1), 1);
	EXPECT_EQ(min_nospec(7, 7), 7);
	EXPECT_EQ(min_nospec(~0ull, 1), 1);
	EXPECT_EQ(min_nospec(1, ~0ull), 1);
}
