/* SPDX-License-Identifier: Apache-2.0 */
/*
 * platform-bench [--batches N] [OPERATION...]   |   platform-bench --list
 *
 * Measures the platform library (<ringfence/platform.h>), residency host: what a round trip, a mapping, a switch, an
 * interruption and a machine take, beside what the host's kernel takes for something comparable; and where ring 0 runs
 * natively, the exits of residency guest. One JSON object a line. Times are the best of N batches (5).
 */
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "platform/bench.h"

static const struct operation *const tables[] = { user_operations, memory_operations,
						  machine_operations };
#define TABLES (sizeof(tables) / sizeof(tables[0]))

void die(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	fprintf(stderr, "platform-bench: ");
	vfprintf(stderr, format, ap);
	fprintf(stderr, "\n");
	va_end(ap);
	exit(1);
}

int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

const char *error_text(int r)
{
	return strerror(-r);
}

void bench_pause(void)
{
	sched_yield();
}

const struct rf_platform *bench_platform(void)
{
	const struct rf_platform *p = rf_platform_lookup("kvm");

	if (!p)
		die("no platform kvm");
	return p;
}

int bench_device(void)
{
	struct rf_error err = { 0 };
	int fd;

	if (rf_platform_open_device(bench_platform(), NULL, &fd, &err))
		die("%s", err.text);
	return fd;
}

struct rf_machine *bench_machine_on(int fd, uint32_t cpus, enum rf_residency residency,
				    uint64_t size)
{
	const struct rf_options options = { .cpus = cpus,
					    .residency = residency,
					    .memory.size = size };
	struct rf_error err = { 0 };
	struct rf_machine *m;

	if (rf_machine_new(bench_platform(), fd, &options, &m, &err))
		die("%s", err.text);
	return m;
}

struct rf_machine *bench_machine(uint32_t cpus, enum rf_residency residency, uint64_t size)
{
	return bench_machine_on(bench_device(), cpus, residency, size);
}

static void bench_init(struct bench *b)
{
	b->machine = bench_machine(2, RF_RESIDENCY_HOST, MEMORY);
	for (int i = 0; i < 2; i++) {
		CHECK(rf_address_space_new(b->machine, &b->as[i]));
		CHECK(rf_context_new(b->machine, &b->context[i]));
		CHECK(rf_address_space_map_file(b->as[i], CODE, CODE_OFFSET, PAGE,
						RF_READ | RF_EXEC, false));
		CHECK(rf_address_space_map_file(b->as[i], DATA, DATA_OFFSET, PAGE,
						RF_READ | RF_WRITE, false));
	}
	user_warm(b);
}

static void bench_done(struct bench *b)
{
	for (int i = 0; i < 2; i++) {
		rf_context_free(b->context[i]);
		rf_address_space_free(b->as[i]);
	}
	rf_machine_free(b->machine);
}

/* KVM's own count of exits, host interrupts apart; -1 where it keeps none. */
static int64_t exits_now(const struct bench *b)
{
	struct rf_stats s;

	rf_machine_stats(b->machine, &s);
	return s.kvm_exits ? (int64_t)(s.kvm_exits - s.kvm_irq_exits) : (int64_t)s.exits;
}

struct best {
	int64_t ns, host_ns;
	struct host_time host;
	double exits;
};

static void batch(const struct operation *op, struct bench *b, struct best *best)
{
	int64_t exits = exits_now(b), ns;
	struct host_time t;

	host_time_take();
	ns = op->run(b, op->rounds);
	t = host_time_take();
	if (best->ns < 0 || ns < best->ns) {
		best->ns = ns;
		best->host = t;
		best->exits = (double)(exits_now(b) - exits) / (double)op->rounds;
	}
	if (op->host) {
		ns = op->host(op->rounds);
		best->host_ns = best->host_ns < 0 || ns < best->host_ns ? ns : best->host_ns;
	}
}

static void print_split(const struct operation *op, const struct best *best)
{
	int64_t host = best->host.ioctl_ns + best->host.mmap_ns + best->host.other_ns;
	double n = (double)op->rounds;

	printf(", \"ioctl_ns\": %.0f, \"mmap_ns\": %.0f, \"close_ns\": %.0f, \"ours_ns\": %.0f, \"host_calls\": %.0f",
	       (double)best->host.ioctl_ns / n, (double)best->host.mmap_ns / n,
	       (double)best->host.other_ns / n, (double)(best->ns - host) / n,
	       (double)best->host.calls / n);
}

static void measure(const struct operation *op, struct bench *b, int batches)
{
	struct best best = { .ns = -1, .host_ns = -1 };

	for (int i = 0; i < batches; i++)
		batch(op, b, &best);
	printf("{\"op\": \"%s\", \"what\": \"%s\", \"ns_per_op\": %.1f", op->name, op->what,
	       (double)best.ns / (double)op->rounds);
	if (op->flags & OPERATION_SPLIT)
		print_split(op, &best);
	else if (!(op->flags & OPERATION_GUEST))
		printf(", \"exits_per_op\": %.3f", best.exits);
	if (op->host)
		printf(", \"host_what\": \"%s\", \"host_ns_per_op\": %.1f, \"host_ratio\": %.3f",
		       op->host_what, (double)best.host_ns / (double)op->rounds,
		       (double)best.host_ns / (double)best.ns);
	printf("}\n");
	fflush(stdout);
}

/* The first one of a process: what it finds is remembered. Returns whether ring 0 runs natively. */
static bool measure_probe(bool print)
{
	static struct rf_probe probe;
	struct rf_error err = { 0 };
	int64_t start = now_ns();

	if (rf_platform_probe(bench_platform(), -1, &probe, &err))
		die("%s", err.text);
	start = now_ns() - start;
	if (!probe.usable)
		die("this KVM is not usable; see ringfence doctor");
	if (print)
		printf("{\"op\": \"probe\", \"what\": \"all checks, once a process\", \"ns_per_op\": %lld}\n",
		       (long long)start);
	return probe.can_boot;
}

static bool wanted(const char *name, char **names)
{
	if (!*names)
		return true;
	while (*names)
		if (strcmp(*names++, name) == 0)
			return true;
	return false;
}

static void list(void)
{
	printf("probe\tall checks, once a process\n");
	for (size_t t = 0; t < TABLES; t++)
		for (const struct operation *op = tables[t]; op->name; op++)
			printf("%s\t%s\n", op->name, op->what);
}

int main(int argc, char **argv)
{
	struct bench b = { 0 };
	int batches = 5;
	bool can_boot;

	argv++;
	if (*argv && strcmp(*argv, "--list") == 0) {
		list();
		return 0;
	}
	if (*argv && strcmp(*argv, "--batches") == 0 && argv[1]) {
		batches = atoi(argv[1]);
		argv += 2;
	}
	if ((*argv && **argv == '-') || batches < 1)
		die("usage: platform-bench [--batches N] [OPERATION...]");
	can_boot = measure_probe(wanted("probe", argv));
	bench_init(&b);
	for (size_t t = 0; t < TABLES; t++)
		for (const struct operation *op = tables[t]; op->name; op++)
			if (wanted(op->name, argv) && (can_boot || !(op->flags & OPERATION_GUEST)))
				measure(op, &b, batches);
	bench_done(&b);
	return 0;
}
