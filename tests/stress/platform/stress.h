/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The platform's stress program: interrupts at random phases against contexts that spin, call, fault
 * and compute on changing address spaces. Nothing may be lost, doubled, leaked or seen by others.
 *
 * Runners and interrupters come in pairs (a group), which share nothing but the machine and the
 * address spaces: an interrupter waits for each interrupt it sends to be taken, so that no other
 * one could make up for one that was lost.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <ringfence/platform.h>

struct stress_options {
	enum rf_residency residency;
	uint32_t cpus;
	uint64_t interrupts; /* stop after so many, 0: don't */
	double seconds;
	uint64_t seed;
	double hang_seconds; /* without any progress of a group */
};

struct stress_totals {
	_Atomic uint64_t sent, taken, spurious, preempted, switches, system_calls, faults;
	_Atomic uint64_t changes, spaces, contexts, fpu_checks, kicks_in_ring0;
};

struct stress_rng {
	uint64_t state;
};

static inline uint64_t stress_random(struct stress_rng *r)
{
	r->state += 0x9e3779b97f4a7c15ull;
	uint64_t x = r->state;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

static inline uint64_t stress_below(struct stress_rng *r, uint64_t n)
{
	return stress_random(r) % n;
}

/* What a group is doing, for the watchdog. */
struct stress_progress {
	_Atomic uint64_t steps;
	const char *_Atomic phase;
	void (*describe)(void *owner);
	void *owner;
};

/* ---- platform-stress.c ---- */
extern struct stress_options stress_options;
extern struct stress_totals stress_totals;
/* Prints a message, what every group is doing, and ends the process. */
__attribute__((noreturn, format(printf, 1, 2))) void stress_fail(const char *format, ...);
void stress_watch(struct stress_progress *p);
bool stress_over(void);
/* Between nothing and a millisecond, mostly short. */
void stress_pause(struct stress_rng *r);

/* All of it: a warm-up, the run, the search for leaks. Returns 0, or ends the process by stress_fail(). -1: cannot run here. */
int stress_run(const struct stress_options *options);
void stress_print(void);

/* ---- one machine's life each ---- */
int stress_host(struct rf_machine *m);
int stress_guest(struct rf_machine *m);
