/* SPDX-License-Identifier: Apache-2.0 */
/* Wait queues. The sleeping itself is in sched.c. */
#include "kernel/core/wait.h"

#include "kernel/core/cpu.h"

void waitq_init(struct waitq *wq)
{
	list_init(&wq->waiters);
}

static void waiter_set(struct waitq *wq, struct waiter *w)
{
	*w = (struct waiter){ .wq = wq, .task = current };
}

void waitq_add(struct waitq *wq, struct waiter *w)
{
	waiter_set(wq, w);
	list_add(&w->node, &wq->waiters);
}

/* Exclusive waiters queue behind the others and are served in order. */
__hot void waitq_add_exclusive(struct waitq *wq, struct waiter *w)
{
	waiter_set(wq, w);
	w->exclusive = true;
	list_add_tail(&w->node, &wq->waiters);
}

void waitq_add_callback(struct waitq *wq, struct waiter *w, waiter_fn fn, void *data)
{
	waiter_set(wq, w);
	w->fn = fn;
	w->data = data;
	list_add(&w->node, &wq->waiters);
}

__hot void waitq_remove(struct waiter *w)
{
	if (!w->wq)
		return;
	list_del(&w->node);
	w->wq = NULL;
}

static void waiter_fire(struct waiter *w, u32 poll_events)
{
	w->fired = true;
	if (w->fn)
		w->fn(w, poll_events);
	else
		task_wake(w->task);
}

__hot void waitq_wake_nr(struct waitq *wq, unsigned nr, u32 poll_events)
{
	struct waiter *w, *tmp;

	/* A callback may remove its own waiter and no other, so `tmp` stays good. */
	list_for_each_entry_safe(w, tmp, &wq->waiters, node) {
		if (w->exclusive) {
			if (!nr)
				break;
			/* Woken once already and not run since: the wake-up belongs to somebody else. */
			if (w->fired)
				continue;
			nr--;
		}
		waiter_fire(w, poll_events);
	}
}

__hot void waitq_wake(struct waitq *wq, u32 poll_events)
{
	if (waitq_active(wq))
		waitq_wake_nr(wq, 1, poll_events);
}

void waitq_hand_on(struct waitq *wq)
{
	struct waiter *w;

	list_for_each_entry(w, &wq->waiters, node)
		if (w->exclusive && !w->fired) {
			waiter_fire(w, 0);
			break;
		}
}

void waitq_wake_all(struct waitq *wq, u32 poll_events)
{
	waitq_wake_nr(wq, ~0u, poll_events);
}
