/* SPDX-License-Identifier: Apache-2.0 */
/* A signal interrupts FUTEX_WAIT: EINTR, or it goes on with SA_RESTART. */
#include <pthread.h>

#include "guest/futex.h"

static uint32_t word;
static volatile int handled;
static pid_t tid;

static void handler(int sig)
{
	handled++;
}

static void *run(void *arg)
{
	long r;

	tid = (pid_t)syscall(SYS_gettid);
	r = futex(&word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
	return (void *)(r < 0 ? (long)errno : 0);
}

static void one(int flags)
{
	pthread_t thread;
	void *value;
	int before = handled;

	__atomic_store_n(&tid, 0, __ATOMIC_SEQ_CST);
	handle(SIGUSR1, handler, flags);
	CHECK_EQ(pthread_create(&thread, NULL, run, NULL), 0);
	while (!__atomic_load_n(&tid, __ATOMIC_SEQ_CST))
		sched_yield();
	wait_until_asleep(tid);
	pthread_kill(thread, SIGUSR1);
	while (handled == before)
		sched_yield();
	if (flags & SA_RESTART) {
		wait_until_asleep(tid);
		CHECK_EQ(futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 1);
	}
	pthread_join(thread, &value);
	say("%s\n", (long)value == EINTR ? "EINTR" : value ? "?" : "woken");
}

int main(void)
{
	one(0);
	one(SA_RESTART);
	return 0;
}
