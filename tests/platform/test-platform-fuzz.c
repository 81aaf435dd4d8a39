/* SPDX-License-Identifier: Apache-2.0 */
/* Random bytes as user code: whatever they do, the platform reports a trap and goes on. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "platform/fixture.h"

#define CODE_BYTES 48

struct ticker {
	struct fixture *f;
	_Atomic bool stop;
};

static void *ticker_main(void *arg)
{
	struct ticker *t = arg;
	const struct timespec period = { 0, 500000 };

	while (!atomic_load(&t->stop)) {
		nanosleep(&period, NULL);
		rf_machine_interrupt_cpu(t->f->m, 0);
	}
	return NULL;
}

/* Privileged, system and I/O opcodes come up more often than chance would have it. */
static void random_code(struct test_rng *rng, uint8_t *code)
{
	static const uint8_t likely[] = {
		0x0f, 0x0f, 0x0f, 0x01, 0x05, 0x34, 0x35, 0x20, 0x22, 0x30, 0x32, 0xcf, 0xcb,
		0xcd, 0xce, 0xe4, 0xe6, 0x60, 0xec, 0xee, 0x6c, 0x6e, 0x8e, 0xf3, 0xf2, 0x48,
		0x66, 0xf4, 0xfa, 0xfb, 0xff, 0xae, 0xc7, 0x9d, 0x9b, 0xdb, 0xf1, 0xcc,
	};

	for (int i = 0; i < CODE_BYTES; i++)
		code[i] = test_rng_below(rng, 3) ? (uint8_t)test_rng_next(rng)
						 : likely[test_rng_below(rng, sizeof(likely))];
}

static void random_regs(struct test_rng *rng, struct rf_regs *regs)
{
	uint64_t *word = (uint64_t *)regs;

	for (size_t i = 0; i < 15; i++) {
		static const uint64_t bases[] = { DATA, STACK, CODE, 0, RF_ARENA_BASE, 0x60 };

		word[i] = test_rng_below(rng, 4)
				  ? bases[test_rng_below(rng, 6)] + test_rng_below(rng, 0x1000)
				  : test_rng_next(rng);
	}
	regs->rip = CODE;
	regs->rsp = STACK + test_rng_below(rng, 0x1000);
	regs->rflags = test_rng_next(rng) & ~0x100ull;
	regs->cs = regs->ss = 0;
	regs->fs_base = DATA;
	regs->gs_base = 0;
}

USER_CODE(code_ok, "mov $7, %eax\n syscall");

TEST(random_code_never_breaks_the_platform)
{
	const char *env = getenv("RF_FUZZ_ROUNDS");
	uint64_t rounds = env ? strtoull(env, NULL, 10) : 5000, kinds[8] = { 0 };
	struct ticker ticker;
	struct test_rng rng;
	struct fixture f;
	pthread_t thread;

	fixture_up(&f, 1);
	ticker = (struct ticker){ .f = &f };
	test_rng_init(&rng, 0x5eed);
	ASSERT_EQ(pthread_create(&thread, NULL, ticker_main, &ticker), 0);
	for (uint64_t i = 0; i < rounds; i++) {
		uint8_t code[CODE_BYTES];

		random_code(&rng, code);
		fixture_code(&f, (char *)code, (char *)code + sizeof(code));
		random_regs(&rng, &f.regs);
		for (int step = 0; step < 3; step++) {
			ASSERT_OK(rf_context_switch(f.c, f.as, &f.regs, 0, &f.trap));
			kinds[f.trap.kind]++;
			if (f.trap.kind == RF_TRAP_ERROR) {
				for (int k = 0; k < CODE_BYTES; k++)
					fprintf(stderr, "%02x ", code[k]);
				fprintf(stderr, "\n");
				test_fatal("round %lu: error %d", i, f.trap.code);
			}
			if (f.trap.kind == RF_TRAP_FAULT)
				ASSERT_LT(f.trap.vector, 32);
			if (f.trap.kind != RF_TRAP_SYSCALL)
				break;
		}
		if (i % 16)
			continue;
		LOAD(&f, code_ok);
		do {
			fixture_reset(&f);
			fixture_switch(&f);
		} while (f.trap.kind == RF_TRAP_INTERRUPT);
		ASSERT_EQ(f.trap.kind, RF_TRAP_SYSCALL);
		ASSERT_EQ(f.regs.orig_rax, 7);
	}
	atomic_store(&ticker.stop, true);
	pthread_join(thread, NULL);
	test_note("system calls %lu, faults %lu, interrupts %lu", kinds[RF_TRAP_SYSCALL],
		  kinds[RF_TRAP_FAULT], kinds[RF_TRAP_INTERRUPT]);
	fixture_down(&f);
}
