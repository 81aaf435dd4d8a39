/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocking: the one protocol.
 *
 *	struct waiter w;
 *	waitq_add(&q, &w);			// enqueues `current`
 *	while (!condition) {
 *		r = task_sleep(TASK_INTERRUPTIBLE, deadline_ns);
 *		if (r < 0)
 *			break;			// -EINTR: a signal is pending; -ETIMEDOUT
 *	}
 *	waitq_remove(&w);
 *
 * All under the kernel lock, which task_sleep() gives to another task; so there is no lost wake-up between the test of the
 * condition and the sleep. A wake-up may be spurious. A waiter with a callback (`fn`) is called instead of waking a task
 * (poll, epoll); callbacks run under the kernel lock, must not sleep and may remove their own waiter.
 */
#pragma once

#include "base/list.h"
#include "base/types.h"

struct task;
struct waiter;
typedef void (*waiter_fn)(struct waiter *w, u32 poll_events);

struct waitq {
	struct list waiters;
};

struct waiter {
	struct list node;
	struct waitq *wq; /* NULL when not queued */
	struct task *task;
	waiter_fn fn;   /* NULL: wake `task` */
	bool exclusive; /* at most `nr` exclusive waiters are woken by waitq_wake_nr() */
	bool fired;     /* set when woken through this waiter */
	void *data;
};

#define WAITQ_INIT(name)                             \
	{                                            \
		.waiters = LIST_INIT((name).waiters) \
	}
void waitq_init(struct waitq *wq);
void waitq_add(struct waitq *wq,
	       struct waiter *w); /* for current; w->exclusive = false, w->fn = NULL */
void waitq_add_exclusive(struct waitq *wq, struct waiter *w);
void waitq_add_callback(struct waitq *wq, struct waiter *w, waiter_fn fn, void *data);
void waitq_remove(struct waiter *w); /* fine if not queued */
void waitq_wake(struct waitq *wq,
		u32 poll_events); /* all non-exclusive and one exclusive; events 0 = any */
void waitq_wake_nr(struct waitq *wq, unsigned nr, u32 poll_events);
void waitq_wake_all(struct waitq *wq, u32 poll_events);
/* Hands on a wake-up that the caller took but did not use up: one exclusive waiter and nobody else. */
void waitq_hand_on(struct waitq *wq);
static inline bool waitq_active(const struct waitq *wq)
{
	return !list_empty(&wq->waiters);
}

enum task_state {
	TASK_RUNNING = 0,
	TASK_INTERRUPTIBLE,   /* a pending signal ends the sleep */
	TASK_UNINTERRUPTIBLE, /* short waits only */
	TASK_KILLABLE,        /* only a fatal signal ends the sleep */
	TASK_STOPPED,         /* job control */
	TASK_ZOMBIE,
	TASK_DEAD,
};
#define DEADLINE_NONE 0ull
/*
 * Sleeps until woken. 0 = woken (or spurious), -EINTR = signal_pending(), -ETIMEDOUT = deadline (CLOCK_MONOTONIC ns) passed.
 * The state must be one of the three sleeping states.
 */
int task_sleep(enum task_state state, u64 deadline_ns);
void task_wake(
	struct
	task *t); /* makes a sleeping task runnable; no effect on TASK_STOPPED, zombies and running tasks */
