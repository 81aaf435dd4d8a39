/* SPDX-License-Identifier: Apache-2.0 */
/* membarrier orders: store-buffer litmus with a barrier by system call on one side only; never both sides see the old value. */
#include <linux/membarrier.h>

#include "guest/race.h"

#define ROUNDS 60

static volatile int x __attribute__((aligned(64))), y __attribute__((aligned(64)));
static volatile int r1 __attribute__((aligned(64))), r2 __attribute__((aligned(64)));
static volatile int round_no __attribute__((aligned(64))), done __attribute__((aligned(64)));
static int command;

#define compiler_barrier() __asm__ volatile("" ::: "memory")

/* The fast side: no fence between its store and its load. */
static void *fast(void *arg)
{
	for (int i = 1; i <= ROUNDS; i++) {
		for (unsigned n = 0; round_no != i; n++)
			if (n % 1000 == 999)
				sched_yield();
		x = 1;
		compiler_barrier();
		r1 = y;
		compiler_barrier();
		done = i;
	}
	return NULL;
}

static void slow(int i)
{
	x = y = 0;
	__sync_synchronize();
	round_no = i;
	y = 1;
	OK(syscall(SYS_membarrier, command, 0, 0));
	r2 = x;
	for (unsigned n = 0; done != i; n++)
		if (n % 1000 == 999)
			sched_yield();
	if (r1 == 0 && r2 == 0)
		FAIL("round %d: both sides saw the old value", i);
}

static void litmus(int with)
{
	pthread_t t;

	command = with;
	round_no = done = 0;
	CHECK_EQ(pthread_create(&t, NULL, fast, NULL), 0);
	for (int i = 1; i <= ROUNDS; i++)
		slow(i);
	CHECK_EQ(pthread_join(t, NULL), 0);
}

int main(void)
{
	OK(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0));
	litmus(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
	say("ok\n");
	return 0;
}
