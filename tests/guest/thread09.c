/* SPDX-License-Identifier: Apache-2.0 */
/* Hundreds of short threads, detached and joined; stacks and ids are used again. */
#include <pthread.h>

#include "guest/guest.h"

static int ended;

static void *detached(void *arg)
{
	pthread_detach(pthread_self());
	__atomic_add_fetch(&ended, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void *joined(void *arg)
{
	return arg;
}

int main(void)
{
	pthread_t thread;

	for (int i = 0; i < 300; i++) {
		CHECK_EQ(pthread_create(&thread, NULL, joined, NULL), 0);
		CHECK_EQ(pthread_join(thread, NULL), 0);
	}
	for (int i = 0; i < 200; i++)
		while (pthread_create(&thread, NULL, detached, NULL) != 0)
			sched_yield();
	while (__atomic_load_n(&ended, __ATOMIC_SEQ_CST) < 200)
		sched_yield();
	say("%d\n", ended);
	return 0;
}
