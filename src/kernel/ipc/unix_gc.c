/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets that only messages hold. A socket can be sent through itself or round a ring (SCM_RIGHTS); once the last descriptor is closed
 * nobody can receive it again, yet each message keeps the next socket alive. unix(7) leaves that to a collector, this one: what descriptors
 * and system calls hold is marked, then what its queues carry, and so on; messages waiting in unmarked sockets are dropped.
 */
#include "kernel/ipc/unix.h"

static LIST_HEAD(in_flight); /* struct umsg.flight: messages that carry files */
static unsigned files_in_flight, closes;

void umsg_depart(struct umsg *m, struct usock *to)
{
	m->to = to;
	list_init(&m->flight);
	if (!m->nr_files)
		return;
	list_add_tail(&m->flight, &in_flight);
	files_in_flight += m->nr_files;
}

void umsg_land(struct umsg *m)
{
	if (!m->nr_files)
		return;
	list_del(&m->flight);
	files_in_flight -= m->nr_files;
}

/* Who must be reachable for s to be: itself, or the listening socket that it waits to be accepted from. */
static struct usock *holder(struct usock *s)
{
	return s->listener ? s->listener : s;
}

static void count_references(void)
{
	struct umsg *m;

	list_for_each_entry(m, &in_flight, flight) {
		m->to->gc_refs = holder(m->to)->gc_refs = 0;
		m->to->gc_live = holder(m->to)->gc_live = false;
		for (unsigned i = 0; i < m->nr_files; i++) {
			struct usock *s = file_usock(m->files[i]);

			if (s) {
				s->gc_refs = 0;
				s->gc_live = false;
			}
		}
	}
	list_for_each_entry(m, &in_flight, flight) {
		for (unsigned i = 0; i < m->nr_files; i++) {
			struct usock *s = file_usock(m->files[i]);

			if (s)
				s->gc_refs++;
		}
	}
}

static void mark(struct list *work, struct usock *s)
{
	if (!s || s->gc_live)
		return;
	s->gc_live = true;
	list_init(&s->gc_node);
	list_add_tail(&s->gc_node, work);
}

static void mark_files(struct list *work, const struct umsg *m, bool all)
{
	for (unsigned i = 0; i < m->nr_files; i++) {
		struct usock *s = file_usock(m->files[i]);

		if (s && (all || m->files[i]->refs > s->gc_refs))
			mark(work, s);
	}
}

static void mark_reachable(void)
{
	struct list work = LIST_INIT(work);
	struct umsg *m;
	struct usock *s, *c;

	list_for_each_entry(m, &in_flight, flight) {
		/* In no message: its file is open, or it would have been closed and emptied. */
		if (!holder(m->to)->gc_refs)
			mark(&work, m->to);
		mark_files(&work, m, false);
	}
	while (!list_empty(&work)) {
		s = list_first_entry(&work, struct usock, gc_node);
		list_del(&s->gc_node);
		list_for_each_entry(m, &s->queue, node)
			mark_files(&work, m, true);
		list_for_each_entry(c, &s->backlog, node)
			mark(&work, c);
	}
}

static bool collect(struct list *ret_dead)
{
	struct umsg *m, *tmp;

	list_for_each_entry_safe(m, tmp, &in_flight, flight) {
		if (m->to->gc_live)
			continue;
		m->to->bytes -= m->len;
		m->to->messages--;
		umsg_land(m);
		list_move_tail(&m->node, ret_dead);
	}
	return !list_empty(ret_dead);
}

bool unix_gc(struct list *ret_dead)
{
	closes = 0;
	if (list_empty(&in_flight))
		return false;
	count_references();
	mark_reachable();
	return collect(ret_dead);
}

bool unix_gc_due(void)
{
	/* Looking at everything in flight at each close would make the closing of many sockets quadratic. */
	return files_in_flight && ++closes * 16 > files_in_flight;
}

bool unix_flight_full(unsigned more)
{
	return files_in_flight + more > UNIX_INFLIGHT_MAX;
}
