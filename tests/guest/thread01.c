/* SPDX-License-Identifier: Apache-2.0 */
/* Threads: values go in and come out, ids differ, one memory. */
#include <pthread.h>

#include "guest/guest.h"

static pid_t tids[16];

static void *square(void *arg)
{
	intptr_t n = (intptr_t)arg;

	tids[n] = (pid_t)syscall(SYS_gettid);
	return (void *)(n * n);
}

int main(void)
{
	pthread_t thread[16];
	intptr_t sum = 0;

	for (intptr_t i = 0; i < 16; i++)
		CHECK_EQ(pthread_create(&thread[i], NULL, square, (void *)i), 0);
	for (int i = 0; i < 16; i++) {
		void *value;

		CHECK_EQ(pthread_join(thread[i], &value), 0);
		sum += (intptr_t)value;
	}
	for (int i = 0; i < 16; i++) {
		CHECK(tids[i] > 0 && tids[i] != getpid());
		for (int j = 0; j < i; j++)
			CHECK(tids[i] != tids[j]);
	}
	say("%ld\n", (long)sum);
	return 0;
}
