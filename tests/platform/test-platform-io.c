/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Address-space I/O at every offset: success, alignment, and faults at each byte of a page
 * boundary, for pages that are absent, read-only or not readable as data.
 */
#include <pthread.h>
#include <sched.h>

#include "platform/fixture.h"

#define P    0x700000ul
#define EDGE (P + 0x1000) /* the first page is usable, what follows is not */

enum behind { ABSENT, READ_ONLY, END_OF_USER, BEHINDS };

static uint64_t edge_of(enum behind behind)
{
	return behind == END_OF_USER ? RF_MAX_USER_ADDRESS : EDGE;
}

static uint8_t *edge_up(struct fixture *f, enum behind behind)
{
	fixture_up(f, 1);
	ASSERT_OK(rf_address_space_map_file(f->as, edge_of(behind) - 0x1000, FRAME(0), 0x1000,
					    RF_READ | RF_WRITE, false));
	if (behind == READ_ONLY)
		ASSERT_OK(rf_address_space_map_file(f->as, EDGE, FRAME(9), 0x1000, RF_READ, false));
	for (unsigned i = 0; i < 0x1000; i++)
		f->memory[FRAME(0) + i] = (uint8_t)(i * 7);
	memset(f->memory + FRAME(1), 0x5a, 0x1000); /* the frame behind: nobody's business */
	memset(f->memory + FRAME(9), 0x66, 0x1000);
	return f->memory + FRAME(0) + 0x1000;
}

TEST(copy_in_stops_at_the_byte_before_the_edge)
{
	uint8_t buf[128];
	struct fixture f;

	for (int behind = 0; behind < BEHINDS; behind++) {
		uint64_t at = edge_of((enum behind)behind);
		const uint8_t *end = edge_up(&f, (enum behind)behind);

		for (size_t before = 0; before <= 64; before++) {
			size_t want = behind == READ_ONLY ? 64 : before;

			memset(buf, 0xee, sizeof(buf));
			ASSERT_EQ(rf_address_space_copy_in(f.as, buf, at - before, 64), want);
			ASSERT_EQ(memcmp(buf, end - before, before), 0);
			ASSERT_EQ(buf[want], 0xee);
		}
		fixture_down(&f);
	}
}

TEST(copy_out_and_zero_stop_at_the_byte_before_the_edge)
{
	uint8_t buf[64];
	struct fixture f;

	for (int behind = 0; behind < BEHINDS; behind++) {
		uint64_t at = edge_of((enum behind)behind);
		uint8_t *end = edge_up(&f, (enum behind)behind);

		for (size_t before = 0; before <= 64; before++) {
			memset(end - 128, 0x11, 128);
			memset(buf, 0x22, sizeof(buf));
			ASSERT_EQ(rf_address_space_copy_out(f.as, at - before, buf, 64), before);
			for (size_t i = 0; i < 128; i++)
				ASSERT_EQ(end[-1 - (long)i], i < before ? 0x22 : 0x11);
			ASSERT_EQ(rf_address_space_zero_out(f.as, at - before, 64), before);
			for (size_t i = 0; i < 128; i++)
				ASSERT_EQ(end[-1 - (long)i], i < before ? 0 : 0x11);
			ASSERT_EQ(f.memory[FRAME(1)], 0x5a);
			ASSERT_EQ(f.memory[FRAME(9)], 0x66);
		}
		fixture_down(&f);
	}
}

TEST(copies_cross_pages_with_different_frames)
{
	static const uint64_t frames[] = { 5, 2, 7, 3 };
	uint8_t in[0x4000], out[0x4000];
	struct test_rng rng;
	struct fixture f;

	fixture_up(&f, 1);
	test_rng_init(&rng, 0xc0b1);
	for (size_t i = 0; i < 4; i++)
		ASSERT_OK(rf_address_space_map_file(f.as, P + i * 0x1000, FRAME(frames[i]), 0x1000,
						    RF_READ | RF_WRITE, false));
	for (int round = 0; round < 200; round++) {
		size_t from = test_rng_below(&rng, 0x4000),
		       n = test_rng_below(&rng, 0x4000 - from) + 1;

		for (size_t i = 0; i < n; i++)
			out[i] = (uint8_t)test_rng_next(&rng);
		ASSERT_EQ(rf_address_space_copy_out(f.as, P + from, out, n), n);
		for (size_t i = 0; i < n; i += 1 + n / 50) {
			uint64_t offset = FRAME(frames[(from + i) >> 12]) + ((from + i) & 0xfff);

			ASSERT_EQ(f.memory[offset], out[i]);
		}
		ASSERT_EQ(rf_address_space_copy_in(f.as, in, P + from, n), n);
		ASSERT_EQ(memcmp(in, out, n), 0);
	}
	fixture_down(&f);
}

/* Aligned words never cross a page; every other address is refused. */
TEST(word_operations_need_alignment_and_access)
{
	struct fixture f;
	uint32_t old;

	for (int behind = 0; behind < BEHINDS; behind++) {
		uint64_t at = edge_of((enum behind)behind);
		uint8_t *end = edge_up(&f, (enum behind)behind);

		for (uint64_t a = at - 16; a < at + 16; a++) {
			bool good = a % 4 == 0 && a < at;
			bool readable = good || (a % 4 == 0 && behind == READ_ONLY);
			uint32_t word = 0;

			if (good)
				memcpy(&word, end - (at - a), 4);
			ASSERT_EQ(rf_address_space_load_u32(f.as, a, &old), readable ? 0 : -14);
			if (good)
				ASSERT_EQ(old, word);
			ASSERT_EQ(rf_address_space_swap_u32(f.as, a, 0xabcd, &old), good ? 0 : -14);
			if (good)
				ASSERT_EQ(old, word);
			ASSERT_EQ(rf_address_space_cas_u32(f.as, a, 0xabcd, word, &old),
				  good ? 0 : -14);
			if (good)
				ASSERT_EQ(old, 0xabcd);
			ASSERT_EQ(rf_address_space_cas_u32(f.as, a, word ^ 1, 5, &old),
				  good ? 0 : -14);
			if (good) {
				ASSERT_EQ(old, word);
				ASSERT_EQ(memcmp(end - (at - a), &word, 4), 0);
			}
		}
		ASSERT_EQ(f.memory[FRAME(1)], 0x5a);
		ASSERT_EQ(f.memory[FRAME(9)], 0x66);
		fixture_down(&f);
	}
}

TEST(hostile_addresses_are_no_memory)
{
	static const uint64_t bad[] = { 0,
					1,
					0xfff,
					RF_MAX_USER_ADDRESS,
					RF_ARENA_BASE + 8,
					0x7fffffffffff,
					0x800000000000,
					0xffff800000000000,
					0xffffffffffffffff,
					0xfffffffffffff000 };
	struct fixture f;
	uint8_t buf[16];
	uint32_t old;

	fixture_up(&f, 1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		EXPECT_EQ(rf_address_space_copy_in(f.as, buf, bad[i], 16), 0);
		EXPECT_EQ(rf_address_space_copy_out(f.as, bad[i], buf, 16), 0);
		EXPECT_EQ(rf_address_space_zero_out(f.as, bad[i], 16), 0);
		EXPECT_EQ(rf_address_space_load_u32(f.as, bad[i], &old), -14);
		EXPECT_EQ(rf_address_space_swap_u32(f.as, bad[i], 1, &old), -14);
		EXPECT_EQ(rf_address_space_cas_u32(f.as, bad[i], 1, 2, &old), -14);
		EXPECT_EQ(rf_address_space_copy_in(f.as, buf, bad[i], 0), 0);
	}
	/* A length that wraps around ends at the end of what is mapped. */
	EXPECT_EQ(rf_address_space_zero_out(f.as, DATA + 0xff0, ~0ul), 16);
	fixture_down(&f);
}

USER_CODE(code_add, "1: lock incl (%rdi)\n dec %ecx\n jnz 1b\n syscall");

#define ADDS 200000u

static void *adder_main(void *arg)
{
	struct fixture *f = arg;

	f->regs.rdi = DATA;
	f->regs.rcx = ADDS;
	return rf_context_switch(f->c, f->as, &f->regs, 0, &f->trap) ? NULL : arg;
}

/* The host's word operations and user code's own are atomic to each other. */
TEST(word_operations_are_atomic_against_user_code)
{
	uint32_t *word, old, done = 0;
	pthread_t thread;
	struct fixture f;
	void *result;

	fixture_up(&f, 1);
	LOAD(&f, code_add);
	word = (uint32_t *)(f.memory + DATA_OFF);
	*word = 0;
	ASSERT_EQ(pthread_create(&thread, NULL, adder_main, &f), 0);
	while (!__atomic_load_n(word, __ATOMIC_RELAXED))
		sched_yield();
	while (done < 1000 || (done < 100000 && __atomic_load_n(word, __ATOMIC_RELAXED) < ADDS)) {
		ASSERT_OK(rf_address_space_load_u32(f.as, DATA, &old));
		for (uint32_t want = ~old; want != old;) {
			want = old;
			ASSERT_OK(rf_address_space_cas_u32(f.as, DATA, want, want + 1, &old));
		}
		done++;
	}
	pthread_join(thread, &result);
	EXPECT_NOT_NULL(result);
	EXPECT_EQ(f.trap.kind, RF_TRAP_SYSCALL);
	EXPECT_EQ(*word, ADDS + done);
	fixture_down(&f);
}
