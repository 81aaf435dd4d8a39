/* SPDX-License-Identifier: Apache-2.0 */
/* Every case is formatted by libc too, which must agree on the text and the length. */
#include "base/format.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "harness/test.h"

/* The compiler would warn of flags it thinks useless; they have a meaning all the same. */
#pragma GCC diagnostic ignored "-Wformat"
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wformat-truncation"
#pragma GCC diagnostic ignored "-Wformat-overflow"
#endif

#define CHECK(...)                                                                   \
	do {                                                                         \
		char want_[256], got_[256];                                          \
		int want_len_ = snprintf(want_, sizeof(want_), __VA_ARGS__);         \
		EXPECT_EQ(fmt_snprintf(got_, sizeof(got_), __VA_ARGS__), want_len_); \
		EXPECT_STR_EQ(got_, want_);                                          \
	} while (0)

TEST(integers_match_libc)
{
	static const long values[] = { 0,     1,       -1,      7,        255,     256,
				       -4096, INT_MAX, INT_MIN, LONG_MAX, LONG_MIN };

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		long v = values[i];

		CHECK("%d %i %u %x %X %o", (int)v, (int)v, (unsigned)v, (unsigned)v, (unsigned)v,
		      (unsigned)v);
		CHECK("%ld %lu %lx %lo", v, (unsigned long)v, (unsigned long)v, (unsigned long)v);
		CHECK("%lld %llX %zd %zu %jd %td", (long long)v, (unsigned long long)v, v,
		      (size_t)v, (intmax_t)v, (ptrdiff_t)v);
		CHECK("%hd %hu %hhd %hhx", (short)v, (unsigned short)v, (signed char)v,
		      (unsigned char)v);
	}
}

TEST(flags_width_and_precision_match_libc)
{
	static const int values[] = { 0, 5, -5, 123456 };

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		int v = values[i];

		CHECK("[%5d][%-5d][%05d][%+d][% d][%+5d][%-+7d]", v, v, v, v, v, v, v);
		CHECK("[%.0d][%.3d][%8.3d][%-8.3d][%08.3d][%+.4d]", v, v, v, v, v, v);
		CHECK("[%#x][%#o][%#8x][%#08x][%-#8x][%#.4o][%#.0o][%#X]", (unsigned)v, (unsigned)v,
		      (unsigned)v, (unsigned)v, (unsigned)v, (unsigned)v, (unsigned)v, (unsigned)v);
		CHECK("[%*d][%-*d][%*d][%.*d][%*.*d]", 7, v, 7, v, -7, v, 4, v, 9, 3, v);
		CHECK("[%.*d]", -3, v);
		CHECK("[%0-6d]", v);
	}
}

TEST(text_matches_libc)
{
	const char unterminated[3] = { 'x', 'y', 'z' };

	CHECK("%s|%5s|%-5s|%.2s|%5.1s|%.0s", "abc", "abc", "abc", "abc", "abc", "abc");
	CHECK("%.3s|%.*s", unterminated, 2, unterminated);
	CHECK("%c%5c%-3c|", 'a', 'b', 'c');
	CHECK("100%% %s", "sure");
	CHECK("%p %20p %-20p|", (void *)0x1234, (void *)0xdeadbeefcafe, (void *)0x7e0000000000);
	CHECK("%s", (const char *)NULL);
}

TEST(null_pointer_is_a_number)
{
	char buf[16];

	fmt_snprintf(buf, sizeof(buf), "%p", NULL);
	EXPECT_STR_EQ(buf, "0x0");
}

TEST(truncation_terminates_and_returns_the_whole_length)
{
	for (size_t size = 0; size < 16; size++) {
		char buf[16];

		memset(buf, '#', sizeof(buf));
		EXPECT_EQ(fmt_snprintf(buf, size, "%s-%d", "hello", 12345), 11);
		if (size) {
			EXPECT_EQ(strlen(buf), MIN(size - 1, (size_t)11));
			EXPECT_EQ(memcmp(buf, "hello-12345", strlen(buf)), 0);
		}
		if (size < 11)
			EXPECT_EQ(buf[size], '#');
	}
	EXPECT_EQ(fmt_snprintf(NULL, 0, "%1000d", 1), 1000);
}

TEST(huge_widths_are_counted_quickly)
{
	char buf[8];

	EXPECT_EQ(fmt_snprintf(buf, sizeof(buf), "%*d", INT_MAX, 1), INT_MAX);
	EXPECT_STR_EQ(buf, "       ");
	EXPECT_EQ(fmt_snprintf(buf, sizeof(buf), "%*d%*d", INT_MAX, 1, INT_MIN, 1), INT_MAX);
}

TEST(unknown_conversion_ends_conversion)
{
	char buf[32];

	EXPECT_EQ(fmt_snprintf(buf, sizeof(buf), "%d %y %d", 1, 2), 7);
	EXPECT_STR_EQ(buf, "1 %y %d");
	EXPECT_EQ(fmt_snprintf(buf, sizeof(buf), "end %"), 5);
	EXPECT_STR_EQ(buf, "end %");
}

TEST(append_stops_at_the_end)
{
	char buf[8];
	size_t len = 0;

	EXPECT_TRUE(fmt_append(buf, sizeof(buf), &len, "%d,", 12));
	EXPECT_TRUE(fmt_append(buf, sizeof(buf), &len, "%s", "abcd"));
	EXPECT_EQ(len, 7);
	EXPECT_FALSE(fmt_append(buf, sizeof(buf), &len, "x"));
	EXPECT_FALSE(fmt_append(buf, sizeof(buf), &len, "yy"));
	EXPECT_EQ(len, 7);
	EXPECT_STR_EQ(buf, "12,abcd");
}
