/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel image's string functions, under other names, compared with libc's. */
#include "base/string.h"

#include <stdlib.h>

#include "harness/test.h"

void *kernel_memcpy(void *restrict dst, const void *restrict src, size_t n);
void *kernel_memmove(void *dst, const void *src, size_t n);
void *kernel_memset(void *dst, int c, size_t n);
int kernel_memcmp(const void *a, const void *b, size_t n);
void *kernel_memchr(const void *s, int c, size_t n);
size_t kernel_strlen(const char *s);
size_t kernel_strnlen(const char *s, size_t n);
int kernel_strcmp(const char *a, const char *b);
int kernel_strncmp(const char *a, const char *b, size_t n);
char *kernel_strchr(const char *s, int c);
char *kernel_strchrnul(const char *s, int c);
char *kernel_strrchr(const char *s, int c);
char *kernel_strstr(const char *s, const char *needle);

#define memcpy    kernel_memcpy
#define memmove   kernel_memmove
#define memset    kernel_memset
#define memcmp    kernel_memcmp
#define memchr    kernel_memchr
#define strlen    kernel_strlen
#define strnlen   kernel_strnlen
#define strcmp    kernel_strcmp
#define strncmp   kernel_strncmp
#define strchr    kernel_strchr
#define strchrnul kernel_strchrnul
#define strrchr   kernel_strrchr
#define strstr    kernel_strstr
#include "base/string_kernel.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef memchr
#undef strlen
#undef strnlen
#undef strcmp
#undef strncmp
#undef strchr
#undef strchrnul
#undef strrchr
#undef strstr

enum { BUFFER = 1024 };

static const size_t sizes[] = { 0,  1,  2,  3,  4,   5,   7,   8,   9,   15,  16,  17,  23,
				24, 31, 63, 64, 127, 128, 129, 135, 136, 255, 256, 300, 512 };

static void fill_random(struct test_rng *rng, u8 *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (u8)test_rng_next(rng);
}

static int sign(int x)
{
	return (x > 0) - (x < 0);
}

TEST(memmove_matches_libc_for_every_overlap)
{
	u8 start[BUFFER], want[BUFFER], got[BUFFER];
	struct test_rng rng;

	test_rng_init(&rng, 3);
	fill_random(&rng, start, BUFFER);
	for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
		for (size_t to = 0; to < 400; to += to < 300 && to > 100 ? 1 : 13) {
			memcpy(want, start, BUFFER);
			memcpy(got, start, BUFFER);
			memmove(want + to, want + 200, sizes[s]);
			ASSERT_PTR_EQ(kernel_memmove(got + to, got + 200, sizes[s]), got + to);
			ASSERT_MEM_EQ(got, want, BUFFER);
		}
	}
}

TEST(memcpy_and_memset_match_libc)
{
	u8 src[BUFFER], want[BUFFER], got[BUFFER];
	struct test_rng rng;

	test_rng_init(&rng, 4);
	fill_random(&rng, src, BUFFER);
	fill_random(&rng, want, BUFFER);
	memcpy(got, want, BUFFER);
	for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
		for (size_t at = 0; at < 20; at++) {
			memcpy(want + at, src + 19 - at, sizes[s]);
			ASSERT_PTR_EQ(kernel_memcpy(got + at, src + 19 - at, sizes[s]), got + at);
			ASSERT_MEM_EQ(got, want, BUFFER);
			memset(want + at * 2, (int)(at * 77 + 0x100), sizes[s]);
			kernel_memset(got + at * 2, (int)(at * 77 + 0x100), sizes[s]);
			ASSERT_MEM_EQ(got, want, BUFFER);
		}
	}
}

TEST(memcmp_and_memchr_find_the_first_difference)
{
	u8 a[100], b[100];

	memset(a, 0x80, sizeof(a));
	memset(b, 0x80, sizeof(b));
	EXPECT_EQ(kernel_memcmp(a, b, sizeof(a)), 0);
	for (size_t i = 0; i < sizeof(a); i++) {
		b[i] = 0x7f;
		b[99] = i == 99 ? 0x7f : 0xff;
		ASSERT_GT(kernel_memcmp(a, b, sizeof(a)), 0);
		ASSERT_LT(kernel_memcmp(b, a, sizeof(a)), 0);
		ASSERT_EQ(kernel_memcmp(a, b, i), 0);
		ASSERT_PTR_EQ(kernel_memchr(b, 0x17f, sizeof(b)), b + i);
		b[i] = 0x80;
	}
	EXPECT_NULL(kernel_memchr(a, 1, sizeof(a)));
}

TEST(string_searches_match_libc)
{
	static const char *const texts[] = { "",       "a",     "ab",    "abc", "abd",
					     "abcabd", "\x80z", "zz/a/", "aab", "aaab" };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		const char *s = texts[i];

		EXPECT_EQ(kernel_strlen(s), strlen(s));
		EXPECT_EQ(kernel_strnlen(s, 2), strnlen(s, 2));
		for (int c = 0; c < 256; c++) {
			ASSERT_PTR_EQ(kernel_strchr(s, c), strchr(s, c));
			ASSERT_PTR_EQ(kernel_strrchr(s, c), strrchr(s, c));
		}
		EXPECT_EQ(*kernel_strchrnul(s, 'b'), strchr(s, 'b') ? 'b' : 0);
		for (size_t j = 0; j < ARRAY_SIZE(texts); j++) {
			const char *t = texts[j];

			EXPECT_EQ(sign(kernel_strcmp(s, t)), sign(strcmp(s, t)));
			EXPECT_EQ(sign(kernel_strncmp(s, t, 2)), sign(strncmp(s, t, 2)));
			EXPECT_PTR_EQ(kernel_strstr(s, t), strstr(s, t));
		}
	}
}

TEST(strlcpy_and_strlcat_terminate_and_report_truncation)
{
	char buf[8] = "zzzzzzz";

	EXPECT_EQ(strlcpy(buf, "abc", sizeof(buf)), 3);
	EXPECT_STR_EQ(buf, "abc");
	EXPECT_EQ(strlcat(buf, "defghij", sizeof(buf)), 10);
	EXPECT_STR_EQ(buf, "abcdefg");
	EXPECT_EQ(strlcpy(buf, "xyz", 1), 3);
	EXPECT_STR_EQ(buf, "");
	buf[0] = 'k';
	EXPECT_EQ(strlcpy(buf, "xyz", 0), 3);
	EXPECT_EQ(buf[0], 'k');
	EXPECT_EQ(strlcat(buf, "xyz", 0), 3);
}

TEST(prefix_suffix_and_zero_helpers)
{
	u8 zeros[33] = { 0 };

	EXPECT_TRUE(str_starts_with("/proc/self", "/proc"));
	EXPECT_TRUE(str_starts_with("x", ""));
	EXPECT_FALSE(str_starts_with("/pro", "/proc"));
	EXPECT_TRUE(str_ends_with("a.so", ".so"));
	EXPECT_FALSE(str_ends_with("so", ".so"));
	EXPECT_TRUE(str_equal("a", "a"));
	EXPECT_TRUE(mem_is_zero(zeros, sizeof(zeros)));
	EXPECT_TRUE(mem_is_zero(zeros, 0));
	for (size_t i = 0; i < sizeof(zeros); i++) {
		zeros[i] = 1;
		EXPECT_FALSE(mem_is_zero(zeros, sizeof(zeros)));
		zeros[i] = 0;
	}
}
