/* SPDX-License-Identifier: Apache-2.0 */
/* For tests: events for random CPUs at random times. */
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "monitor/monitor.h"
#include "platform/platform.h"

#define KICK    3u
#define SOURCES 4u

struct source {
	u32 rate; /* a second; 0: none */
	u64 next_ns;
};

/* Uniform between 0 and twice the mean. */
static u64 interval_ns(u32 rate, struct drand48_data *random)
{
	double x;

	drand48_r(random, &x);
	return (u64)(x * 2e9 / rate);
}

static void sleep_until(u64 ns)
{
	struct timespec t = { .tv_sec = (time_t)(ns / 1000000000),
			      .tv_nsec = (long)(ns % 1000000000) };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL))
		;
}

/*
 * Before the kernel has given a CPU its IDT, an exception ends the machine. A machine check would end a program that has no handler
 * yet: so many system calls later it had the time to install one.
 */
#define MC_CALLS 5000u

static bool is_ready(const struct monitor *m, u32 cpu, u32 what)
{
	u64 calls = READ_ONCE(m->info->cpu[cpu].syscalls);

	if (what == RF_INJECT_MC)
		return calls >= MC_CALLS;
	return calls || READ_ONCE(m->info->cpu[cpu].hostcalls);
}

static void inject(struct monitor *m, u32 cpu, u32 what)
{
	if (what == KICK)
		monitor_kick(m, cpu);
	else if (is_ready(m, cpu, what))
		rf_machine_inject(m->machine, cpu, (enum rf_inject)what);
}

/* The source whose turn is next. */
static u32 next_of(const struct source *s)
{
	u32 next = SOURCES;

	for (u32 i = 0; i < SOURCES; i++)
		if (s[i].rate && (next == SOURCES || s[i].next_ns < s[next].next_ns))
			next = i;
	return next;
}

static void *inject_main(void *arg)
{
	struct monitor *m = arg;
	struct source s[SOURCES] = {
		[RF_INJECT_NMI].rate = m->inject.nmi,
		[RF_INJECT_MC].rate = m->inject.mc,
		[RF_INJECT_DF].rate = m->inject.df,
		[KICK].rate = m->inject.kick,
	};
	struct drand48_data random;
	long cpu;

	pthread_barrier_wait(&m->gate); /* set up */
	pthread_barrier_wait(&m->gate); /* let go */
	srand48_r(1, &random);
	for (u32 i = 0; i < SOURCES; i++)
		s[i].next_ns = clock_now_ns(CLOCK_MONOTONIC);
	while (!atomic_load(&m->ended)) {
		u32 i = next_of(s);

		sleep_until(s[i].next_ns);
		lrand48_r(&random, &cpu);
		inject(m, (u32)(cpu % m->cpus), i);
		/* From now: what this machine can't keep up with must not pile up. */
		s[i].next_ns = clock_now_ns(CLOCK_MONOTONIC) + interval_ns(s[i].rate, &random);
	}
	return NULL;
}

bool inject_wanted(const struct monitor *m)
{
	const struct rf_injection *i = &m->inject;

	return i->nmi || i->mc || i->df || i->kick;
}

int inject_start(struct monitor *m, struct rf_error *err)
{
	pthread_t thread;
	int r;

	if (!inject_wanted(m))
		return 0;
	r = pthread_create(&thread, NULL, inject_main, m);
	if (r)
		return error_set(err, -r, "cannot start the thread that injects");
	pthread_detach(thread);
	return 0;
}
