/* SPDX-License-Identifier: Apache-2.0 */
/* Small numbers for the platform objects a kernel in residency host works with. Lookups take no lock. */
#pragma once

#include <pthread.h>

#include "base/types.h"

struct id_table {
	pthread_mutex_t lock;
	void **object; /* id - 1 */
	u32 max;
	u32 hint; /* guarded by lock: no free place below */
};

int id_table_init(struct id_table *t, u32 max) __must_check;
void id_table_done(struct id_table *t);
/* Returns the id, at least 1, or -ENOSPC. */
s64 id_table_add(struct id_table *t, void *object);
/* Returns the object, or NULL. */
void *id_table_get(struct id_table *t, u64 id);
/* Takes the object out and returns it, or NULL. */
void *id_table_take(struct id_table *t, u64 id);
