/* SPDX-License-Identifier: Apache-2.0 */
/* What happens before the kernel runs: image, layout, time parameters, handles and ids. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "harness/test.h"
#include "monitor/monitor.h"
#include "unit/test-hostcall-image.h"

static struct test_image elf;
static struct image img;

/* What image_parse() says of @elf as it is now. */
static int parse(size_t size)
{
	struct rf_error err;

	return image_parse(&img, &elf, size, &err);
}

TEST(image_parse_accepts_small_image)
{
	test_image_fill(&elf);
	ASSERT_EQ(parse(sizeof(elf)), 0);
	EXPECT_EQ(img.count, 2);
	EXPECT_EQ(img.data_start, KERNEL_IMAGE_OFF + 4096);
	EXPECT_EQ(img.end, KERNEL_IMAGE_OFF + 4096 + TEST_DATA_LEN);
	EXPECT_TRUE(image_is_text(&img, TEST_IMAGE_BASE));
	EXPECT_FALSE(image_is_text(&img, TEST_DATA_VA));
	EXPECT_FALSE(image_is_text(&img, 0));
}

TEST(image_parse_refuses_truncation_at_every_length)
{
	size_t needed = offsetof(struct test_image, header) + sizeof(elf.header);

	test_image_fill(&elf);
	for (size_t n = 0; n < needed; n++)
		ASSERT_EQ(parse(n), -ENOEXEC);
	EXPECT_EQ(parse(needed), 0);
}

/* Changes one 64-bit field and expects a refusal. */
static void expect_refused(void *field, u64 value, size_t width)
{
	memcpy(field, &value, width);
	EXPECT_EQ(parse(sizeof(elf)), -ENOEXEC);
	test_image_fill(&elf);
}

TEST(image_parse_refuses_hostile_fields)
{
	test_image_fill(&elf);
	expect_refused(&elf.eh.e_type, ET_DYN, 2);
	expect_refused(&elf.eh.e_machine, EM_386, 2);
	expect_refused(&elf.eh.e_phoff, ~7ull, 8);
	expect_refused(&elf.eh.e_phoff, 1, 8);
	expect_refused(&elf.eh.e_phnum, 0xffff, 2);
	expect_refused(&elf.eh.e_phentsize, 1, 2);
	expect_refused(&elf.ph[0].p_vaddr, RF_ARENA_BASE, 8);
	expect_refused(&elf.ph[0].p_vaddr, 0x400000, 8);
	expect_refused(&elf.ph[0].p_vaddr, TEST_IMAGE_BASE + 8, 8);
	expect_refused(&elf.ph[0].p_offset, ~0ull, 8);
	expect_refused(&elf.ph[0].p_filesz, 8192, 8);
	expect_refused(&elf.ph[0].p_flags, PF_R | PF_W | PF_X, 4);
	expect_refused(&elf.ph[0].p_type, PT_INTERP, 4);
	expect_refused(&elf.ph[1].p_memsz, ~0ull, 8);
	expect_refused(&elf.ph[1].p_memsz, IMAGE_BYTES_MAX, 8);
	expect_refused(&elf.ph[1].p_vaddr, TEST_IMAGE_BASE, 8);
	expect_refused(&elf.header.magic, 0, 8);
	expect_refused(&elf.header.version, BOOT_VERSION + 1, 4);
	expect_refused(&elf.header.entry_host, TEST_DATA_VA, 8);
	expect_refused(&elf.header.entry_guest, 0, 8);
	expect_refused(&elf.header.boot_stacks, TEST_IMAGE_BASE, 8);
	expect_refused(&elf.header.boot_stacks, TEST_DATA_VA + 16, 8);
	expect_refused(&elf.header.boot_stack_size, ~0ull, 8);
}

TEST(layout_compute_has_room_for_everything)
{
	for (u64 memory = 32ull << 20; memory <= 64ull << 30; memory *= 2) {
		struct layout l;

		ASSERT_EQ(layout_compute(&l, KERNEL_IMAGE_OFF + 0x123000, memory, 4096), 0);
		EXPECT_EQ(l.tables_start % (2 << 20), 0);
		EXPECT_GE(l.tables_start, KERNEL_IMAGE_OFF + 0x123000);
		EXPECT_GE(l.stacks_start - l.free_start, memory + memory / 64);
		EXPECT_EQ(l.arena_size - l.stacks_start, 4096 * KSTACK_SLOT);
		EXPECT_EQ(l.arena_size % (2 << 20), 0);
	}
}

TEST(layout_compute_refuses_more_than_the_arena)
{
	struct layout l;

	EXPECT_EQ(layout_compute(&l, KERNEL_IMAGE_OFF, RF_ARENA_MAX, 4096), -EINVAL);
	EXPECT_EQ(layout_compute(&l, KERNEL_IMAGE_OFF, ~0ull, 4096), -EINVAL);
	EXPECT_EQ(layout_compute(&l, KERNEL_IMAGE_OFF, 1 << 30, 0), -EINVAL);
	EXPECT_EQ(layout_compute(&l, KERNEL_IMAGE_OFF, 1 << 30, UINT32_MAX), -EINVAL);
}

TEST(clock_rate_is_exact_enough)
{
	static const u64 khz[] = { 100000, 999999, 1000000, 2596000, 5000000 };

	for (size_t i = 0; i < ARRAY_SIZE(khz); i++) {
		u32 mult, shift;
		struct time_params p = { 0 };
		u64 ns;

		ASSERT_TRUE(clock_rate(khz[i] * 1000, 1000000000, &mult, &shift));
		p.mult = mult;
		p.shift = shift;
		ns = clock_extrapolate(&p, khz[i] * 1000);
		EXPECT_LE(ns > 1000000000 ? ns - 1000000000 : 1000000000 - ns, 200);
		/* Readers may multiply in 64 bits for as long as the event thread sleeps. */
		EXPECT_LT((unsigned __int128)mult * khz[i] * 1000 * 300,
			  (unsigned __int128)1 << 64);
	}
}

TEST(clock_rate_refuses_nothing_measured)
{
	u32 mult, shift;

	EXPECT_FALSE(clock_rate(0, 1, &mult, &shift));
	EXPECT_FALSE(clock_rate(1, 0, &mult, &shift));
	EXPECT_FALSE(clock_rate(1, 1000000000, &mult, &shift));
}

TEST(clock_params_never_go_back)
{
	struct clock_sample s = { .tsc = 1000, .mono = 5000000, .real = 7000000, .boot = 6000000 };
	u32 mult = 1u << 22, shift = 22;
	struct time_params p = clock_params(NULL, &s, mult, shift), q;

	/* The host says 100 ns less than readers have seen. */
	s.tsc += 1000000000;
	s.mono += 1000000000 - 100;
	s.real += 1000000000 - 100;
	q = clock_params(&p, &s, mult, shift);
	EXPECT_EQ(q.mono_ns, clock_extrapolate(&p, s.tsc));
	EXPECT_LE(q.mult, p.mult);
	EXPECT_EQ(q.real_ns - q.mono_ns, 2000000);
	/* The host is ahead: follow at once. */
	s.tsc += 1000000000;
	s.mono += 1000001000;
	q = clock_params(&q, &s, mult, shift);
	EXPECT_EQ(q.mono_ns, s.mono);
	EXPECT_EQ(q.mult, mult);
}

/* CLOCK_REALTIME is not moved by what reading two clocks one after the other is wrong by, only by what somebody sets. */
TEST(clock_params_follow_settings_not_noise)
{
	struct clock_sample s = {
		.tsc = 1000, .mono = 5000000, .real = 7000000, .boot = 6000000, .error = 300
	};
	struct time_params p = clock_params(NULL, &s, 1u << 22, 22);

	s.real -= 300;
	s.boot += 300;
	p = clock_params(&p, &s, 1u << 22, 22);
	EXPECT_EQ(p.real_ns - p.mono_ns, 2000000);
	EXPECT_EQ(p.boot_ns - p.mono_ns, 1000000);
	s.real -= 5000;
	p = clock_params(&p, &s, 1u << 22, 22);
	EXPECT_EQ(p.real_ns - p.mono_ns, 2000000 - 5300);
}

static void published_clock(struct clock *c, struct time_params *p)
{
	clock_init(c);
	if (!c->reliable)
		test_skip("the TSC of this machine is not reliable");
	ASSERT_GT(clock_publish(c, p), 0);
}

static void expect_the_hosts_time(const struct time_params *p)
{
	u64 now = clock_now_ns(CLOCK_MONOTONIC);
	u64 seen = clock_extrapolate(p, clock_sample_take().tsc);

	EXPECT_EQ(p->seq % 2, 0);
	/* Generous: the machine may be busy between the two. */
	EXPECT_LT(seen > now ? seen - now : now - seen, 50000000);
}

TEST(clock_follows_the_host)
{
	struct clock c;
	struct time_params p = { 0 };

	published_clock(&c, &p);
	expect_the_hosts_time(&p);
}

TEST(clock_refresh_believes_nothing_it_published)
{
	struct clock c;
	struct time_params p = { 0 };

	published_clock(&c, &p);
	memset(&p, 0xff, sizeof(p)); /* what readers write is theirs alone */
	c.next_ns = 0;
	clock_refresh(&c, &p, clock_now_ns(CLOCK_MONOTONIC));
	EXPECT_LE(p.shift, 60);
	expect_the_hosts_time(&p);
}

TEST(handle_is_stale_after_close)
{
	static struct handle_table t;
	u64 first, second;
	struct handle *h;

	ASSERT_EQ(handle_table_init(&t), 0);
	ASSERT_EQ(handle_install(&t, dup(1), HANDLE_FILE, 0, &first), 0);
	EXPECT_LT(first, 1ull << 32);
	h = handle_get(&t, first, HANDLE_FILE);
	ASSERT_NOT_NULL(h);
	EXPECT_TRUE(handle_get(&t, first, HANDLE_DIR) == NULL);
	EXPECT_EQ(handle_close(&t, first), 0);
	/* In use: the descriptor stays open, the name is gone. */
	EXPECT_GE(fcntl(h->fd, F_GETFD), 0);
	EXPECT_TRUE(handle_get(&t, first, HANDLE_FILE) == NULL);
	EXPECT_EQ(handle_close(&t, first), -EBADF);
	handle_put(&t, h);
	ASSERT_EQ(handle_install(&t, dup(1), HANDLE_FILE, 0, &second), 0);
	EXPECT_NE(first, second);
	EXPECT_EQ(first % HC_HANDLES_MAX, second % HC_HANDLES_MAX);
	EXPECT_TRUE(handle_get(&t, first, HANDLE_FILE) == NULL);
	EXPECT_EQ(handle_close(&t, ~0ull), -EBADF);
	EXPECT_EQ(handle_close(&t, 0), -EBADF);
	handle_table_done(&t);
}

TEST(handle_table_refuses_one_too_many)
{
	static struct handle_table t;
	u64 h, last = 0;

	ASSERT_EQ(handle_table_init(&t), 0);
	/* One descriptor number for all: the table must not look at it. */
	for (u32 i = 0; i < HC_HANDLES_MAX; i++)
		ASSERT_EQ(handle_install(&t, 1000000 + (int)i, HANDLE_FILE, 0, &last), 0);
	EXPECT_EQ(handle_install(&t, dup(1), HANDLE_FILE, 0, &h), -EMFILE);
	EXPECT_EQ(handle_close(&t, last), 0);
	EXPECT_EQ(handle_install(&t, dup(1), HANDLE_FILE, 0, &h), 0);
	handle_table_done(&t);
}

TEST(id_table_reuses_and_checks)
{
	struct id_table t;
	int a, b, d;

	ASSERT_EQ(id_table_init(&t, 2), 0);
	EXPECT_EQ(id_table_add(&t, &a), 1);
	EXPECT_EQ(id_table_add(&t, &b), 2);
	EXPECT_EQ(id_table_add(&t, &d), -ENOSPC);
	EXPECT_TRUE(id_table_get(&t, 0) == NULL);
	EXPECT_TRUE(id_table_get(&t, 3) == NULL);
	EXPECT_TRUE(id_table_get(&t, ~0ull) == NULL);
	EXPECT_TRUE(id_table_take(&t, 1) == &a);
	EXPECT_TRUE(id_table_take(&t, 1) == NULL);
	EXPECT_EQ(id_table_add(&t, &d), 1);
	EXPECT_TRUE(id_table_get(&t, 1) == &d);
	id_table_done(&t);
}
