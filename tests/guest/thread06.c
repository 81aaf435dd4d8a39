/* SPDX-License-Identifier: Apache-2.0 */
/* Cancellation ends a thread that sleeps in a system call, and its cleanup runs. */
#include <pthread.h>

#include "guest/guest.h"

static int ends[2];

static void cleanup(void *arg)
{
	say("cleanup\n");
}

static void *run(void *arg)
{
	char c;

	pthread_cleanup_push(cleanup, NULL);
	OK(write(ends[1], "r", 1));
	OK(read(ends[0], &c, 1));
	pause();
	pthread_cleanup_pop(0);
	return NULL;
}

int main(void)
{
	pthread_t thread;
	void *value;

	OK(pipe(ends));
	CHECK_EQ(pthread_create(&thread, NULL, run, NULL), 0);
	sleep_ms(5);
	pthread_cancel(thread);
	pthread_join(thread, &value);
	say("%d\n", value == PTHREAD_CANCELED);
	return 0;
}
