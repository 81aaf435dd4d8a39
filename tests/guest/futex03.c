/* SPDX-License-Identifier: Apache-2.0 */
/* FUTEX_WAIT_BITSET and FUTEX_WAKE_BITSET wake only waiters whose bits match. */
#include <pthread.h>

#include "guest/futex.h"

static uint32_t word;
static pid_t tids[3];
static int woken[3];

static void *run(void *arg)
{
	intptr_t i = (intptr_t)arg;

	__atomic_store_n(&tids[i], (pid_t)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
	CHECK_EQ(futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL, 1u << i), 0);
	__atomic_store_n(&woken[i], 1, __ATOMIC_SEQ_CST);
	return NULL;
}

int main(void)
{
	pthread_t thread[3];

	for (intptr_t i = 0; i < 3; i++) {
		CHECK_EQ(pthread_create(&thread[i], NULL, run, (void *)i), 0);
		while (!__atomic_load_n(&tids[i], __ATOMIC_SEQ_CST))
			sched_yield();
		wait_until_asleep(tids[i]);
	}
	CHECK_EQ(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 10, NULL, NULL, 8), 0);
	CHECK_EQ(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 10, NULL, NULL, 2), 1);
	pthread_join(thread[1], NULL);
	say("%d %d %d\n", woken[0], woken[1], woken[2]);
	CHECK_EQ(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 10, NULL, NULL, 5), 2);
	pthread_join(thread[0], NULL);
	pthread_join(thread[2], NULL);
	say("%d %d %d\n", woken[0], woken[1], woken[2]);
	FAILS(futex(&word, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0), EINVAL);
	FAILS(futex(&word, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0), EINVAL);
	return 0;
}
