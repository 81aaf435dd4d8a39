/* SPDX-License-Identifier: Apache-2.0 */
/* exit_group from a thread ends all; the main thread may leave before the others. */
#include <pthread.h>

#include "guest/guest.h"

static void *leave(void *arg)
{
	exit(11);
}

static void *late(void *arg)
{
	wait_until_state(getpid(), 'Z'); /* the main thread is a zombie now */
	_exit(12);
}

static int main_waits(void *arg)
{
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, leave, NULL), 0);
	for (;;)
		pause();
	return 0;
}

static int main_leaves(void *arg)
{
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, late, NULL), 0);
	pthread_exit(NULL);
	return 0;
}

static void *nothing(void *arg)
{
	return NULL;
}

static int last_thread(void *arg)
{
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, nothing, NULL), 0);
	pthread_exit(NULL);
	return 0;
}

int main(void)
{
	say("%d\n", WEXITSTATUS(wait_for(spawn(main_waits, NULL))));
	say("%d\n", WEXITSTATUS(wait_for(spawn(main_leaves, NULL))));
	say("%#x\n", wait_for(spawn(last_thread, NULL)));
	return 0;
}
