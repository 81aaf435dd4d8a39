/* SPDX-License-Identifier: Apache-2.0 */
/* Address spaces: every kind of change is seen by user code at its next instruction. */
#include <pthread.h>
#include <stdatomic.h>

#include "platform/fixture.h"

#define P 0x700000ul

USER_CODE(code_touch, "1: mov (%rdi), %rax\n syscall\n jmp 1b");
USER_CODE(code_write, "1: mov %rsi, (%rdi)\n syscall\n jmp 1b");
USER_CODE(code_call, "1: call *%rdi\n syscall\n jmp 1b");

enum touch { READ_IT, WRITE_IT, CALL_IT };

/* Tries one access from the start. Returns the value read, or ~vector of the fault. */
static uint64_t try(struct fixture *f, struct rf_address_space *as, enum touch how, uint64_t addr)
{
	static const struct {
		const char *start, *end;
	} code[] = {
		[READ_IT] = { code_touch, code_touch_end },
		[WRITE_IT] = { code_write, code_write_end },
		[CALL_IT] = { code_call, code_call_end },
	};

	memset(f->memory + CODE_OFF, 0xcc, 64);
	memcpy(f->memory + CODE_OFF, code[how].start, (size_t)(code[how].end - code[how].start));
	fixture_reset(f);
	f->regs.rdi = addr;
	f->regs.rsi = 0x1234;
	ASSERT_OK(rf_context_switch(f->c, as, &f->regs, 0, &f->trap));
	if (f->trap.kind == RF_TRAP_SYSCALL)
		return f->regs.orig_rax;
	ASSERT_EQ(f->trap.kind, RF_TRAP_FAULT);
	return ~(uint64_t)f->trap.vector;
}

static void frames_init(struct fixture *f)
{
	for (uint64_t i = 0; i < 64; i++) {
		uint8_t *p = f->memory + FRAME(i);

		memset(p, 0, 0x1000);
		*(uint64_t *)p = 100 + i;
		p[8] = 0xc3; /* ret */
	}
}

static void map(struct rf_address_space *as, uint64_t addr, uint64_t frame, uint32_t prot)
{
	ASSERT_OK(rf_address_space_map_file(as, addr, FRAME(frame), 0x1000, prot, false));
}

TEST(every_kind_of_change_is_seen)
{
	struct fixture f;

	fixture_up(&f, 1);
	frames_init(&f);
	for (int round = 0; round < 20; round++) {
		/* not present -> present */
		ASSERT_EQ(try(&f, f.as, READ_IT, P), ~14ul);
		map(f.as, P, 0, RF_READ);
		ASSERT_EQ(try(&f, f.as, READ_IT, P), 100);
		/* read-only -> writable */
		ASSERT_EQ(try(&f, f.as, WRITE_IT, P + 16), ~14ul);
		map(f.as, P, 0, RF_READ | RF_WRITE);
		ASSERT_NE(try(&f, f.as, WRITE_IT, P + 16), ~14ul);
		/* another frame */
		map(f.as, P, 1, RF_READ | RF_WRITE);
		ASSERT_EQ(try(&f, f.as, READ_IT, P), 101);
		/* writable -> read-only */
		ASSERT_NE(try(&f, f.as, WRITE_IT, P + 16), ~14ul);
		ASSERT_OK(rf_address_space_protect(f.as, P, 0x1000, RF_READ | RF_EXEC));
		ASSERT_EQ(try(&f, f.as, WRITE_IT, P + 16), ~14ul);
		ASSERT_EQ(try(&f, f.as, READ_IT, P), 101);
		/* not executable -> executable -> not */
		ASSERT_EQ(try(&f, f.as, CALL_IT, P + 8), ~14ul);
		map(f.as, P, 1, RF_READ | RF_EXEC);
		ASSERT_NE(try(&f, f.as, CALL_IT, P + 8), ~14ul);
		ASSERT_OK(rf_address_space_protect(f.as, P, 0x1000, RF_READ));
		ASSERT_EQ(try(&f, f.as, CALL_IT, P + 8), ~14ul);
		/* present -> not present */
		ASSERT_EQ(try(&f, f.as, READ_IT, P), 101);
		ASSERT_OK(rf_address_space_unmap(f.as, P, 0x1000));
		ASSERT_EQ(try(&f, f.as, READ_IT, P), ~14ul);
		/* back at once, other frame */
		map(f.as, P, 2, RF_READ);
		ASSERT_EQ(try(&f, f.as, READ_IT, P), 102);
		map(f.as, P, 3, RF_READ);
		map(f.as, P, 4, RF_READ);
		ASSERT_EQ(try(&f, f.as, READ_IT, P), 104);
		ASSERT_OK(rf_address_space_unmap(f.as, P, 0x1000));
	}
	fixture_down(&f);
}

TEST(change_between_two_loads_is_seen_without_leaving)
{
	struct fixture f;

	fixture_up(&f, 1);
	frames_init(&f);
	LOAD(&f, code_touch);
	map(f.as, P, 0, RF_READ);
	f.regs.rdi = P;
	for (uint64_t i = 0; i < 200; i++) {
		fixture_switch(&f);
		ASSERT_EQ(f.trap.kind, RF_TRAP_SYSCALL);
		ASSERT_EQ(f.regs.orig_rax, 100 + i % 64);
		map(f.as, P, (i + 1) % 64, RF_READ);
	}
	fixture_down(&f);
}

TEST(large_ranges_change_together)
{
	struct fixture f;
	const uint64_t pages = 2048, len = pages * 0x1000;

	fixture_up(&f, 1);
	for (uint64_t i = 0; i < pages; i++)
		*(uint64_t *)(f.memory + 0x200000 + i * 0x1000) = 5000 + i;
	ASSERT_OK(rf_address_space_map_file(f.as, 0x40000000, 0x200000, len, RF_READ | RF_WRITE,
					    true));
	for (uint64_t i = 0; i < pages; i += 37)
		ASSERT_EQ(try(&f, f.as, READ_IT, 0x40000000 + i * 0x1000), 5000 + i);
	ASSERT_OK(rf_address_space_protect(f.as, 0x40000000, len, RF_READ));
	for (uint64_t i = 0; i < pages; i += 111)
		ASSERT_EQ(try(&f, f.as, WRITE_IT, 0x40000000 + i * 0x1000), ~14ul);
	ASSERT_OK(rf_address_space_unmap(f.as, 0x40000000 + 0x3000, len - 0x3000));
	ASSERT_EQ(try(&f, f.as, READ_IT, 0x40002000), 5002);
	for (uint64_t i = 3; i < pages; i += 111)
		ASSERT_EQ(try(&f, f.as, READ_IT, 0x40000000 + i * 0x1000), ~14ul);
	/* again over tables taken out of use */
	ASSERT_OK(rf_address_space_map_file(f.as, 0x40000000, 0x201000, 0x400000, RF_READ, false));
	for (uint64_t i = 0; i < 1024; i += 37)
		ASSERT_EQ(try(&f, f.as, READ_IT, 0x40000000 + i * 0x1000), 5001 + i);
	fixture_down(&f);
}

/* In the largest pages there are; only what is touched costs memory. */
TEST(a_gibibyte_is_mapped_restricted_and_cut)
{
	const uint64_t len = 1ul << 30, va = 1ul << 32, hole = len / 2 + 0x5000;
	const struct rf_options options = { .cpus = 1, .memory.size = 2 * len };
	struct fixture f = { 0 };
	struct rf_error err = { 0 };
	int fd;

	if (rf_platform_open_device(fixture_platform(), NULL, &fd, &err))
		test_skip("%s", err.text);
	ASSERT_OK(rf_machine_new(fixture_platform(), fd, &options, &f.m, &err));
	f.memory = rf_machine_memory(f.m)->base;
	ASSERT_OK(rf_address_space_new(f.m, &f.as));
	ASSERT_OK(rf_context_new(f.m, &f.c));
	fixture_map_standard(f.as);
	ASSERT_OK(rf_address_space_map_file(f.as, va, len, len, RF_READ | RF_WRITE, false));
	for (uint64_t at = 0; at < len; at += len / 8 + 0x1000)
		*(uint64_t *)(f.memory + len + at) = at + 7;
	for (uint64_t at = 0; at < len; at += len / 8 + 0x1000)
		EXPECT_EQ(try(&f, f.as, READ_IT, va + at), at + 7);
	ASSERT_OK(rf_address_space_unmap(f.as, va + hole, 0x1000));
	EXPECT_EQ(try(&f, f.as, WRITE_IT, va + hole), ~14ul);
	EXPECT_EQ(try(&f, f.as, WRITE_IT, va + hole - 8), 0);
	EXPECT_EQ(try(&f, f.as, WRITE_IT, va + hole + 0x1000), 0);
	EXPECT_EQ(*(uint64_t *)(f.memory + len + hole - 8), 0x1234);
	ASSERT_OK(rf_address_space_protect(f.as, va, len, RF_READ));
	EXPECT_EQ(try(&f, f.as, WRITE_IT, va), ~14ul);
	EXPECT_EQ(try(&f, f.as, READ_IT, va), 7);
	EXPECT_EQ(try(&f, f.as, WRITE_IT, va + len - 8), ~14ul);
	ASSERT_OK(rf_address_space_unmap(f.as, va, len));
	EXPECT_EQ(try(&f, f.as, READ_IT, va), ~14ul);
	fixture_down(&f);
}

TEST(table_pages_come_and_go)
{
	struct fixture f;

	fixture_up(&f, 1);
	frames_init(&f);
	for (uint64_t i = 0; i < 300; i++) {
		uint64_t addr = 0x100000000ul + i % 3 * 0x40000000ul + i % 7 * 0x200000;

		map(f.as, addr, i % 64, RF_READ);
		ASSERT_EQ(try(&f, f.as, READ_IT, addr), 100 + i % 64);
		ASSERT_OK(rf_address_space_unmap(f.as, addr, 0x1000));
		ASSERT_EQ(try(&f, f.as, READ_IT, addr), ~14ul);
	}
	fixture_down(&f);
}

TEST(address_spaces_are_separate_and_recycled)
{
	struct fixture f;
	struct rf_address_space *as[32] = { 0 };

	fixture_up(&f, 1);
	frames_init(&f);
	for (uint64_t round = 0; round < 6; round++) {
		for (uint64_t i = 0; i < 32; i++) {
			ASSERT_OK(rf_address_space_new(f.m, &as[i]));
			fixture_map_standard(as[i]);
			map(as[i], P, (i + round) % 64, RF_READ);
		}
		for (uint64_t i = 0; i < 32; i++)
			ASSERT_EQ(try(&f, as[i], READ_IT, P), 100 + (i + round) % 64);
		for (uint64_t i = 0; i < 32; i++) {
			ASSERT_EQ(try(&f, as[i], READ_IT, P), 100 + (i + round) % 64);
			rf_address_space_free(as[i]);
		}
	}
	fixture_down(&f);
}

TEST(pool_exhaustion_is_an_error_and_recovers)
{
	struct rf_options options = { .cpus = 1, .memory.size = MEMORY, .table_bytes = 64 * 4096 };
	struct rf_address_space *as[64] = { 0 };
	struct rf_machine *m;
	struct rf_error err;
	int n, again, fd;

	if (rf_platform_open_device(fixture_platform(), NULL, &fd, &err))
		test_skip("%s", err.text);
	ASSERT_OK(rf_machine_new(fixture_platform(), fd, &options, &m, &err));
	for (n = 0; n < 64; n++)
		if (rf_address_space_new(m, &as[n]) ||
		    rf_address_space_map_file(as[n], P, 0, 0x1000, RF_READ, false))
			break;
	EXPECT_GT(n, 5);
	EXPECT_LT(n, 64);
	for (int i = 0; i <= n; i++)
		rf_address_space_free(as[i]);
	for (again = 0; again < n; again++) {
		ASSERT_OK(rf_address_space_new(m, &as[again]));
		ASSERT_OK(rf_address_space_map_file(as[again], P, 0, 0x1000, RF_READ, false));
	}
	for (int i = 0; i < n; i++)
		rf_address_space_free(as[i]);
	rf_machine_free(m);
}

TEST(next_finds_mappings)
{
	struct fixture f;
	uint64_t addr, offset;
	uint32_t prot;

	fixture_up(&f, 1);
	map(f.as, P, 5, RF_READ | RF_EXEC);
	ASSERT_EQ(rf_address_space_next(f.as, STACK + 0x1000, RF_MAX_USER_ADDRESS, &addr, &offset,
					&prot),
		  1);
	EXPECT_EQ(addr, P);
	EXPECT_EQ(offset, FRAME(5));
	EXPECT_EQ(prot, RF_READ | RF_EXEC);
	EXPECT_EQ(rf_address_space_next(f.as, P + 0x1000, ~0ul, &addr, &offset, &prot), 0);
	EXPECT_EQ(rf_address_space_map_file(f.as, P + 1, 0, 0x1000, RF_READ, false), -22);
	EXPECT_EQ(rf_address_space_map_file(f.as, P, MEMORY, 0x1000, RF_READ, false), -22);
	EXPECT_EQ(rf_address_space_map_file(f.as, RF_MAX_USER_ADDRESS - 0x1000, 0, 0x2000, RF_READ,
					    false),
		  -22);
	EXPECT_EQ(rf_address_space_map_file(f.as, P, 0, 0x1000, 0, false), -22);
	fixture_down(&f);
}

TEST(io_respects_permissions)
{
	struct fixture f;
	char buf[8192];
	uint32_t old;

	fixture_up(&f, 1);
	memset(buf, 7, sizeof(buf));
	map(f.as, P, 1, RF_READ | RF_WRITE);
	map(f.as, P + 0x1000, 9, RF_READ);
	EXPECT_EQ(rf_address_space_copy_out(f.as, P + 0x800, buf, 0x1000), 0x800);
	EXPECT_EQ(rf_address_space_copy_in(f.as, buf, P + 0x7ff, 3), 3);
	EXPECT_EQ(buf[0], 0);
	EXPECT_EQ(buf[1], 7);
	EXPECT_EQ(rf_address_space_copy_in(f.as, buf, P + 0x1800, 0x1000), 0x800);
	EXPECT_EQ(rf_address_space_zero_out(f.as, P, 0x2000), 0x1000);
	EXPECT_EQ(rf_address_space_cas_u32(f.as, P, 0, 5, &old), 0);
	EXPECT_EQ(old, 0);
	EXPECT_EQ(rf_address_space_cas_u32(f.as, P, 0, 6, &old), 0);
	EXPECT_EQ(old, 5);
	EXPECT_EQ(rf_address_space_swap_u32(f.as, P, 9, &old), 0);
	EXPECT_EQ(old, 5);
	EXPECT_EQ(rf_address_space_load_u32(f.as, P, &old), 0);
	EXPECT_EQ(old, 9);
	EXPECT_EQ(rf_address_space_cas_u32(f.as, P + 0x1000, 0, 6, &old), -14);
	EXPECT_EQ(rf_address_space_load_u32(f.as, P + 0x2000, &old), -14);
	EXPECT_EQ(rf_address_space_copy_in(f.as, buf, RF_ARENA_BASE, 8), 0);
	EXPECT_EQ(rf_address_space_copy_in(f.as, buf, ~0ul - 3, 8), 0);
	fixture_down(&f);
}

/* ---- two CPUs ---- */

USER_CODE(code_spin_store, "1: incq (%rdi)\n jmp 1b");

struct runner {
	struct fixture *f;
	struct rf_regs regs;
	struct rf_trap trap;
	_Atomic bool started;
};

static void *run_spinner(void *arg)
{
	struct runner *r = arg;
	struct rf_context *c;

	if (rf_context_new(r->f->m, &c))
		return NULL;
	atomic_store(&r->started, true);
	rf_context_switch(c, r->f->as, &r->regs, 1, &r->trap);
	rf_context_free(c);
	return NULL;
}

TEST(unmap_reaches_a_running_cpu)
{
	struct fixture f;

	fixture_up(&f, 2);
	LOAD(&f, code_spin_store);
	for (uint64_t round = 0; round < 50; round++) {
		struct runner r = {
			.f = &f,
			.regs = { .rip = CODE, .rdi = P, .rflags = 0x202, .rsp = STACK_TOP }
		};
		volatile uint64_t *word = (uint64_t *)(f.memory + FRAME(round % 8));
		uint64_t before;
		pthread_t thread;

		*word = 0;
		map(f.as, P, round % 8, RF_READ | RF_WRITE);
		ASSERT_EQ(pthread_create(&thread, NULL, run_spinner, &r), 0);
		while (!*word)
			;
		if (round & 1)
			ASSERT_OK(rf_address_space_unmap(f.as, P, 0x1000));
		else
			ASSERT_OK(rf_address_space_protect(f.as, P, 0x1000, RF_READ));
		ASSERT_OK(rf_address_space_flush(f.as));
		before = *word;
		pthread_join(thread, NULL);
		ASSERT_EQ(*word, before);
		ASSERT_EQ(r.trap.kind, RF_TRAP_FAULT);
		ASSERT_EQ(r.trap.vector, 14);
		ASSERT_EQ(r.trap.address, P);
	}
	fixture_down(&f);
}
