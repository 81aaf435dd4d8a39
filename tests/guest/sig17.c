/* SPDX-License-Identifier: Apache-2.0 */
/* Signals to a process go to a thread that doesn't block them; to a thread, only there. */
#include <pthread.h>

#include "guest/guest.h"

static volatile pid_t handled_by;
static volatile int stop;
static volatile pid_t tid;

static void handler(int sig)
{
	handled_by = (pid_t)syscall(SYS_gettid);
}

static void *run(void *arg)
{
	unblock(SIGUSR1);
	tid = (pid_t)syscall(SYS_gettid);
	while (!stop)
		sched_yield();
	return NULL;
}

int main(void)
{
	pthread_t thread;
	sigset_t pending;

	handle(SIGUSR1, handler, 0);
	handle(SIGUSR2, handler, 0);
	block(SIGUSR1);
	CHECK_EQ(pthread_create(&thread, NULL, run, NULL), 0);
	while (!tid)
		sched_yield();
	OK(kill(getpid(), SIGUSR1));
	while (!handled_by)
		sched_yield();
	CHECK_EQ(handled_by, tid);
	handled_by = 0;
	pthread_kill(thread, SIGUSR2);
	while (!handled_by)
		sched_yield();
	CHECK_EQ(handled_by, tid);
	pthread_kill(pthread_self(), SIGUSR1); /* blocked here, and nobody else's */
	OK(sigpending(&pending));
	say("%d\n", sigismember(&pending, SIGUSR1));
	stop = 1;
	pthread_join(thread, NULL);
	return 0;
}
