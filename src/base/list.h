/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Intrusive circular doubly-linked list. A head and a member are the same type; an unlinked member
 * points at itself, so list_empty(&obj->node) says whether obj is on a list.
 */
#pragma once

#include "base/types.h"

struct list {
	struct list *next;
	struct list *prev;
};

#define LIST_INIT(name)          \
	{                        \
		&(name), &(name) \
	}
#define LIST_HEAD(name) struct list name = LIST_INIT(name)

static inline void list_init(struct list *l)
{
	l->next = l;
	l->prev = l;
}

static inline bool list_empty(const struct list *head)
{
	return head->next == head;
}

/* Exactly one member. */
static inline bool list_is_singular(const struct list *head)
{
	return !list_empty(head) && head->next == head->prev;
}

static inline void list_insert_between(struct list *node, struct list *prev, struct list *next)
{
	node->prev = prev;
	node->next = next;
	prev->next = node;
	next->prev = node;
}

/* Adds @node as the first member of @head, or after the member @head. */
static inline void list_add(struct list *node, struct list *head)
{
	list_insert_between(node, head, head->next);
}

/* Adds @node as the last member of @head, or before the member @head. */
static inline void list_add_tail(struct list *node, struct list *head)
{
	list_insert_between(node, head->prev, head);
}

/* Unlinks @node and leaves it pointing at itself; harmless when it is on no list. */
static inline void list_del(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

static inline void list_move(struct list *node, struct list *head)
{
	list_del(node);
	list_add(node, head);
}

static inline void list_move_tail(struct list *node, struct list *head)
{
	list_del(node);
	list_add_tail(node, head);
}

/* Puts @node in the place of @old, which is left unlinked. */
static inline void list_replace(struct list *old, struct list *node)
{
	list_insert_between(node, old->prev, old);
	list_del(old);
}

static inline void list_splice_between(struct list *from, struct list *prev, struct list *next)
{
	if (list_empty(from))
		return;
	from->next->prev = prev;
	prev->next = from->next;
	from->prev->next = next;
	next->prev = from->prev;
	list_init(from);
}

/* Moves all members of @from, in order, to the front of @head; @from is left empty. */
static inline void list_splice(struct list *from, struct list *head)
{
	list_splice_between(from, head, head->next);
}

/* Moves all members of @from, in order, to the end of @head; @from is left empty. */
static inline void list_splice_tail(struct list *from, struct list *head)
{
	list_splice_between(from, head->prev, head);
}

/* Linear time. */
static inline size_t list_count(const struct list *head)
{
	size_t n = 0;

	for (const struct list *l = head->next; l != head; l = l->next)
		n++;
	return n;
}

#define list_entry(ptr, type, member)        container_of(ptr, type, member)
/* Of a list that is not empty. */
#define list_first_entry(head, type, member) list_entry((head)->next, type, member)
#define list_last_entry(head, type, member)  list_entry((head)->prev, type, member)
#define list_first_entry_or_null(head, type, member) \
	(list_empty(head) ? (type *)NULL : list_first_entry(head, type, member))

#define list_next_entry(pos, member) list_entry((pos)->member.next, __typeof__(*(pos)), member)
#define list_prev_entry(pos, member) list_entry((pos)->member.prev, __typeof__(*(pos)), member)

/* The body must not unlink @pos: use the _safe variants for that. */
#define list_for_each_entry(pos, head, member)                                                   \
	for (pos = list_first_entry(head, __typeof__(*(pos)), member); &(pos)->member != (head); \
	     pos = list_next_entry(pos, member))

#define list_for_each_entry_reverse(pos, head, member)                                          \
	for (pos = list_last_entry(head, __typeof__(*(pos)), member); &(pos)->member != (head); \
	     pos = list_prev_entry(pos, member))

/* The body may unlink or free @pos, and nothing else. */
#define list_for_each_entry_safe(pos, tmp, head, member)               \
	for (pos = list_first_entry(head, __typeof__(*(pos)), member), \
	    tmp = list_next_entry(pos, member);                        \
	     &(pos)->member != (head); pos = tmp, tmp = list_next_entry(tmp, member))
