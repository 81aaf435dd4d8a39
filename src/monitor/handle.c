/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/handle.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define HANDLE_INDEX_BITS 12
static_assert(HC_HANDLES_MAX == 1u << HANDLE_INDEX_BITS, "the index has its own bits in a handle");

int handle_table_init(struct handle_table *t)
{
	pthread_mutex_init(&t->lock, NULL);
	t->slot = calloc(HC_HANDLES_MAX, sizeof(*t->slot));
	if (!t->slot)
		return -ENOMEM;
	t->free_count = 0;
	for (u32 i = HC_HANDLES_MAX; i-- > 0;)
		t->free[t->free_count++] = (u16)i;
	return 0;
}

void handle_table_done(struct handle_table *t)
{
	for (u32 i = 0; t->slot && i < HC_HANDLES_MAX; i++)
		if (t->slot[i].open)
			close(t->slot[i].fd);
	free(t->slot);
	t->slot = NULL;
	pthread_mutex_destroy(&t->lock);
}

int handle_install(struct handle_table *t, int fd, u32 kind, u32 flags, u64 *ret)
{
	struct handle *h;
	u32 index;

	pthread_mutex_lock(&t->lock);
	if (!t->free_count) {
		pthread_mutex_unlock(&t->lock);
		close(fd);
		return -EMFILE;
	}
	index = t->free[--t->free_count];
	h = &t->slot[index];
	h->generation++;
	h->fd = fd;
	h->kind = kind;
	h->flags = flags;
	h->stream = 0;
	h->refs = 1;
	h->open = true;
	h->watch_slot = -1;
	*ret = h->generation << HANDLE_INDEX_BITS | index;
	pthread_mutex_unlock(&t->lock);
	return 0;
}

/* The open slot a handle names, or NULL. Needs the lock. */
static struct handle *handle_lookup(struct handle_table *t, u64 value)
{
	struct handle *h = &t->slot[value & (HC_HANDLES_MAX - 1)];

	return h->open && h->generation == value >> HANDLE_INDEX_BITS ? h : NULL;
}

struct handle *handle_get(struct handle_table *t, u64 value, u32 kinds)
{
	struct handle *h;

	pthread_mutex_lock(&t->lock);
	h = handle_lookup(t, value);
	if (h && (h->kind & kinds))
		h->refs++;
	else
		h = NULL;
	pthread_mutex_unlock(&t->lock);
	return h;
}

bool handle_is_open(struct handle_table *t, const struct handle *h)
{
	bool open;

	pthread_mutex_lock(&t->lock);
	open = h->open;
	pthread_mutex_unlock(&t->lock);
	return open;
}

void handle_put(struct handle_table *t, struct handle *h)
{
	int fd = -1;

	if (!h)
		return;
	pthread_mutex_lock(&t->lock);
	if (--h->refs == 0) {
		fd = h->fd;
		t->free[t->free_count++] = (u16)(h - t->slot);
	}
	pthread_mutex_unlock(&t->lock);
	if (fd >= 0)
		close(fd);
}

int handle_close(struct handle_table *t, u64 value)
{
	struct handle *h;

	pthread_mutex_lock(&t->lock);
	h = handle_lookup(t, value);
	if (h)
		h->open = false;
	pthread_mutex_unlock(&t->lock);
	if (!h)
		return -EBADF;
	handle_put(t, h);
	return 0;
}
