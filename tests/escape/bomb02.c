/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bomb of threads.
 * Stopped by: the limit on tasks; when they are gone the next thread starts.
 * Escape-Options: --memory 128M --pids 200
 * Escape-Expect: stopped: EAGAIN from pthread_create
 * Escape-Expect: stopped: a thread starts and ends afterwards
 */
#include <pthread.h>

#include "escape/escape.h"

static void *sleep_long(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void *nothing(void *arg)
{
	return arg;
}

static void grow(void)
{
	pthread_attr_t attr;
	pthread_t thread;
	int error;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 16384);
	while ((error = pthread_create(&thread, &attr, sleep_long, NULL)) == 0)
		;
	stopped("%s from pthread_create", strerrorname_np(error));
}

void attempt(void)
{
	pthread_t thread;

	CHECK_EQ(in_child(grow), 0);
	CHECK_EQ(pthread_create(&thread, NULL, nothing, NULL), 0);
	pthread_join(thread, NULL);
	stopped("a thread starts and ends afterwards");
}
