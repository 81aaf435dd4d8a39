/* SPDX-License-Identifier: Apache-2.0 */
/* race.h: threads that read and write memory which others take away: an access gives a value or is counted as a fault. */
#pragma once

#include <pthread.h>
#include <ucontext.h>

#include "guest/guest.h"

#define FAULTED 0xfa017ed0fa017ed0ul

extern const char race_load_at[], race_load_end[], race_store_at[], race_store_end[];

/* The word at p, or FAULTED. */
static __attribute__((noinline, used)) uint64_t race_load(const volatile void *p)
{
	uint64_t v;

	__asm__ volatile("race_load_at: mov (%[p]), %[v]\nrace_load_end:"
			 : [v] "=&a"(v)
			 : [p] "D"(p));
	return v;
}

/* Returns v, or FAULTED. */
static __attribute__((noinline, used)) uint64_t race_store(volatile void *p, uint64_t v)
{
	__asm__ volatile("race_store_at: mov %[v], (%[p])\nrace_store_end:"
			 : [v] "+a"(v)
			 : [p] "D"(p)
			 : "memory");
	return v;
}

static void race_handler(int sig, siginfo_t *info, void *context)
{
	greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;

	if (g[REG_RIP] == (greg_t)(uintptr_t)race_load_at)
		g[REG_RIP] = (greg_t)(uintptr_t)race_load_end;
	else if (g[REG_RIP] == (greg_t)(uintptr_t)race_store_at)
		g[REG_RIP] = (greg_t)(uintptr_t)race_store_end;
	else
		FAIL("signal %d at %#llx, address %p", sig, (unsigned long long)g[REG_RIP],
		     info->si_addr);
	g[REG_RAX] = (greg_t)FAULTED;
}

static inline void race_init(void)
{
	handle_info(SIGSEGV, race_handler, 0);
	handle_info(SIGBUS, race_handler, 0);
}

/* Threads that call step(own) until told to stop, and how often each has: others wait for that, not for a time. */
struct racer {
	pthread_t thread;
	void (*step)(struct racer *);
	unsigned id;
	volatile unsigned long steps;
	volatile unsigned long own[4];
} __attribute__((aligned(64)));

static volatile bool race_stop;

static void *racer_main(void *arg)
{
	struct racer *r = arg;

	while (!race_stop) {
		r->step(r);
		r->steps++;
	}
	return NULL;
}

static inline void race_start(struct racer *r, unsigned n, void (*step)(struct racer *))
{
	race_stop = false;
	for (unsigned i = 0; i < n; i++) {
		r[i].step = step;
		r[i].id = i;
		r[i].steps = 0;
		CHECK_EQ(pthread_create(&r[i].thread, NULL, racer_main, &r[i]), 0);
	}
}

static inline void race_end(struct racer *r, unsigned n)
{
	race_stop = true;
	for (unsigned i = 0; i < n; i++)
		CHECK_EQ(pthread_join(r[i].thread, NULL), 0);
}

/* Until each has done one whole step that began after this call. */
static inline void race_all_stepped(struct racer *r, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		for (unsigned long from = r[i].steps; r[i].steps < from + 2;)
			sched_yield();
}

/* Until some racer has done a step. */
static inline void race_any_stepped(struct racer *r, unsigned n)
{
	unsigned long from = 0, now;

	for (unsigned i = 0; i < n; i++)
		from += r[i].steps;
	do {
		sched_yield();
		now = 0;
		for (unsigned i = 0; i < n; i++)
			now += r[i].steps;
	} while (now == from);
}

#define POISON 0x5015015015015015ul

/*
 * Where freed frames are used again. At an address of its own: what the racers look at must not come back as something else by design.
 */
#define POOL_PAGES 8
static volatile uint64_t *pool;

static inline void pool_init(void)
{
	pool = map_pages(POOL_PAGES, PROT_NONE);
}

static inline void pool_map(int prot)
{
	CHECK(mmap((void *)(uintptr_t)pool, POOL_PAGES * PAGE, prot,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == (void *)(uintptr_t)pool);
}

static inline void fill(volatile uint64_t *p, size_t pages, uint64_t value)
{
	for (size_t i = 0; i < pages * PAGE / 8; i++)
		p[i] = value;
}

/* Takes frames, those just freed among them, and fills them; the racers race on; nothing else may be in them afterwards. */
static inline void pool_check(struct racer *r, unsigned n)
{
	pool_map(PROT_READ | PROT_WRITE);
	fill(pool, POOL_PAGES, POISON);
	race_any_stepped(r, n);
	for (size_t i = 0; i < POOL_PAGES * PAGE / 8; i++)
		if (pool[i] != POISON)
			FAIL("a reused page was written: %#lx", (unsigned long)pool[i]);
	pool_map(PROT_NONE);
}
