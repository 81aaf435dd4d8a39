/* SPDX-License-Identifier: Apache-2.0 */
/* Thread-local storage belongs to each thread, across switches and system calls. */
#include <pthread.h>

#include "guest/guest.h"

static __thread int mine = 5;
static __thread char large[5000];

static void *run(void *arg)
{
	CHECK_EQ(mine, 5);
	CHECK_EQ(large[4999], 0);
	for (int i = 0; i < 2000; i++) {
		mine = (int)(intptr_t)arg + i;
		large[4999] = (char)i;
		if (i % 16 == 0)
			sched_yield();
		CHECK_EQ(mine, (int)(intptr_t)arg + i);
		CHECK_EQ(large[4999], (char)i);
	}
	return NULL;
}

int main(void)
{
	pthread_t thread[8];

	for (intptr_t i = 0; i < 8; i++)
		CHECK_EQ(pthread_create(&thread[i], NULL, run, (void *)(i * 100000)), 0);
	for (int i = 0; i < 8; i++)
		pthread_join(thread[i], NULL);
	say("%d\n", mine);
	return 0;
}
