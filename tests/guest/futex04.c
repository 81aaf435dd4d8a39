/* SPDX-License-Identifier: Apache-2.0 */
/* FUTEX_REQUEUE and FUTEX_CMP_REQUEUE move waiters to another word. */
#include <pthread.h>

#include "guest/futex.h"

#define THREADS 4

static uint32_t first, second;
static pid_t tids[THREADS];
static int woken;

static void *run(void *arg)
{
	intptr_t i = (intptr_t)arg;

	__atomic_store_n(&tids[i], (pid_t)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
	CHECK_EQ(futex(&first, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0), 0);
	__atomic_add_fetch(&woken, 1, __ATOMIC_SEQ_CST);
	return NULL;
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
	FAILS(futex(&first, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)1, &second, 77), EAGAIN);
	say("%ld\n", futex(&first, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)1, &second, 0));
	say("%ld\n", futex(&first, FUTEX_REQUEUE_PRIVATE, 0, (void *)1, &second, 0));
	say("%ld\n", futex(&first, FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0));
	say("%ld\n", futex(&second, FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0));
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	say("%d\n", woken);
	return 0;
}
