/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Intrusive red-black tree (Cormen et al., Introduction to Algorithms, chapter 13, with parent
 * pointers and NULL leaves). The caller finds the place, so that no comparison goes through a
 * function pointer:
 *
 *	struct rb_node **link = &root->node, *parent = NULL;
 *
 *	while (*link) {
 *		struct foo *at = rb_entry(*link, struct foo, node);
 *
 *		parent = *link;
 *		link = foo->key < at->key ? &parent->left : &parent->right;
 *	}
 *	rb_insert(root, &foo->node, parent, link);
 */
#pragma once

#include "base/types.h"

struct rb_node {
	/* The parent's address; bit 0 is the colour. The node's own address when on no tree. */
	uintptr_t parent_colour;
	struct rb_node *left;
	struct rb_node *right;
};

struct rb_root {
	struct rb_node *node;
};

#define RB_ROOT                     ((struct rb_root){ NULL })
#define rb_entry(ptr, type, member) container_of(ptr, type, member)

/* The entry of a node that may be NULL. */
#define rb_entry_or_null(ptr, type, member)                               \
	__extension__({                                                   \
		struct rb_node *rb_ptr_ = (ptr);                          \
		rb_ptr_ ? rb_entry(rb_ptr_, type, member) : (type *)NULL; \
	})

static inline void rb_init(struct rb_root *root)
{
	root->node = NULL;
}

static inline bool rb_empty(const struct rb_root *root)
{
	return !root->node;
}

static inline void rb_node_init(struct rb_node *node)
{
	node->parent_colour = (uintptr_t)node;
	node->left = NULL;
	node->right = NULL;
}

/* Is @node, initialised by rb_node_init() or taken out by rb_erase(), on a tree? */
static inline bool rb_node_linked(const struct rb_node *node)
{
	return node->parent_colour != (uintptr_t)node;
}

/*
 * Links @node at *@link, an empty child pointer of @parent (or &root->node with @parent NULL), and
 * rebalances. @node needs no initialisation.
 */
void rb_insert(struct rb_root *root, struct rb_node *node, struct rb_node *parent,
	       struct rb_node **link);
/*
 * Takes @node out and leaves it as rb_node_init() does. Other nodes stay where they are in
 * memory.
 */
void rb_erase(struct rb_root *root, struct rb_node *node);
/* Puts @node, of equal key, in the place of @old without rebalancing. */
void rb_replace(struct rb_root *root, struct rb_node *old, struct rb_node *node);

/* In key order; NULL at the end. */
struct rb_node *rb_first(const struct rb_root *root);
struct rb_node *rb_last(const struct rb_root *root);
struct rb_node *rb_next(const struct rb_node *node);
struct rb_node *rb_prev(const struct rb_node *node);

/* The body must not change the tree. */
#define rb_for_each_entry(pos, root, member)                                          \
	for (pos = rb_entry_or_null(rb_first(root), __typeof__(*(pos)), member); pos; \
	     pos = rb_entry_or_null(rb_next(&(pos)->member), __typeof__(*(pos)), member))

/* Children before parents, in no key order; for freeing a whole tree. */
struct rb_node *rb_first_postorder(const struct rb_root *root);
struct rb_node *rb_next_postorder(const struct rb_node *node);
