/* SPDX-License-Identifier: Apache-2.0 */
/* rseq: counters of CPUs, without locks or atomic instructions, by more threads than CPUs: the sum is exact. */
#include "guest/rseq.h"

#define CPUS_MAX 4096
#define STRIDE   64
#define THREADS  8
#define ROUNDS   100000

static char counters[CPUS_MAX * STRIDE];
static volatile long aborts[THREADS];

static void *count(void *arg)
{
	struct rseq *area = rseq_area();
	long aborted = 0;

	for (int i = 0; i < ROUNDS;) {
		if (rseq_add(area, counters, STRIDE))
			i++;
		else
			aborted++;
		if (i % 25000 == 0)
			sched_yield();
	}
	aborts[(long)arg] = aborted;
	return NULL;
}

int main(void)
{
	pthread_t threads[THREADS];
	uint64_t sum = 0;

	for (long i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, count, (void *)i), 0);
	for (int i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
	for (int i = 0; i < CPUS_MAX; i++)
		sum += *(uint64_t *)(counters + i * STRIDE);
	say("%lu\n", sum);
	CHECK_EQ(sum, (uint64_t)THREADS * ROUNDS);
	return 0;
}
