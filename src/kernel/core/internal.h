/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of core/, platform/ and mm/page.c share among themselves. */
#pragma once

#include "base/types.h"
#include "kernel/core/cpu.h"

struct task;

/* Start-up, in this order, on CPU 0. */
void host_init(bool guest);
void time_init(void);
void random_init(void);
void page_init(void);
void kstack_init(void);
void strace_init(void);
/* platform/guest.c: on CPU 0, after page_init(). */
void kplat_guest_init(void);
/* platform/fpu.c */
void fpu_init(void);

/* Kernel stacks: address of the first byte above the guard page, NULL when out of memory. */
void *kstack_alloc(void);
void kstack_free(void *stack);
/* Panics when the guard word of t's stack is gone. */
void kstack_check(const struct task *t);

/* Clears this CPU's kick flag and does what it stood for: host events, timers. Kernel lock held. */
void cpu_events_run(void);
void host_events_run(void);
/* The earliest timer, CLOCK_MONOTONIC ns; 0 = none. */
extern u64 timers_next __attribute__((visibility("hidden")));
static inline u64 ktimer_next(void)
{
	return timers_next;
}

/* Before user mode with tasks waiting here: offers one to an idle CPU once it has waited long enough. */
void sched_spread(struct cpu *c);
/* Looks at the clock: is the slice over? Called when user code was interrupted. */
void sched_tick(void);
/* When user code must be interrupted next: timers and the slice; 0 = never. */
u64 sched_slice_deadline(const struct cpu *c);
static inline u64 sched_user_deadline(const struct cpu *c)
{
	return likely(!c->nr_running) ? ktimer_next() : sched_slice_deadline(c);
}
/* This CPU's idle loop; the caller's stack becomes the idle task's. */
__noreturn void sched_idle(void);
/* Sets up the idle task of this CPU as current. */
void sched_cpu_init(struct cpu *c);
