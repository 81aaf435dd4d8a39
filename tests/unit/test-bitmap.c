/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bitmap.h"

#include <string.h>

#include "harness/test.h"

enum { BITS = 200 };

TEST(set_and_clear_touch_one_bit)
{
	DECLARE_BITMAP(map, BITS) = { 0 };

	static_assert(sizeof(map) == 4 * sizeof(u64), "200 bits are 4 words");
	EXPECT_FALSE(bitmap_test_and_set(map, 63));
	EXPECT_TRUE(bitmap_test_and_set(map, 63));
	bitmap_assign(map, 64, true);
	EXPECT_EQ(map[0], 1ull << 63);
	EXPECT_EQ(map[1], 1);
	EXPECT_EQ(bitmap_weight(map, BITS), 2);
	EXPECT_TRUE(bitmap_test_and_clear(map, 63));
	EXPECT_FALSE(bitmap_test_and_clear(map, 63));
	bitmap_clear(map, 64);
	EXPECT_TRUE(bitmap_is_empty(map, BITS));
}

TEST(find_ignores_bits_beyond_the_end)
{
	u64 map[2] = { 0, ~0ull << 6 };

	EXPECT_EQ(bitmap_find_next_set(map, 70, 0), 70);
	EXPECT_EQ(bitmap_weight(map, 70), 0);
	EXPECT_EQ(bitmap_find_next_set(map, 71, 0), 70);
	map[0] = ~0ull;
	map[1] = 0x3f;
	EXPECT_EQ(bitmap_find_next_zero(map, 70, 0), 70);
	EXPECT_EQ(bitmap_find_next_zero(map, 71, 0), 70);
	EXPECT_EQ(bitmap_find_next_set(map, 70, 70), 70);
	EXPECT_EQ(bitmap_find_next_set(map, 70, 1000), 70);
	EXPECT_EQ(bitmap_find_next_set(map, 0, 0), 0);
}

TEST(ranges_match_single_bits)
{
	for (size_t start = 0; start < 140; start += 7) {
		for (size_t n = 0; start + n <= BITS; n += 5) {
			DECLARE_BITMAP(a, BITS) = { 0 };
			DECLARE_BITMAP(b, BITS) = { 0 };

			bitmap_set_range(a, start, n);
			for (size_t i = 0; i < n; i++)
				bitmap_set(b, start + i);
			ASSERT_MEM_EQ(a, b, sizeof(a));
			ASSERT_EQ(bitmap_weight(a, BITS), n);
			memset(a, 0xff, sizeof(a));
			bitmap_clear_range(a, start, n);
			for (size_t i = 0; i < BITMAP_WORDS(BITS); i++)
				ASSERT_EQ(a[i], ~b[i]);
		}
	}
}

TEST(random_searches_match_a_scan)
{
	DECLARE_BITMAP(map, BITS);
	struct test_rng rng;

	test_rng_init(&rng, 2);
	for (int step = 0; step < 2000; step++) {
		size_t start = test_rng_below(&rng, BITS), set = start, zero = start;

		for (size_t i = 0; i < BITMAP_WORDS(BITS); i++) {
			map[i] = test_rng_next(&rng) & test_rng_next(&rng) & test_rng_next(&rng);
			if (step % 2)
				map[i] = ~map[i];
		}
		while (set < BITS && !bitmap_test(map, set))
			set++;
		while (zero < BITS && bitmap_test(map, zero))
			zero++;
		ASSERT_EQ(bitmap_find_next_set(map, BITS, start), set);
		ASSERT_EQ(bitmap_find_next_zero(map, BITS, start), zero);
	}
}

TEST(iteration_visits_set_bits_in_order)
{
	static const size_t bits[] = { 0, 1, 63, 64, 127, 199 };
	DECLARE_BITMAP(map, BITS) = { 0 };
	size_t bit, n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(bits); i++)
		bitmap_set(map, bits[i]);
	bitmap_for_each_set(bit, map, BITS)
		EXPECT_EQ(bit, bits[n++]);
	EXPECT_EQ(n, ARRAY_SIZE(bits));
	bitmap_zero(map, BITS);
	EXPECT_TRUE(bitmap_is_empty(map, BITS));
}
