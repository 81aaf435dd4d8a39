/* SPDX-License-Identifier: Apache-2.0 */
/* POSIX timers: SIGEV_THREAD_ID hits one thread; SIGEV_THREAD; absolute times; not inherited. */
#include <pthread.h>

#include "guest/guest.h"

static volatile pid_t handled_by;
static volatile int notified;
static timer_t timer;

static void handler(int sig)
{
	handled_by = (pid_t)syscall(SYS_gettid);
}

static void notify(union sigval value)
{
	notified = value.sival_int;
}

static int child(void *arg)
{
	return timer_delete(timer) == 0;
}

static void *run(void *arg)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1 };
	struct itimerspec t = { .it_value = { 0, 5000000 } };
	timer_t own;

	event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
	OK(timer_create(CLOCK_MONOTONIC, &event, &own));
	OK(timer_settime(own, 0, &t, NULL));
	while (!handled_by)
		sched_yield();
	CHECK_EQ(handled_by, event._sigev_un._tid);
	OK(timer_delete(own));
	return NULL;
}

int main(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD, .sigev_value.sival_int = 9 };
	struct itimerspec t = { 0 };
	int64_t at = now_ns(CLOCK_REALTIME) + 10000000;
	pthread_t thread;

	event.sigev_notify_function = notify;
	handle(SIGUSR1, handler, 0);
	CHECK_EQ(pthread_create(&thread, NULL, run, NULL), 0);
	pthread_join(thread, NULL);
	OK(timer_create(CLOCK_REALTIME, &event, &timer));
	t.it_value.tv_sec = at / 1000000000;
	t.it_value.tv_nsec = at % 1000000000;
	OK(timer_settime(timer, TIMER_ABSTIME, &t, NULL));
	while (!notified)
		sched_yield();
	say("%d\n", notified);
	wait_ok(spawn(child, NULL));
	return 0;
}
