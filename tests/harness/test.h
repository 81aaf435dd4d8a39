/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The test harness: a thin layer over cmocka, which runs the tests and writes TAP.
 *
 *	TEST(list_add_links_in_order)
 *	{
 *		EXPECT_EQ(list_count(&head), 3);
 *	}
 *
 * A TEST registers itself; test.c has main(). EXPECT_* notes a failure and goes on, ASSERT_* ends
 * the test (only on the thread that runs it). Each prints file:line, both expressions and both
 * values.
 *
 * Environment: TESTS=PATTERN selects tests by name (* and ?), TESTS_NOT=PATTERN,… leaves some out,
 * TEST_TIMEOUT=SECONDS (default 60, 0 for none) limits each, TEST_SEED=N replaces the seed of
 * randomised ones.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

__extension__ typedef __int128 test_int;

struct test_case {
	const char *name;
	void (*run)(void);
	struct test_case *next;
};

/* Where a check stands and what it says. */
struct test_site {
	const char *file;
	int line;
	const char *left;
	const char *right;
};

enum test_op { TEST_EQ, TEST_NE, TEST_LT, TEST_LE, TEST_GT, TEST_GE };

void test_register(struct test_case *test);

/* Each returns whether the check holds; otherwise it has printed why and failed the test. */
bool test_check_int(const struct test_site *site, enum test_op op, test_int a, test_int b);
bool test_check_pointer(const struct test_site *site, enum test_op op, const void *a,
			const void *b);
/* Either may be NULL. */
bool test_check_string(const struct test_site *site, const char *a, const char *b);
bool test_check_memory(const struct test_site *site, const void *a, const void *b, size_t n);
bool test_check_true(const struct test_site *site, bool value);
/* 0, or prints the meaning of the −errno. */
bool test_check_ok(const struct test_site *site, int err);

/* Ends the running test: failed, if a check has failed. */
__attribute__((noreturn)) void test_stop(void);

/* Fails the running test with a message, and ends it. */
__attribute__((noreturn, format(printf, 1, 2))) void test_fatal(const char *format, ...);

/* Ends the running test as skipped. */
__attribute__((noreturn, format(printf, 1, 2))) void test_skip(const char *reason, ...);

/* A line in the log. */
__attribute__((format(printf, 1, 2))) void test_note(const char *format, ...);

/* Repeatable random numbers (splitmix64). */
struct test_rng {
	uint64_t state;
};

/* Seeds with @seed or TEST_SEED, and prints which. */
void test_rng_init(struct test_rng *rng, uint64_t seed);
uint64_t test_rng_next(struct test_rng *rng);
/* Less than @limit, which is not 0. */
uint64_t test_rng_below(struct test_rng *rng, uint64_t limit);

#define TEST(id)                                                                    \
	static void test_##id(void);                                                \
	static struct test_case test_case_##id = { .name = #id, .run = test_##id }; \
	__attribute__((constructor)) static void test_register_##id(void)           \
	{                                                                           \
		test_register(&test_case_##id);                                     \
	}                                                                           \
	static void test_##id(void)

#define TEST_SITE(l, r) (&(const struct test_site){ __FILE__, __LINE__, l, r })

#define EXPECT_INT_(op, a, b) test_check_int(TEST_SITE(#a, #b), op, (test_int)(a), (test_int)(b))

#define EXPECT_POINTER_(op, a, b) test_check_pointer(TEST_SITE(#a, #b), op, a, b)

/* Integers of any types, compared by value. */
#define EXPECT_EQ(a, b)        (void)EXPECT_INT_(TEST_EQ, a, b)
#define EXPECT_NE(a, b)        (void)EXPECT_INT_(TEST_NE, a, b)
#define EXPECT_LT(a, b)        (void)EXPECT_INT_(TEST_LT, a, b)
#define EXPECT_LE(a, b)        (void)EXPECT_INT_(TEST_LE, a, b)
#define EXPECT_GT(a, b)        (void)EXPECT_INT_(TEST_GT, a, b)
#define EXPECT_GE(a, b)        (void)EXPECT_INT_(TEST_GE, a, b)
#define EXPECT_PTR_EQ(a, b)    (void)EXPECT_POINTER_(TEST_EQ, a, b)
#define EXPECT_PTR_NE(a, b)    (void)EXPECT_POINTER_(TEST_NE, a, b)
#define EXPECT_NULL(a)         (void)EXPECT_POINTER_(TEST_EQ, a, NULL)
#define EXPECT_NOT_NULL(a)     (void)EXPECT_POINTER_(TEST_NE, a, NULL)
#define EXPECT_STR_EQ(a, b)    (void)test_check_string(TEST_SITE(#a, #b), a, b)
#define EXPECT_MEM_EQ(a, b, n) (void)test_check_memory(TEST_SITE(#a, #b), a, b, n)
#define EXPECT_TRUE(a)         (void)test_check_true(TEST_SITE(#a, "true"), a)
#define EXPECT_FALSE(a)        (void)test_check_true(TEST_SITE("!(" #a ")", "true"), !(a))
#define EXPECT_OK(a)           (void)test_check_ok(TEST_SITE(#a, "0"), a)

#define ASSERT_(check)               \
	do {                         \
		if (!(check))        \
			test_stop(); \
	} while (0)

#define ASSERT_EQ(a, b)        ASSERT_(EXPECT_INT_(TEST_EQ, a, b))
#define ASSERT_NE(a, b)        ASSERT_(EXPECT_INT_(TEST_NE, a, b))
#define ASSERT_LT(a, b)        ASSERT_(EXPECT_INT_(TEST_LT, a, b))
#define ASSERT_LE(a, b)        ASSERT_(EXPECT_INT_(TEST_LE, a, b))
#define ASSERT_GT(a, b)        ASSERT_(EXPECT_INT_(TEST_GT, a, b))
#define ASSERT_GE(a, b)        ASSERT_(EXPECT_INT_(TEST_GE, a, b))
#define ASSERT_PTR_EQ(a, b)    ASSERT_(EXPECT_POINTER_(TEST_EQ, a, b))
#define ASSERT_PTR_NE(a, b)    ASSERT_(EXPECT_POINTER_(TEST_NE, a, b))
#define ASSERT_NULL(a)         ASSERT_(EXPECT_POINTER_(TEST_EQ, a, NULL))
#define ASSERT_NOT_NULL(a)     ASSERT_(EXPECT_POINTER_(TEST_NE, a, NULL))
#define ASSERT_STR_EQ(a, b)    ASSERT_(test_check_string(TEST_SITE(#a, #b), a, b))
#define ASSERT_MEM_EQ(a, b, n) ASSERT_(test_check_memory(TEST_SITE(#a, #b), a, b, n))
#define ASSERT_TRUE(a)         ASSERT_(test_check_true(TEST_SITE(#a, "true"), a))
#define ASSERT_FALSE(a)        ASSERT_(test_check_true(TEST_SITE("!(" #a ")", "true"), !(a)))
#define ASSERT_OK(a)           ASSERT_(test_check_ok(TEST_SITE(#a, "0"), a))
