/* SPDX-License-Identifier: Apache-2.0 */
/* Barriers, reader-writer locks, pthread_once, semaphores. */
#include <pthread.h>
#include <semaphore.h>

#include "guest/guest.h"

#define THREADS 4

static pthread_barrier_t barrier;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static sem_t slots;
static volatile int phase_count[50], inits, inside, most, value;

static void init(void)
{
	inits++;
}

static void enter_slot(void)
{
	int now;

	sem_wait(&slots);
	now = __atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST);
	if (now > most)
		most = now;
	CHECK(now <= 2);
	sched_yield();
	__atomic_sub_fetch(&inside, 1, __ATOMIC_SEQ_CST);
	sem_post(&slots);
}

static void *run(void *arg)
{
	pthread_once(&once, init);
	for (int i = 0; i < 50; i++) {
		__atomic_add_fetch(&phase_count[i], 1, __ATOMIC_SEQ_CST);
		pthread_barrier_wait(&barrier);
		CHECK_EQ(phase_count[i], THREADS);
		pthread_rwlock_wrlock(&rwlock);
		value = value + 1;
		pthread_rwlock_unlock(&rwlock);
		pthread_rwlock_rdlock(&rwlock);
		CHECK(value > i);
		pthread_rwlock_unlock(&rwlock);
		enter_slot();
	}
	return NULL;
}

int main(void)
{
	pthread_t thread[THREADS];

	pthread_barrier_init(&barrier, NULL, THREADS);
	sem_init(&slots, 0, 2);
	for (int i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_create(&thread[i], NULL, run, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	say("%d %d\n", inits, value);
	return 0;
}
