/* SPDX-License-Identifier: Apache-2.0 */
/* A mutex under contention loses no increment. */
#include <pthread.h>

#include "guest/guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static volatile long counter;

static void *run(void *arg)
{
	for (int i = 0; i < 20000; i++) {
		pthread_mutex_lock(&lock);
		counter = counter + 1;
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

int main(void)
{
	pthread_t thread[6];

	for (int i = 0; i < 6; i++)
		CHECK_EQ(pthread_create(&thread[i], NULL, run, NULL), 0);
	for (int i = 0; i < 6; i++)
		pthread_join(thread[i], NULL);
	say("%ld\n", counter);
	return 0;
}
