/* SPDX-License-Identifier: Apache-2.0 */
/* The scheduler: per-CPU round-robin run queues with 10 ms slices; idle CPUs steal. All under the kernel lock. */
#pragma once

#include "base/types.h"
#include "kernel/core/wait.h"

struct task;

#define SCHED_SLICE_NS 10000000ul

void sched_init(void);
/* Makes a new task runnable for the first time; its first code is `user_loop(t)` on its own kernel stack. */
void sched_start(struct task *t);
void sched_yield_current(void);
/* Gives the CPU to another task if the slice is over or a wake-up asked for it. */
void sched_check_preempt(void);
/*
 * The primitive under task_sleep(): the caller has set current->state; returns when the task is made runnable again. Job control:
 *	while (stopped) { current->state = TASK_STOPPED; schedule(); }
 * sched_kick() resumes a stopped task, so the condition must be looked at again.
 */
void schedule(void);
/* As sched_start(), but the first code is fn(t), on t's stack with current == t; when fn returns, user_loop(t) follows. */
void sched_start_fn(struct task *t, void (*fn)(struct task *t));
/* The opposite of task_alloc(): platform part, kernel stack and memory of a task that never ran or has been switched away from for ever. */
void task_free(struct task *t);
/* Current becomes a zombie or dead and never runs again; its kernel stack is freed by the scheduler. */
__attribute__((noreturn)) void sched_exit(void);
/* Sends a task to look at its pending work (signals): wakes it if it sleeps interruptibly, interrupts its CPU if it runs user code. */
void sched_kick(struct task *t);
/* Replaces t's CPU mask, which names a CPU that exists. When it returns t runs on no other. Gives up the kernel lock meanwhile. */
void sched_set_affinity(struct task *t, u64 mask);
/* After sched_kick() of what runs there: returns once CPU c is in the kernel, or was. Gives up the kernel lock meanwhile. */
struct cpu;
void sched_wait_left(struct cpu *c);
/* Brings current's utime_ns and stime_ns up to date. */
void sched_account_current(void);
/* Affinity mask changed or CPU time accounting wanted. */
u64 task_cpu_time_ns(const struct task *t);
void sched_count_load(unsigned *ret_running, unsigned *ret_total);
