/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Radix tree from u64 indices to pointers, 64 ways a level; grows at the top as indices need it. Clearing an entry never frees a
 * node, so a clear from inside an allocation (memory reclaim) does no harm to a set in progress; radix_done() frees all.
 */
#pragma once

#include "base/types.h"

#define RADIX_BITS 6u
#define RADIX_WAYS (1u << RADIX_BITS)

struct radix_node {
	void *slot[RADIX_WAYS]; /* nodes, or entries at the lowest level */
};
struct radix {
	struct radix_node *root;
	u32 height; /* levels; 0: empty */
	u64 count;  /* entries */
};

void *radix_get(const struct radix *t, u64 index);
/* Stores a non-NULL entry where there is none. -ENOMEM. */
int radix_set(struct radix *t, u64 index, void *entry);
void *radix_clear(struct radix *t, u64 index); /* returns what was there */
/* First entry with an index >= *index, which is updated; NULL: none. */
void *radix_next(const struct radix *t, u64 *index);
void radix_done(struct radix *t); /* entries are the caller's */
