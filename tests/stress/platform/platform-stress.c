/* SPDX-License-Identifier: Apache-2.0 */
/* The frame: time, watchdog, leaks. */
#include "stress/platform/stress.h"

#include <dirent.h>
#include <malloc.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WATCHED_MAX 128u
#define MEMORY      (16ul << 20)
/* Caches of the allocator and of thread stacks. */
#define SPARE_MAPS  16u
#define SPARE_BYTES (24ul << 20)

struct stress_options stress_options;
struct stress_totals stress_totals;

static struct stress_progress *watched[WATCHED_MAX];
static _Atomic unsigned watched_count;
static _Atomic double end_time;
static _Atomic uint64_t interrupts_end;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

void stress_fail(const char *format, ...)
{
	static _Atomic bool failing;
	va_list ap;

	if (atomic_exchange(&failing, true))
		for (;;)
			pause();
	printf("FAILED (seed %lu): ", stress_options.seed);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	printf("\n");
	for (unsigned i = 0; i < atomic_load(&watched_count); i++) {
		struct stress_progress *p = watched[i];

		printf("  %u: %lu steps, %s; ", i, atomic_load(&p->steps), atomic_load(&p->phase));
		p->describe(p->owner);
		printf("\n");
	}
	stress_print();
	fflush(stdout);
	_exit(1);
}

void stress_watch(struct stress_progress *p)
{
	unsigned i = atomic_fetch_add(&watched_count, 1);

	if (i >= WATCHED_MAX)
		abort();
	watched[i] = p;
}

bool stress_over(void)
{
	uint64_t most = atomic_load(&interrupts_end);

	return now() > atomic_load(&end_time) || (most && atomic_load(&stress_totals.sent) >= most);
}

void stress_pause(struct stress_rng *r)
{
	uint64_t how = stress_below(r, 8);

	if (how == 0)
		usleep((useconds_t)stress_below(r, 1000));
	else
		for (uint64_t i = stress_below(r, 1ull << (how + 8)); i; i--)
			__asm__ volatile("pause");
}

/* ---- the watchdog ---- */

static void *watchdog(void *arg)
{
	uint64_t last[WATCHED_MAX] = { 0 };
	double since[WATCHED_MAX];
	_Atomic bool *stop = arg;

	for (unsigned i = 0; i < WATCHED_MAX; i++)
		since[i] = now();
	while (!atomic_load(stop)) {
		usleep(100000);
		for (unsigned i = 0; i < atomic_load(&watched_count); i++) {
			uint64_t steps = atomic_load(&watched[i]->steps);

			if (steps != last[i]) {
				last[i] = steps;
				since[i] = now();
			} else if (now() - since[i] > stress_options.hang_seconds) {
				stress_fail("no progress of %u for %.0f s: a lost interrupt?", i,
					    stress_options.hang_seconds);
			}
		}
	}
	return NULL;
}

/* ---- leaks ---- */

struct footprint {
	unsigned descriptors, threads, maps;
	unsigned long rss;
};

static unsigned count_entries(const char *path)
{
	DIR *d = opendir(path);
	unsigned n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

static struct footprint measure(void)
{
	struct footprint f = { .descriptors = count_entries("/proc/self/fd"),
			       .threads = count_entries("/proc/self/task") };
	FILE *maps = fopen("/proc/self/maps", "r"), *statm = fopen("/proc/self/statm", "r");
	int c;

	while (maps && (c = getc(maps)) != EOF)
		f.maps += c == '\n';
	if (!statm || fscanf(statm, "%*u %lu", &f.rss) != 1)
		f.rss = 0;
	f.rss *= 4096;
	if (maps)
		fclose(maps);
	if (statm)
		fclose(statm);
	return f;
}

static void check_leaks(const struct footprint *before, const struct footprint *after)
{
	if (after->descriptors != before->descriptors)
		stress_fail("%u descriptors before, %u after", before->descriptors,
			    after->descriptors);
	if (after->threads != before->threads)
		stress_fail("%u threads before, %u after", before->threads, after->threads);
	if (after->maps > before->maps + SPARE_MAPS)
		stress_fail("%u mappings before, %u after", before->maps, after->maps);
	if (after->rss > before->rss + SPARE_BYTES)
		stress_fail("%lu KiB resident before, %lu after", before->rss >> 10,
			    after->rss >> 10);
}

/* ---- a machine ---- */

static struct rf_machine *make_machine(void)
{
	const char *name = getenv("RF_TEST_PLATFORM");
	const struct rf_platform *p = rf_platform_lookup(name ? name : "kvm");
	struct rf_options options = { .cpus = stress_options.cpus,
				      .residency = stress_options.residency,
				      .memory.size = MEMORY };
	struct rf_error err = { 0 };
	struct rf_machine *m;
	int fd;

	if (!p || rf_platform_open_device(p, NULL, &fd, &err)) {
		printf("# %s\n", p ? err.text : "no such platform");
		return NULL;
	}
	if (rf_machine_new(p, fd, &options, &m, &err))
		stress_fail("rf_machine_new: %s", err.text);
	return m;
}

static int run_once(double seconds, uint64_t interrupts)
{
	struct rf_machine *m = make_machine();
	_Atomic bool stop = false;
	pthread_t dog;
	int r;

	if (!m)
		return -1;
	atomic_store(&watched_count, 0);
	atomic_store(&interrupts_end, interrupts);
	atomic_store(&end_time, now() + seconds);
	if (pthread_create(&dog, NULL, watchdog, &stop))
		stress_fail("no thread for the watchdog");
	r = stress_options.residency == RF_RESIDENCY_HOST ? stress_host(m) : stress_guest(m);
	atomic_store(&stop, true);
	pthread_join(dog, NULL);
	atomic_store(&watched_count, 0);
	rf_machine_free(m);
	malloc_trim(0);
	return r;
}

int stress_run(const struct stress_options *options)
{
	struct footprint before, after;

	stress_options = *options;
	memset(&stress_totals, 0, sizeof(stress_totals));
	if (run_once(0.5, 0)) /* what a first time leaves stays: arenas, stacks */
		return -1;
	before = measure();
	memset(&stress_totals, 0, sizeof(stress_totals));
	if (run_once(options->seconds, options->interrupts))
		return -1;
	after = measure();
	check_leaks(&before, &after);
	return 0;
}

void stress_print(void)
{
	const struct stress_totals *t = &stress_totals;

	printf("# %lu interrupts sent, %lu taken, %lu spurious, %lu preemptions; %lu switches, %lu "
	       "system calls, %lu faults, %lu FPU checks; %lu changes, %lu spaces, %lu contexts; %lu "
	       "kicks in ring 0\n",
	       t->sent, t->taken, t->spurious, t->preempted, t->switches, t->system_calls,
	       t->faults, t->fpu_checks, t->changes, t->spaces, t->contexts, t->kicks_in_ring0);
}
