/* SPDX-License-Identifier: Apache-2.0 */
/* Robust mutexes: the next locker learns that the owner died, as a thread or as a process. */
#include <pthread.h>

#include "guest/futex.h"

static pthread_mutex_t *lock;

static void init(void)
{
	pthread_mutexattr_t attr;

	lock = map_shared(1);
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	CHECK_EQ(pthread_mutex_init(lock, &attr), 0);
}

static void *die_holding(void *arg)
{
	CHECK_EQ(pthread_mutex_lock(lock), 0);
	return NULL;
}

static int killed_holding(void *arg)
{
	CHECK_EQ(pthread_mutex_lock(lock), 0);
	OK(write(*(int *)arg, "x", 1));
	for (;;)
		pause();
	return 0;
}

static void recover(void)
{
	int r = pthread_mutex_lock(lock);

	say("%s\n", r == EOWNERDEAD ? "owner died" : "?");
	CHECK_EQ(pthread_mutex_consistent(lock), 0);
	CHECK_EQ(pthread_mutex_unlock(lock), 0);
}

int main(void)
{
	pthread_t thread;
	int ends[2];
	pid_t pid;
	char c;

	init();
	CHECK_EQ(pthread_create(&thread, NULL, die_holding, NULL), 0);
	pthread_join(thread, NULL);
	recover();
	OK(pipe(ends));
	pid = spawn(killed_holding, &ends[1]);
	CHECK_EQ(read(ends[0], &c, 1), 1);
	CHECK_EQ(pthread_mutex_trylock(lock), EBUSY);
	OK(kill(pid, SIGKILL));
	recover(); /* may have to wait for the end */
	wait_for(pid);
	return 0;
}
