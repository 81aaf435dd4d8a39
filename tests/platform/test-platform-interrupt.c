/* SPDX-License-Identifier: Apache-2.0 */
/* Interruption: from any thread, at any phase, never lost. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>

#include "platform/fixture.h"

USER_CODE(code_spin, "1: inc %rbx\n jmp 1b");
USER_CODE(code_busy, "1: inc %rbx\n mov $39, %eax\n syscall\n mov %rbx, (%rdi)\n ud2\n jmp 1b");

TEST(interrupt_before_switch_is_kept)
{
	struct fixture f;

	fixture_up(&f, 1);
	LOAD(&f, code_spin);
	rf_context_interrupt(f.c);
	rf_context_interrupt(f.c);
	fixture_switch(&f);
	EXPECT_EQ(f.trap.kind, RF_TRAP_INTERRUPT);
	EXPECT_EQ(f.regs.rip, CODE);
	rf_machine_interrupt_cpu(f.m, 0);
	fixture_switch(&f);
	EXPECT_EQ(f.trap.kind, RF_TRAP_INTERRUPT);
	rf_context_preempt(f.c); /* nothing runs: nothing happens */
	LOAD(&f, code_busy);
	fixture_switch(&f);
	EXPECT_SYSCALL(&f, 39);
	fixture_down(&f);
}

enum how { INTERRUPT, PREEMPT, CPU, HOWS };

struct kicker {
	struct fixture *f;
	_Atomic uint64_t asked, done;
	_Atomic bool stop;
	enum how how;
	uint64_t spins;
};

static void kick(struct kicker *k)
{
	if (k->how == INTERRUPT)
		rf_context_interrupt(k->f->c);
	else if (k->how == PREEMPT)
		rf_context_preempt(k->f->c);
	else
		rf_machine_interrupt_cpu(k->f->m, 0);
}

static void *kicker_main(void *arg)
{
	struct kicker *k = arg;
	uint64_t rng = 88172645463325252ull;

	while (!atomic_load(&k->stop)) {
		if (atomic_load(&k->asked) == atomic_load(&k->done)) {
			sched_yield();
			continue;
		}
		rng ^= rng << 13, rng ^= rng >> 7, rng ^= rng << 17;
		for (volatile uint64_t i = 0; i < rng % 60000; i++)
			;
		atomic_store(&k->done, atomic_load(&k->asked));
		kick(k);
	}
	return NULL;
}

TEST(spinning_code_is_interrupted)
{
	struct fixture f;
	struct kicker k = { .f = &f };
	pthread_t thread;

	fixture_up(&f, 1);
	LOAD(&f, code_spin);
	ASSERT_EQ(pthread_create(&thread, NULL, kicker_main, &k), 0);
	for (int how = INTERRUPT; how < HOWS; how++) {
		k.how = (enum how)how;
		for (int i = 0; i < 300; i++) {
			f.regs.r12 = (uint64_t)i;
			/* a preemption needs a switch in progress: ask again until it hits */
			atomic_fetch_add(&k.asked, 1);
			if (how == PREEMPT) {
				while (atomic_load(&k.done) != atomic_load(&k.asked))
					;
				rf_context_interrupt(f.c);
			}
			fixture_switch(&f);
			ASSERT_TRUE(f.trap.kind == RF_TRAP_INTERRUPT ||
				    f.trap.kind == RF_TRAP_PREEMPT);
			ASSERT_EQ(f.regs.r12, i);
			ASSERT_TRUE(f.regs.rip == CODE || f.regs.rip == CODE + 3);
		}
	}
	atomic_store(&k.stop, true);
	pthread_join(thread, NULL);
	fixture_down(&f);
}

static void *preempt_main(void *arg)
{
	struct kicker *k = arg;

	while (!atomic_load(&k->stop))
		rf_context_preempt(k->f->c);
	return NULL;
}

TEST(preempt_ends_a_running_switch)
{
	struct fixture f;
	struct kicker k = { .f = &f };
	pthread_t thread;

	fixture_up(&f, 1);
	LOAD(&f, code_spin);
	ASSERT_EQ(pthread_create(&thread, NULL, preempt_main, &k), 0);
	for (int i = 0; i < 100; i++) {
		fixture_switch(&f);
		ASSERT_EQ(f.trap.kind, RF_TRAP_PREEMPT);
	}
	atomic_store(&k.stop, true);
	pthread_join(thread, NULL);
	fixture_down(&f);
}

/*
 * A loop of system call, page fault, #UD: no event is lost or doubled, whenever the interrupt
 * comes.
 */
TEST(events_survive_interrupts_at_any_phase)
{
	struct fixture f;
	struct kicker k = { .f = &f };
	uint64_t interrupts = 0, rounds = 0, steps = 0;
	int step = 0;
	pthread_t thread;

	fixture_up(&f, 1);
	LOAD(&f, code_busy);
	ASSERT_EQ(pthread_create(&thread, NULL, kicker_main, &k), 0);
	f.regs.rdi = 0x700000;
	while (interrupts < 10000 && steps < 20000) {
		static const uint64_t at[] = { CODE + 10, CODE + 10, CODE + 13 };

		steps++;
		atomic_store(&k.asked, interrupts + 1);
		fixture_switch(&f);
		if (f.trap.kind == RF_TRAP_INTERRUPT) {
			interrupts++;
			continue;
		}
		ASSERT_EQ(f.regs.rip, at[step]);
		if (step == 0) {
			ASSERT_EQ(f.trap.kind, RF_TRAP_SYSCALL);
			ASSERT_EQ(f.regs.rbx, rounds + 1);
			step = 1;
		} else if (step == 1) {
			ASSERT_EQ(f.trap.kind, RF_TRAP_FAULT);
			ASSERT_EQ(f.trap.vector, 14);
			ASSERT_EQ(f.trap.address, 0x700000);
			f.regs.rip += 3;
			step = 2;
		} else {
			ASSERT_EQ(f.trap.kind, RF_TRAP_FAULT);
			ASSERT_EQ(f.trap.vector, 6);
			f.regs.rip = CODE;
			rounds++;
			step = 0;
		}
	}
	test_note("%lu interrupts in %lu switches, %lu rounds", interrupts, steps, rounds);
	EXPECT_GE(interrupts, 100);
	atomic_store(&k.stop, true);
	pthread_join(thread, NULL);
	fixture_down(&f);
}

/*
 * Freeing the address space that a CPU has loaded makes its next entry reload CR3, in a stub of some
 * instructions. An interrupt in the midst of it must not be taken for one that user code will see:
 * code that spins would never end.
 */
TEST(interrupts_while_translations_are_dropped_are_kept)
{
	struct rf_address_space *as;
	struct fixture f;
	struct kicker k = { .f = &f };
	pthread_t thread;

	fixture_up(&f, 1);
	LOAD(&f, code_spin);
	ASSERT_EQ(pthread_create(&thread, NULL, kicker_main, &k), 0);
	for (uint64_t i = 1; i <= 600; i++) {
		ASSERT_OK(rf_address_space_new(f.m, &as));
		fixture_map_standard(as);
		rf_context_interrupt(f.c);
		fixture_reset(&f);
		f.regs.rip = STACK; /* not executable: a fault, with the root loaded */
		do
			ASSERT_OK(rf_context_switch(f.c, as, &f.regs, 0, &f.trap));
		while (f.trap.kind == RF_TRAP_INTERRUPT);
		ASSERT_EQ(f.trap.kind, RF_TRAP_FAULT);
		rf_address_space_free(as);
		fixture_reset(&f);
		f.regs.rax = i;
		atomic_store(&k.asked, i);
		fixture_switch(&f);
		ASSERT_EQ(f.trap.kind, RF_TRAP_INTERRUPT);
		ASSERT_EQ(f.regs.rax, i);
		ASSERT_EQ(f.regs.rsp, STACK_TOP - 64);
	}
	atomic_store(&k.stop, true);
	pthread_join(thread, NULL);
	fixture_down(&f);
}

static void ignore_signal(int signo)
{
}

/* Signals of the caller's own end KVM_RUN too, and must change nothing. */
TEST(other_signals_are_transparent)
{
	struct sigaction action = { .sa_handler = ignore_signal };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct itimerspec period = { { 0, 100000 }, { 0, 100000 } };
	struct fixture f;
	timer_t timer;

	fixture_up(&f, 1);
	LOAD(&f, code_busy);
	ASSERT_EQ(sigaction(SIGUSR1, &action, NULL), 0);
	ASSERT_EQ(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
	ASSERT_EQ(timer_settime(timer, 0, &period, NULL), 0);
	f.regs.rdi = DATA;
	for (uint64_t i = 1; i <= 2000; i++) {
		fixture_switch(&f);
		ASSERT_EQ(f.trap.kind, RF_TRAP_SYSCALL);
		fixture_switch(&f);
		ASSERT_EQ(f.trap.kind, RF_TRAP_FAULT);
		ASSERT_EQ(f.trap.vector, 6);
		ASSERT_EQ(*(uint64_t *)(f.memory + DATA_OFF), i);
		f.regs.rip = CODE;
	}
	timer_delete(timer);
	fixture_down(&f);
}
