/* SPDX-License-Identifier: Apache-2.0 */
#include "base/rbtree.h"

enum rb_colour {
	RB_RED = 0,
	RB_BLACK = 1,
};

static struct rb_node *rb_parent(const struct rb_node *node)
{
	return (struct rb_node *)(node->parent_colour & ~(uintptr_t)1);
}

/* Missing children count as black. */
static bool rb_is_red(const struct rb_node *node)
{
	return node && (node->parent_colour & 1) == RB_RED;
}

static void rb_set(struct rb_node *node, struct rb_node *parent, enum rb_colour colour)
{
	node->parent_colour = (uintptr_t)parent | colour;
}

static void rb_set_parent(struct rb_node *node, struct rb_node *parent)
{
	node->parent_colour = (uintptr_t)parent | (node->parent_colour & 1);
}

static void rb_set_colour(struct rb_node *node, enum rb_colour colour)
{
	node->parent_colour = (node->parent_colour & ~(uintptr_t)1) | colour;
}

/* Makes @parent (or the root) point at @new where it pointed at @old. */
static void rb_change_child(struct rb_root *root, struct rb_node *parent, struct rb_node *old,
			    struct rb_node *new)
{
	if (!parent)
		root->node = new;
	else if (parent->left == old)
		parent->left = new;
	else
		parent->right = new;
}

/* The child of @node on the left side if @left, else on the right. */
static struct rb_node **rb_child(struct rb_node *node, bool left)
{
	return left ? &node->left : &node->right;
}

/* Rotates @node down to its @left (or right) side; the child of the other side takes its place. */
static void rb_rotate(struct rb_root *root, struct rb_node *node, bool left)
{
	struct rb_node *up = *rb_child(node, !left);
	struct rb_node *inner = *rb_child(up, left);
	struct rb_node *parent = rb_parent(node);

	*rb_child(node, !left) = inner;
	if (inner)
		rb_set_parent(inner, node);
	*rb_child(up, left) = node;
	rb_set_parent(node, up);
	rb_set_parent(up, parent);
	rb_change_child(root, parent, node, up);
}

/* @node is red; repairs a red parent above it. */
static void rb_insert_fixup(struct rb_root *root, struct rb_node *node)
{
	struct rb_node *parent;

	while (rb_is_red(parent = rb_parent(node))) {
		/* A red node is never the root, so there is a grandparent. */
		struct rb_node *grand = rb_parent(parent);
		bool left = parent == grand->left;
		struct rb_node *uncle = *rb_child(grand, !left);

		if (rb_is_red(uncle)) {
			rb_set_colour(parent, RB_BLACK);
			rb_set_colour(uncle, RB_BLACK);
			rb_set_colour(grand, RB_RED);
			node = grand;
			continue;
		}
		if (node == *rb_child(parent, !left)) {
			rb_rotate(root, parent, left);
			parent = node;
		}
		rb_set_colour(parent, RB_BLACK);
		rb_set_colour(grand, RB_RED);
		rb_rotate(root, grand, !left);
		break;
	}
	rb_set_colour(root->node, RB_BLACK);
}

void rb_insert(struct rb_root *root, struct rb_node *node, struct rb_node *parent,
	       struct rb_node **link)
{
	rb_set(node, parent, RB_RED);
	node->left = NULL;
	node->right = NULL;
	*link = node;
	rb_insert_fixup(root, node);
}

/*
 * One step of the repair after erasing: the @left subtree of @parent has one black node too few and
 * its @sibling is black. Returns the node at which to go on, or NULL when balanced.
 */
static struct rb_node *rb_erase_step(struct rb_root *root, struct rb_node *parent,
				     struct rb_node *sibling, bool left)
{
	struct rb_node *outer = *rb_child(sibling, !left);
	struct rb_node *inner = *rb_child(sibling, left);

	if (!rb_is_red(outer) && !rb_is_red(inner)) {
		rb_set_colour(sibling, RB_RED);
		return parent;
	}
	if (!rb_is_red(outer)) {
		rb_set_colour(inner, RB_BLACK);
		rb_set_colour(sibling, RB_RED);
		rb_rotate(root, sibling, !left);
		outer = sibling;
		sibling = inner;
	}
	rb_set_colour(sibling, rb_is_red(parent) ? RB_RED : RB_BLACK);
	rb_set_colour(parent, RB_BLACK);
	rb_set_colour(outer, RB_BLACK);
	rb_rotate(root, parent, left);
	return NULL;
}

/* @node, a child of @parent and perhaps NULL, heads a subtree with one black node too few. */
static void rb_erase_fixup(struct rb_root *root, struct rb_node *node, struct rb_node *parent)
{
	while (node != root->node && !rb_is_red(node)) {
		bool left = node == parent->left;
		struct rb_node *sibling = *rb_child(parent, !left);

		if (rb_is_red(sibling)) {
			rb_set_colour(sibling, RB_BLACK);
			rb_set_colour(parent, RB_RED);
			rb_rotate(root, parent, left);
			sibling = *rb_child(parent, !left);
		}
		node = rb_erase_step(root, parent, sibling, left);
		if (!node)
			return;
		parent = rb_parent(node);
	}
	if (node)
		rb_set_colour(node, RB_BLACK);
}

static struct rb_node *rb_leftmost(struct rb_node *node)
{
	while (node->left)
		node = node->left;
	return node;
}

static struct rb_node *rb_rightmost(struct rb_node *node)
{
	while (node->right)
		node = node->right;
	return node;
}

/* Takes @node, which lacks a child, out of the chain. Returns the child, which may be NULL. */
static struct rb_node *rb_splice_out(struct rb_root *root, struct rb_node *node)
{
	struct rb_node *child = node->left ? node->left : node->right;

	rb_change_child(root, rb_parent(node), node, child);
	if (child)
		rb_set_parent(child, rb_parent(node));
	return child;
}

void rb_replace(struct rb_root *root, struct rb_node *old, struct rb_node *node)
{
	*node = *old;
	rb_change_child(root, rb_parent(old), old, node);
	if (node->left)
		rb_set_parent(node->left, node);
	if (node->right)
		rb_set_parent(node->right, node);
	rb_node_init(old);
}

void rb_erase(struct rb_root *root, struct rb_node *node)
{
	/*
	 * The node whose place in the tree disappears: @node, or its successor that takes
	 * its place.
	 */
	struct rb_node *gone = node->left && node->right ? rb_leftmost(node->right) : node;
	struct rb_node *child = rb_splice_out(root, gone);
	struct rb_node *parent = rb_parent(gone);
	bool was_black = !rb_is_red(gone);

	if (gone != node) {
		rb_replace(root, node, gone);
		if (parent == node)
			parent = gone;
	}
	if (was_black)
		rb_erase_fixup(root, child, parent);
	rb_node_init(node);
}

struct rb_node *rb_first(const struct rb_root *root)
{
	return root->node ? rb_leftmost(root->node) : NULL;
}

struct rb_node *rb_last(const struct rb_root *root)
{
	return root->node ? rb_rightmost(root->node) : NULL;
}

struct rb_node *rb_next(const struct rb_node *node)
{
	struct rb_node *parent;

	if (node->right)
		return rb_leftmost(node->right);
	while ((parent = rb_parent(node)) && node == parent->right)
		node = parent;
	return parent;
}

struct rb_node *rb_prev(const struct rb_node *node)
{
	struct rb_node *parent;

	if (node->left)
		return rb_rightmost(node->left);
	while ((parent = rb_parent(node)) && node == parent->left)
		node = parent;
	return parent;
}

static struct rb_node *rb_deepest(struct rb_node *node)
{
	while (node->left || node->right)
		node = node->left ? node->left : node->right;
	return node;
}

struct rb_node *rb_first_postorder(const struct rb_root *root)
{
	return root->node ? rb_deepest(root->node) : NULL;
}

struct rb_node *rb_next_postorder(const struct rb_node *node)
{
	struct rb_node *parent = rb_parent(node);

	if (parent && node == parent->left && parent->right)
		return rb_deepest(parent->right);
	return parent;
}
