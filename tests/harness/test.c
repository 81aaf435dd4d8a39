/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/test.h"

#include <errno.h>
#include <fnmatch.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct test_case *first_test;
static struct test_case **last_link = &first_test;
static size_t test_count;

static const struct test_case *running;
static atomic_uint failures;

void test_register(struct test_case *test)
{
	*last_link = test;
	last_link = &test->next;
	test_count++;
}

/* TAP takes lines that begin with # as remarks. */
__attribute__((format(printf, 1, 0))) static void note_line(const char *format, va_list args)
{
	fputs("# ", stdout);
	vprintf(format, args);
	putchar('\n');
	fflush(stdout);
}

void test_note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	note_line(format, args);
	va_end(args);
}

void test_stop(void)
{
	_fail(running->name, 0);
	abort();
}

void test_fatal(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	note_line(format, args);
	va_end(args);
	test_stop();
}

void test_skip(const char *reason, ...)
{
	va_list args;

	va_start(args, reason);
	note_line(reason, args);
	va_end(args);
	_skip(running->name, 0);
	abort();
}

static bool check(const struct test_site *site, bool holds, const char *op, const char *a,
		  const char *b)
{
	int saved = errno;

	if (holds)
		return true;
	atomic_fetch_add(&failures, 1);
	test_note("%s:%d: failed: %s %s %s", site->file, site->line, site->left, op, site->right);
	test_note("    left:  %s", a);
	test_note("    right: %s", b);
	test_note("    errno: %d (%s)", saved, strerror(saved));
	errno = saved;
	return false;
}

static const char *const op_names[] = {
	[TEST_EQ] = "==", [TEST_NE] = "!=", [TEST_LT] = "<",
	[TEST_LE] = "<=", [TEST_GT] = ">",  [TEST_GE] = ">=",
};

static bool op_holds(enum test_op op, test_int a, test_int b)
{
	switch (op) {
	case TEST_EQ:
		return a == b;
	case TEST_NE:
		return a != b;
	case TEST_LT:
		return a < b;
	case TEST_LE:
		return a <= b;
	case TEST_GT:
		return a > b;
	case TEST_GE:
		return a >= b;
	}
	return false;
}

/* Decimal and hexadecimal. 128-bit arguments come from 64-bit types, so one of these fits. */
static void format_int(char *buf, size_t size, test_int value)
{
	if (value < 0)
		snprintf(buf, size, "%lld (%#llx)", (long long)value, (long long)value);
	else
		snprintf(buf, size, "%llu (%#llx)", (unsigned long long)value,
			 (unsigned long long)value);
}

bool test_check_int(const struct test_site *site, enum test_op op, test_int a, test_int b)
{
	char left[64], right[64];

	if (op_holds(op, a, b))
		return true;
	format_int(left, sizeof(left), a);
	format_int(right, sizeof(right), b);
	return check(site, false, op_names[op], left, right);
}

bool test_check_pointer(const struct test_site *site, enum test_op op, const void *a, const void *b)
{
	char left[32], right[32];

	if (op_holds(op, (test_int)(uintptr_t)a, (test_int)(uintptr_t)b))
		return true;
	snprintf(left, sizeof(left), "%p", a);
	snprintf(right, sizeof(right), "%p", b);
	return check(site, false, op_names[op], left, right);
}

bool test_check_string(const struct test_site *site, const char *a, const char *b)
{
	bool equal = a && b ? strcmp(a, b) == 0 : a == b;

	return check(site, equal, "equals", a ? a : "(null)", b ? b : "(null)");
}

bool test_check_memory(const struct test_site *site, const void *a, const void *b, size_t n)
{
	const unsigned char *p = a, *q = b;
	char left[96], right[8];
	size_t i = 0;

	while (i < n && p[i] == q[i])
		i++;
	if (i == n)
		return true;
	snprintf(left, sizeof(left), "byte %zu of %zu is 0x%02x", i, n, p[i]);
	snprintf(right, sizeof(right), "0x%02x", q[i]);
	return check(site, false, "has the bytes of", left, right);
}

bool test_check_true(const struct test_site *site, bool value)
{
	return check(site, value, "is", value ? "true" : "false", "true");
}

bool test_check_ok(const struct test_site *site, int err)
{
	char left[96];

	snprintf(left, sizeof(left), "%d (%s)", err, strerror(err < 0 ? -err : err));
	return check(site, err == 0, "==", left, "0");
}

void test_rng_init(struct test_rng *rng, uint64_t seed)
{
	const char *text = getenv("TEST_SEED");

	rng->state = text ? strtoull(text, NULL, 0) : seed;
	test_note("TEST_SEED=%llu", (unsigned long long)rng->state);
}

uint64_t test_rng_next(struct test_rng *rng)
{
	uint64_t x = rng->state += 0x9e3779b97f4a7c15u;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

uint64_t test_rng_below(struct test_rng *rng, uint64_t limit)
{
	return test_rng_next(rng) % limit;
}

/* The watchdog: the test hangs, perhaps inside libc, so nothing but write() is safe here. */
static void on_alarm(int signal_number)
{
	static const char head[] = "Bail out! time limit reached in ";
	ssize_t n;

	(void)signal_number;
	n = write(STDOUT_FILENO, head, sizeof(head) - 1);
	n = write(STDOUT_FILENO, running->name, strlen(running->name));
	n = write(STDOUT_FILENO, "\n", 1);
	(void)n;
	_exit(124);
}

static unsigned int time_limit(void)
{
	const char *text = getenv("TEST_TIMEOUT");

	return text ? (unsigned int)strtoul(text, NULL, 10) : 60;
}

static void run_case(void **state)
{
	running = *state;
	atomic_store(&failures, 0);
	alarm(time_limit());
	running->run();
	alarm(0);
	if (atomic_load(&failures))
		test_stop();
}

static const char *program_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Whether the name matches one of the patterns in TESTS_NOT. */
static bool left_out(const char *name)
{
	char *patterns = strdup(getenv("TESTS_NOT") ?: ""), *rest = patterns, *pattern;
	bool match = false;

	while ((pattern = strsep(&rest, ",")))
		match |= fnmatch(pattern, name, 0) == 0;
	free(patterns);
	return match;
}

int main(int argc, char **argv)
{
	struct CMUnitTest *tests = calloc(test_count, sizeof(*tests));
	size_t n = 0;
	int failed;

	(void)argc;
	if (!tests)
		return 1;
	for (struct test_case *test = first_test; test; test = test->next)
		if (!left_out(test->name))
			tests[n++] = (struct CMUnitTest){ test->name, run_case, NULL, NULL, test };
	signal(SIGALRM, on_alarm);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	if (getenv("TESTS"))
		cmocka_set_test_filter(getenv("TESTS"));
	failed = _cmocka_run_group_tests(program_name(argv[0]), tests, n, NULL, NULL);
	free(tests);
	return failed ? 1 : 0;
}
