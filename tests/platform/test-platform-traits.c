/* SPDX-License-Identifier: Apache-2.0 */
/* What struct rf_traits promises: preemption detected, CPU numbers, concurrency, a memory barrier. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "platform/entry.h"

USER_CODE(code_call, "1: inc %rbx\n mov $39, %eax\n syscall\n jmp 1b");
USER_CODE(code_ud2, "ud2");
USER_CODE(code_spin, "1: jmp 1b");

/* ---- preemption ---- */

static uint32_t switch_to(struct fixture *f, struct rf_context *c, struct rf_regs *regs,
			  uint32_t cpu)
{
	ASSERT_OK(rf_context_switch(c, f->as, regs, cpu, &f->trap));
	ASSERT_EQ(f->trap.cpu, cpu);
	return f->trap.kind;
}

TEST(another_context_on_the_cpu_is_a_preemption)
{
	struct rf_regs regs, other_regs, before;
	struct rf_context *other;
	struct rf_traits traits;
	struct fixture f;

	fixture_up(&f, 2);
	rf_machine_traits(f.m, &traits);
	ASSERT_TRUE(traits.detects_cpu_preemption);
	LOAD(&f, code_call);
	ASSERT_OK(rf_context_new(f.m, &other));
	ASSERT_OK(rf_context_detect_preemption(f.c, true));
	regs = other_regs = f.regs;
	/* The first switch has nothing to report, nor has the next. */
	for (uint64_t i = 1; i <= 5; i++) {
		ASSERT_EQ(switch_to(&f, f.c, &regs, 0), RF_TRAP_SYSCALL);
		ASSERT_EQ(regs.rbx, i);
	}
	/* Somebody else elsewhere does not matter. */
	ASSERT_EQ(switch_to(&f, other, &other_regs, 1), RF_TRAP_SYSCALL);
	ASSERT_EQ(switch_to(&f, f.c, &regs, 0), RF_TRAP_SYSCALL);
	for (int i = 0; i < 20; i++) {
		/* Here it does: once, before anything runs. Who did not ask never hears of it. */
		ASSERT_EQ(switch_to(&f, other, &other_regs, 0), RF_TRAP_SYSCALL);
		before = regs;
		before.orig_rax = ~0ull;
		ASSERT_EQ(switch_to(&f, f.c, &regs, 0), RF_TRAP_PREEMPT);
		ASSERT_EQ(memcmp(&regs, &before, sizeof(regs)), 0);
		ASSERT_EQ(switch_to(&f, f.c, &regs, 0), RF_TRAP_SYSCALL);
	}
	/* Another CPU number. */
	ASSERT_EQ(switch_to(&f, f.c, &regs, 1), RF_TRAP_PREEMPT);
	ASSERT_EQ(switch_to(&f, f.c, &regs, 1), RF_TRAP_SYSCALL);
	ASSERT_EQ(switch_to(&f, f.c, &regs, 0), RF_TRAP_PREEMPT);
	ASSERT_EQ(switch_to(&f, f.c, &regs, 0), RF_TRAP_SYSCALL);
	/* Both contexts watching: each loses the CPU to the other, and still gets on. */
	ASSERT_OK(rf_context_detect_preemption(other, true));
	for (int i = 0; i < 20; i++) {
		ASSERT_EQ(switch_to(&f, other, &other_regs, 0), RF_TRAP_PREEMPT);
		ASSERT_EQ(switch_to(&f, other, &other_regs, 0), RF_TRAP_SYSCALL);
		ASSERT_EQ(switch_to(&f, f.c, &regs, 0), RF_TRAP_PREEMPT);
		ASSERT_EQ(switch_to(&f, f.c, &regs, 0), RF_TRAP_SYSCALL);
	}
	/* A context that is new, though perhaps at an old one's place. */
	rf_context_free(other);
	ASSERT_OK(rf_context_new(f.m, &other));
	ASSERT_EQ(switch_to(&f, other, &other_regs, 0), RF_TRAP_SYSCALL);
	ASSERT_EQ(switch_to(&f, f.c, &regs, 0), RF_TRAP_PREEMPT);
	ASSERT_OK(rf_context_detect_preemption(f.c, false));
	ASSERT_EQ(switch_to(&f, other, &other_regs, 0), RF_TRAP_SYSCALL);
	ASSERT_EQ(switch_to(&f, f.c, &regs, 0), RF_TRAP_SYSCALL);
	rf_context_free(other);
	fixture_down(&f);
}

/* A pending interrupt is not lost to a preemption that is reported first. */
TEST(preemption_does_not_swallow_an_interrupt)
{
	struct rf_context *other;
	struct rf_regs regs;
	struct fixture f;

	fixture_up(&f, 1);
	LOAD(&f, code_call);
	ASSERT_OK(rf_context_new(f.m, &other));
	ASSERT_OK(rf_context_detect_preemption(f.c, true));
	regs = f.regs;
	ASSERT_EQ(switch_to(&f, f.c, &f.regs, 0), RF_TRAP_SYSCALL);
	ASSERT_EQ(switch_to(&f, other, &regs, 0), RF_TRAP_SYSCALL);
	rf_context_interrupt(f.c);
	ASSERT_EQ(switch_to(&f, f.c, &f.regs, 0), RF_TRAP_PREEMPT);
	ASSERT_EQ(switch_to(&f, f.c, &f.regs, 0), RF_TRAP_INTERRUPT);
	ASSERT_EQ(switch_to(&f, f.c, &f.regs, 0), RF_TRAP_SYSCALL);
	rf_context_free(other);
	fixture_down(&f);
}

/* ---- CPU numbers ---- */

#define CPUS 4

TEST(every_trap_names_its_cpu)
{
	struct fixture f;

	fixture_up(&f, CPUS);
	for (uint32_t i = 0; i < 3 * CPUS; i++) {
		uint32_t cpu = i % CPUS;

		LOAD(&f, code_call);
		fixture_reset(&f);
		ASSERT_EQ(switch_to(&f, f.c, &f.regs, cpu), RF_TRAP_SYSCALL);
		LOAD(&f, code_ud2);
		fixture_reset(&f);
		ASSERT_EQ(switch_to(&f, f.c, &f.regs, cpu), RF_TRAP_FAULT);
		rf_context_interrupt(f.c);
		ASSERT_EQ(switch_to(&f, f.c, &f.regs, cpu), RF_TRAP_INTERRUPT);
		rf_machine_interrupt_cpu(f.m, cpu);
		rf_machine_interrupt_cpu(f.m, (cpu + 1) % CPUS); /* somebody else's */
		ASSERT_EQ(switch_to(&f, f.c, &f.regs, cpu), RF_TRAP_INTERRUPT);
		ASSERT_EQ(switch_to(&f, f.c, &f.regs, cpu), RF_TRAP_FAULT);
		ASSERT_EQ(switch_to(&f, f.c, &f.regs, (cpu + 1) % CPUS), RF_TRAP_INTERRUPT);
	}
	EXPECT_EQ(rf_context_switch(f.c, f.as, &f.regs, CPUS, &f.trap), -22);
	EXPECT_EQ(rf_context_switch(f.c, f.as, &f.regs, ~0u, &f.trap), -22);
	rf_machine_interrupt_cpu(f.m, CPUS); /* nobody */
	fixture_down(&f);
}

/* ---- concurrency ---- */

/* Comes, and waits until all have come, in user code: the switches overlap or never end. */
USER_CODE(code_meet,
	  "lock incq (%rdi)\n 1: pause\n cmp %rsi, (%rdi)\n jb 1b\n mov $5, %eax\n syscall");

struct guest {
	struct fixture *f;
	uint32_t cpu, count;
	bool ok;
	pthread_t thread;
};

static void *meet(void *arg)
{
	struct guest *g = arg;
	struct rf_regs regs = { .rip = CODE, .rflags = 0x202, .rdi = DATA, .rsi = g->count };
	struct rf_context *c;
	struct rf_trap trap;

	if (rf_context_new(g->f->m, &c))
		return NULL;
	g->ok = !rf_context_switch(c, g->f->as, &regs, g->cpu, &trap) &&
		trap.kind == RF_TRAP_SYSCALL && regs.orig_rax == 5 && trap.cpu == g->cpu;
	rf_context_free(c);
	return NULL;
}

TEST(as_many_contexts_run_at_once_as_the_machine_says)
{
	struct guest guests[6];
	struct rf_traits traits;
	struct fixture f;

	fixture_up(&f, 6);
	rf_machine_traits(f.m, &traits);
	ASSERT_EQ(traits.concurrency_count, 6);
	ASSERT_TRUE(traits.has_cpu_numbers);
	LOAD(&f, code_meet);
	for (int round = 0; round < 10; round++) {
		*(uint64_t *)(f.memory + DATA_OFF) = 0;
		for (uint32_t i = 0; i < 6; i++) {
			guests[i] = (struct guest){ .f = &f, .cpu = i, .count = 6 };
			ASSERT_EQ(pthread_create(&guests[i].thread, NULL, meet, &guests[i]), 0);
		}
		for (uint32_t i = 0; i < 6; i++) {
			pthread_join(guests[i].thread, NULL);
			ASSERT_TRUE(guests[i].ok);
		}
	}
	fixture_down(&f);
}

/* ---- the memory barrier ---- */

/*
 * Dekker's handshake, with no fence in user code: it stores x and loads y, we store y and load x.
 * Without a barrier between both of these pairs, both loads may miss both stores (SDM vol. 3A §8.2.3.4).
 * Each side clears what the other sets, so that both stores miss the cache and take their time.
 * A line each: round, delay, x, y, what user code saw of y, its end, its beginning.
 */
enum { ROUND = 0, DELAY = 8, X = 16, Y = 24, SEEN = 32, DONE = 40, READY = 48 };
USER_CODE(code_dekker, "1: movq $0, 192(%rdi)\n mov %rbx, 384(%rdi)\n"
		       "3: cmp %rbx, (%rdi)\n jne 3b\n mov 64(%rdi), %rcx\n 2: dec %rcx\n jns 2b\n"
		       "movq $1, 128(%rdi)\n mov 192(%rdi), %rax\n"
		       "mov %rax, 256(%rdi)\n mov %rbx, 320(%rdi)\n inc %rbx\n jmp 1b");

static void *run_dekker(void *arg)
{
	struct fixture *f = arg;

	f->regs.rdi = DATA;
	f->regs.rbx = 1;
	return rf_context_switch(f->c, f->as, &f->regs, 0, &f->trap) ? NULL : arg;
}

static void wait_for(volatile uint64_t *word, uint64_t value)
{
	for (uint64_t spins = 0; *word != value; spins++)
		if (spins > 10000)
			sched_yield(); /* one CPU for both */
}

/* Rounds of @rounds in which neither saw the other. */
static uint64_t dekker(struct fixture *f, uint64_t first, uint64_t rounds, bool barrier,
		       struct test_rng *rng)
{
	volatile uint64_t *w = (uint64_t *)(f->memory + DATA_OFF);
	uint64_t missed = 0;

	for (uint64_t round = first; round < first + rounds; round++) {
		uint64_t x, wait = test_rng_below(rng, 200);

		wait_for(&w[READY], round);
		w[X] = 0;
		w[DELAY] = test_rng_below(rng, 200);
		atomic_thread_fence(memory_order_seq_cst);
		w[ROUND] = round;
		while (wait--)
			__asm__ volatile("");
		w[Y] = 1;
		if (barrier && rf_machine_memory_barrier(f->m))
			test_fatal("rf_machine_memory_barrier failed");
		x = w[X];
		wait_for(&w[DONE], round);
		missed += !x && !w[SEEN];
	}
	return missed;
}

TEST(memory_barrier_orders_user_code_without_fences)
{
	struct rf_traits traits;
	uint64_t with = 0, without = 0, rounds, start;
	struct test_rng rng;
	pthread_t thread;
	struct fixture f;
	void *result;

	fixture_up(&f, 1);
	rf_machine_traits(f.m, &traits);
	ASSERT_TRUE(traits.has_global_memory_barrier);
	LOAD(&f, code_dekker);
	memset(f.memory + DATA_OFF, 0, 0x1000);
	test_rng_init(&rng, 0xdec);
	ASSERT_EQ(pthread_create(&thread, NULL, run_dekker, &f), 0);
	start = now_ns();
	for (rounds = 0; rounds < 30000 && now_ns() - start < 4000000000u; rounds += 500) {
		with += dekker(&f, 1 + 2 * rounds, 500, true, &rng);
		without += dekker(&f, 501 + 2 * rounds, 500, false, &rng);
	}
	test_note("neither saw the other: %lu with the barrier, %lu without, of %lu", with, without,
		  rounds);
	rf_context_interrupt(f.c);
	pthread_join(thread, &result);
	EXPECT_NOT_NULL(result);
	EXPECT_EQ(with, 0);
	fixture_down(&f);
}
