/* SPDX-License-Identifier: Apache-2.0 */
/* FUTEX_WAKE wakes as many as it says, in order. */
#include <pthread.h>

#include "guest/futex.h"

#define THREADS 5

static uint32_t word;
static pid_t tids[THREADS];
static int order[THREADS], woken;

static void *run(void *arg)
{
	intptr_t i = (intptr_t)arg;

	__atomic_store_n(&tids[i], (pid_t)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
	CHECK_EQ(futex(&word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0), 0);
	order[__atomic_fetch_add(&woken, 1, __ATOMIC_SEQ_CST)] = (int)i;
	return NULL;
}

static void wait_woken(int count)
{
	while (__atomic_load_n(&woken, __ATOMIC_SEQ_CST) < count)
		sched_yield();
}

int main(void)
{
	pthread_t thread[THREADS];

	for (intptr_t i = 0; i < THREADS; i++) {
		CHECK_EQ(pthread_create(&thread[i], NULL, run, (void *)i), 0);
		while (!__atomic_load_n(&tids[i], __ATOMIC_SEQ_CST))
			sched_yield();
		wait_until_asleep(tids[i]);
	}
	say("%ld\n", futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
	wait_woken(1);
	say("%ld\n", futex(&word, FUTEX_WAKE_PRIVATE, 2, NULL, NULL, 0));
	wait_woken(3);
	say("%ld\n", futex(&word, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0));
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	say("first %d\n", order[0]);
	return 0;
}
