/* SPDX-License-Identifier: Apache-2.0 */
/* Checked arithmetic, the macros of types.h, hashes and number parsing. */
#include "base/checked.h"

#include "base/hash.h"
#include "base/parse.h"
#include "base/string.h"
#include "harness/test.h"

TEST(ckd_reports_overflow)
{
	u64 u;
	s32 s;
	u8 b;

	EXPECT_FALSE(ckd_add(&u, UINT64_MAX, 0u));
	EXPECT_TRUE(ckd_add(&u, UINT64_MAX, 1u));
	EXPECT_EQ(u, 0);
	EXPECT_TRUE(ckd_sub(&u, 0u, 1u));
	EXPECT_TRUE(ckd_mul(&u, 1ull << 32, 1ull << 32));
	EXPECT_FALSE(ckd_mul(&u, 1ull << 32, (1ull << 32) - 1));
	EXPECT_TRUE(ckd_add(&s, INT32_MAX, 1));
	EXPECT_TRUE(ckd_add(&b, 255, 1));
	EXPECT_FALSE(ckd_sub(&b, 256, 1));
	EXPECT_EQ(b, 255);
}

TEST(ckd_align_up_reports_wrap)
{
	u64 x;

	EXPECT_FALSE(ckd_align_up(&x, 1, PAGE_SIZE));
	EXPECT_EQ(x, PAGE_SIZE);
	EXPECT_FALSE(ckd_align_up(&x, UINT64_MAX - PAGE_SIZE + 1, PAGE_SIZE));
	EXPECT_EQ(x, UINT64_MAX - PAGE_SIZE + 1);
	EXPECT_TRUE(ckd_align_up(&x, UINT64_MAX - PAGE_SIZE + 2, PAGE_SIZE));
}

TEST(range_within_handles_ends)
{
	EXPECT_TRUE(range_within(0, 10, 10));
	EXPECT_TRUE(range_within(10, 0, 10));
	EXPECT_FALSE(range_within(1, 10, 10));
	EXPECT_FALSE(range_within(11, 0, 10));
	EXPECT_FALSE(range_within(UINT64_MAX, 2, 10));
}

TEST(alignment_macros)
{
	EXPECT_EQ(ALIGN_UP(4097u, 4096), 8192);
	EXPECT_EQ(ALIGN_DOWN(0xffffffffffffull, PAGE_SIZE), 0xfffffffff000ull);
	EXPECT_TRUE(IS_ALIGNED(0x200000ull, 0x200000));
	EXPECT_FALSE(IS_ALIGNED(0x201000ull, 0x200000));
	EXPECT_EQ(5 & PAGE_MASK, 5);
}

TEST(min_max_evaluate_once)
{
	int i = 0;

	EXPECT_EQ(MIN(++i, 10), 1);
	EXPECT_EQ(MAX(++i, 1), 2);
	EXPECT_EQ(i, 2);
}

TEST(hashes_match_published_values)
{
	/* FNV-1a test vectors; the first output of splitmix64 seeded with 0. */
	EXPECT_EQ(hash_string(""), 0xcbf29ce484222325ull);
	EXPECT_EQ(hash_string("a"), 0xaf63dc4c8601ec8cull);
	EXPECT_EQ(hash_string("foobar"), 0x85944171f73967e8ull);
	EXPECT_EQ(hash_bytes("foobar", 6, 0), 0x85944171f73967e8ull);
	EXPECT_EQ(hash_u64(0x9e3779b97f4a7c15ull), 0xe220a8397b1dcdafull);
	EXPECT_NE(hash_combine(1, 2), hash_combine(2, 1));
}

TEST(parse_u64_detects_overflow)
{
	u64 v = 7;

	EXPECT_TRUE(parse_u64("18446744073709551615", 10, UINT64_MAX, &v));
	EXPECT_EQ(v, UINT64_MAX);
	v = 7;
	EXPECT_FALSE(parse_u64("18446744073709551616", 10, UINT64_MAX, &v));
	EXPECT_FALSE(parse_u64("18446744073709551620", 10, UINT64_MAX, &v));
	EXPECT_FALSE(parse_u64("99999999999999999999999", 10, UINT64_MAX, &v));
	EXPECT_FALSE(parse_u64("256", 10, 255, &v));
	EXPECT_EQ(v, 7);
}

TEST(parse_u64_wants_whole_strings)
{
	static const char *const bad[] = { "",   " 1",  "1 ", "+1", "-1",
					   "0x", "0xg", "08", "1a", "0b2" };
	u64 v = 7;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (parse_u64(bad[i], 0, UINT64_MAX, &v))
			test_fatal("\"%s\" was taken", bad[i]);
	EXPECT_EQ(v, 7);
}

TEST(parse_u64_knows_prefixes)
{
	static const struct {
		const char *text;
		u64 value;
	} good[] = { { "0", 0 },
		     { "12", 12 },
		     { "010", 8 },
		     { "0o17", 15 },
		     { "0x1F", 31 },
		     { "0b101", 5 },
		     { "0xffffffffffffffff", UINT64_MAX } };
	u64 v;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		ASSERT_TRUE(parse_u64(good[i].text, 0, UINT64_MAX, &v));
		EXPECT_EQ(v, good[i].value);
	}
}

TEST(parse_s64_covers_both_ends)
{
	s64 v;

	EXPECT_TRUE(parse_s64("-9223372036854775808", &v));
	EXPECT_EQ(v, INT64_MIN);
	EXPECT_TRUE(parse_s64("+9223372036854775807", &v));
	EXPECT_EQ(v, INT64_MAX);
	EXPECT_FALSE(parse_s64("9223372036854775808", &v));
	EXPECT_FALSE(parse_s64("-9223372036854775809", &v));
	EXPECT_FALSE(parse_s64("--1", &v));
	EXPECT_FALSE(parse_s64("-", &v));
}

TEST(parse_size_takes_suffixes)
{
	u64 v;
	u32 w;

	EXPECT_TRUE(parse_size("512", &v));
	EXPECT_EQ(v, 512);
	EXPECT_TRUE(parse_size("4k", &v));
	EXPECT_EQ(v, 4096);
	EXPECT_TRUE(parse_size("2G", &v));
	EXPECT_EQ(v, 2ull << 30);
	EXPECT_TRUE(parse_size("16777215T", &v));
	EXPECT_FALSE(parse_size("16777216T", &v));
	EXPECT_FALSE(parse_size("G", &v));
	EXPECT_FALSE(parse_size("", &v));
	EXPECT_FALSE(parse_size("1X", &v));
	EXPECT_TRUE(parse_u32("4294967295", 10, &w));
	EXPECT_FALSE(parse_u32("4294967296", 10, &w));
}

TEST(parse_digits_stops_where_the_digits_do)
{
	const char text[] = "7fff:1";
	u64 v;

	EXPECT_PTR_EQ(parse_digits(text, text + 6, 16, &v), text + 4);
	EXPECT_EQ(v, 0x7fff);
	EXPECT_PTR_EQ(parse_digits(text, text + 2, 16, &v), text + 2);
	EXPECT_EQ(v, 0x7f);
	EXPECT_NULL(parse_digits(text + 4, text + 6, 16, &v));
	EXPECT_NULL(parse_digits(text, text, 16, &v));
}
