/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/radix.h"

#include "abi/linux/errno.h"
#include "kernel/mm/kmalloc.h"

#define RADIX_HEIGHT_MAX 11u /* 66 bits */

/* Does an index fit a tree of this height? */
static bool radix_covers(u32 height, u64 index)
{
	return height >= RADIX_HEIGHT_MAX || !(index >> (height * RADIX_BITS));
}

static unsigned radix_slot(u64 index, u32 level)
{
	return (unsigned)(index >> (level * RADIX_BITS)) & (RADIX_WAYS - 1);
}

static void **radix_find(const struct radix *t, u64 index)
{
	struct radix_node *n = t->root;

	if (!n || !radix_covers(t->height, index))
		return NULL;
	for (u32 level = t->height - 1; level; level--) {
		n = n->slot[radix_slot(index, level)];
		if (!n)
			return NULL;
	}
	return &n->slot[radix_slot(index, 0)];
}

void *radix_get(const struct radix *t, u64 index)
{
	void **slot = radix_find(t, index);

	return slot ? *slot : NULL;
}

static int radix_grow(struct radix *t, u64 index)
{
	while (!t->root || !radix_covers(t->height, index)) {
		struct radix_node *n = kzalloc(sizeof(*n));

		if (!n)
			return -ENOMEM;
		if (t->root)
			n->slot[0] = t->root;
		t->root = n;
		t->height++;
	}
	return 0;
}

int radix_set(struct radix *t, u64 index, void *entry)
{
	struct radix_node *n;
	int r = radix_grow(t, index);

	if (r < 0)
		return r;
	n = t->root;
	for (u32 level = t->height - 1; level; level--) {
		void **slot = &n->slot[radix_slot(index, level)];

		if (!*slot)
			*slot = kzalloc(sizeof(*n));
		if (!*slot)
			return -ENOMEM;
		n = *slot;
	}
	n->slot[radix_slot(index, 0)] = entry;
	t->count++;
	return 0;
}

void *radix_clear(struct radix *t, u64 index)
{
	void **slot = radix_find(t, index), *old = slot ? *slot : NULL;

	if (old) {
		*slot = NULL;
		t->count--;
	}
	return old;
}

/* Depth-first without recursion: at each index, descend; on a hole, jump to the next subtree of that level. */
void *radix_next(const struct radix *t, u64 *index)
{
	u64 i = *index;

	while (t->root && radix_covers(t->height, i)) {
		struct radix_node *n = t->root;
		u32 level = t->height - 1;

		while (level && n->slot[radix_slot(i, level)])
			n = n->slot[radix_slot(i, level--)];
		if (level == 0 && n->slot[radix_slot(i, 0)]) {
			*index = i;
			return n->slot[radix_slot(i, 0)];
		}
		i = ((i >> (level * RADIX_BITS)) + 1) << (level * RADIX_BITS);
		if (!i)
			return NULL;
	}
	return NULL;
}

static void radix_free_node(struct radix_node *n, u32 level)
{
	for (unsigned s = 0; level && s < RADIX_WAYS; s++)
		if (n->slot[s])
			radix_free_node(n->slot[s], level - 1);
	kfree(n);
}

void radix_done(struct radix *t)
{
	if (t->root)
		radix_free_node(t->root, t->height - 1);
	*t = (struct radix){ 0 };
}
