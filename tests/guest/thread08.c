/* SPDX-License-Identifier: Apache-2.0 */
/* A fatal signal in one thread ends the whole process. */
#include <pthread.h>

#include "guest/guest.h"

static void *crash(void *arg)
{
	*(volatile int *)bad_address() = 1;
	return NULL;
}

static int run(void *arg)
{
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, crash, NULL), 0);
	for (;;)
		pause();
	return 0;
}

int main(void)
{
	int status = wait_for(spawn(run, NULL));

	say("%d %d\n", WIFSIGNALED(status), WTERMSIG(status));
	return 0;
}
