/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/idtable.h"

#include <errno.h>
#include <stdlib.h>

int id_table_init(struct id_table *t, u32 max)
{
	pthread_mutex_init(&t->lock, NULL);
	t->max = max;
	t->hint = 0;
	t->object = calloc(max, sizeof(*t->object));
	return t->object ? 0 : -ENOMEM;
}

void id_table_done(struct id_table *t)
{
	free(t->object);
	t->object = NULL;
	pthread_mutex_destroy(&t->lock);
}

s64 id_table_add(struct id_table *t, void *object)
{
	s64 id = -ENOSPC;

	pthread_mutex_lock(&t->lock);
	while (t->hint < t->max && t->object[t->hint])
		t->hint++;
	if (t->hint < t->max) {
		__atomic_store_n(&t->object[t->hint], object, __ATOMIC_RELEASE);
		id = ++t->hint;
	}
	pthread_mutex_unlock(&t->lock);
	return id;
}

void *id_table_get(struct id_table *t, u64 id)
{
	if (id - 1 >= t->max)
		return NULL;
	return __atomic_load_n(&t->object[id - 1], __ATOMIC_ACQUIRE);
}

void *id_table_take(struct id_table *t, u64 id)
{
	void *object;

	if (id - 1 >= t->max)
		return NULL;
	pthread_mutex_lock(&t->lock);
	object = t->object[id - 1];
	__atomic_store_n(&t->object[id - 1], NULL, __ATOMIC_RELEASE);
	if (id - 1 < t->hint)
		t->hint = (u32)id - 1;
	pthread_mutex_unlock(&t->lock);
	return object;
}
