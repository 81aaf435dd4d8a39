/* SPDX-License-Identifier: Apache-2.0 */
/* Vector registers, AVX-512's too, are a thread's own: over system calls, switches between many, fork, clone and signals. */
#include <pthread.h>

#include "guest/xstate.h"

#define THREADS 6
#define ROUNDS  5

static void expect(const struct vectors *in, long number, long a, long b)
{
	struct vectors out;

	memset(&out, 0, sizeof(out));
	if (vectors_call(in, &out, number, a, b) == -1)
		FAIL("call %ld", number);
	if (!vectors_equal(in, &out))
		FAIL("call %ld changed a vector register", number);
}

static void *worker(void *arg)
{
	struct vectors in;

	for (unsigned i = 0; i < ROUNDS; i++) {
		vectors_fill(&in, (unsigned)(uintptr_t)arg * 1000 + i);
		expect(&in, SYS_sched_yield, 0, 0);
		expect(&in, i % 2 ? SYS_getppid : SYS_gettid, 0, 0);
	}
	return NULL;
}

static int process(void *arg)
{
	worker(arg);
	return 0;
}

/* Spins with everything loaded until told to stop: only preemption and signals can come between. */
static volatile int *stop;

static int spinner(void *arg)
{
	struct vectors in, out;

	vectors_fill(&in, (unsigned)(uintptr_t)arg);
	while (!*stop) {
		vectors_call(&in, &out, SYS_getpid, 0, 0);
		CHECK(vectors_equal(&in, &out));
	}
	return 0;
}

static void handler(int sig)
{
	struct vectors other, out;

	vectors_fill(&other, 99);
	vectors_call(&other, &out, SYS_sched_yield, 0, 0);
	CHECK(vectors_equal(&other, &out));
}

/* The nested handler's state is restored before the outer one's. */
static void outer(int sig)
{
	struct vectors in;

	vectors_fill(&in, 77);
	expect(&in, SYS_kill, getpid(), SIGUSR1);
}

static void signals(void)
{
	struct vectors in;

	handle(SIGUSR1, handler, 0);
	handle(SIGUSR2, outer, 0);
	for (unsigned i = 0; i < 20; i++) {
		vectors_fill(&in, i);
		expect(&in, SYS_kill, getpid(), SIGUSR1);
		expect(&in, SYS_kill, getpid(), SIGUSR2);
	}
}

/* fork in the middle: both have the registers afterwards. */
static void forks(void)
{
	struct vectors in, out;
	pid_t parent = getpid(), child;

	vectors_fill(&in, 5);
	for (int i = 0; i < 5; i++) {
		memset(&out, 0, sizeof(out));
		child = (pid_t)vectors_call(&in, &out, SYS_fork, 0, 0);
		CHECK(vectors_equal(&in, &out));
		if (child == 0)
			_exit(syscall(SYS_getpid) == parent);
		wait_ok(child);
	}
}

int main(void)
{
	pthread_t threads[THREADS];
	pid_t pids[4];

	stop = map_shared(1);
	signals();
	forks();
	for (intptr_t i = 0; i < 4; i++)
		pids[i] = spawn(i < 2 ? spinner : process, (void *)(i + 100));
	for (intptr_t i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, worker, (void *)(i + 1)), 0);
	for (int i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
	*stop = 1;
	for (int i = 0; i < 4; i++)
		wait_ok(pids[i]);
	say("ok\n");
	return 0;
}
