/* SPDX-License-Identifier: Apache-2.0 */
#include "base/rbtree.h"

#include "harness/test.h"

enum { NODES = 512, STEPS = 20000 };

struct item {
	unsigned int key;
	struct rb_node node;
};

static struct item items[NODES];
static bool present[NODES];

static void insert(struct rb_root *root, struct item *item)
{
	struct rb_node **link = &root->node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = item->key < rb_entry(parent, struct item, node)->key ? &parent->left
									    : &parent->right;
	}
	rb_insert(root, &item->node, parent, link);
}

static void fill(struct rb_root *root, unsigned int n)
{
	rb_init(root);
	for (unsigned int i = 0; i < NODES; i++) {
		items[i].key = i;
		rb_node_init(&items[i].node);
		present[i] = i < n;
		if (i < n)
			insert(root, &items[i]);
	}
}

static bool is_red(const struct rb_node *node)
{
	return node && !(node->parent_colour & 1);
}

/* Checks the invariants below @node and returns its number of black nodes to a leaf. */
static int black_height(const struct rb_node *node, const struct rb_node *parent)
{
	int left, right;

	if (!node)
		return 1;
	ASSERT_PTR_EQ((const void *)(node->parent_colour & ~(uintptr_t)1), parent);
	if (is_red(node)) {
		ASSERT_FALSE(is_red(node->left));
		ASSERT_FALSE(is_red(node->right));
	}
	left = black_height(node->left, node);
	right = black_height(node->right, node);
	ASSERT_EQ(left, right);
	return left + !is_red(node);
}

/* The tree holds exactly the keys of present[], in order, from both ends. */
static void check_tree(const struct rb_root *root)
{
	struct rb_node *up = rb_first(root), *down = rb_last(root);

	ASSERT_FALSE(is_red(root->node));
	black_height(root->node, NULL);
	for (unsigned int i = 0; i < NODES; i++) {
		ASSERT_EQ(rb_node_linked(&items[i].node), present[i]);
		if (present[i]) {
			ASSERT_PTR_EQ(up, &items[i].node);
			up = rb_next(up);
		}
		if (present[NODES - 1 - i]) {
			ASSERT_PTR_EQ(down, &items[NODES - 1 - i].node);
			down = rb_prev(down);
		}
	}
	ASSERT_NULL(up);
	ASSERT_NULL(down);
}

TEST(empty_tree_has_no_nodes)
{
	struct rb_root root = RB_ROOT;

	EXPECT_TRUE(rb_empty(&root));
	EXPECT_NULL(rb_first(&root));
	EXPECT_NULL(rb_last(&root));
	EXPECT_NULL(rb_first_postorder(&root));
}

TEST(ascending_inserts_stay_balanced)
{
	struct rb_root root;
	struct item *it;
	unsigned int n = 0;

	fill(&root, NODES);
	check_tree(&root);
	/* At least half of the nodes on a path are black, and 2^black - 1 <= NODES. */
	EXPECT_LE(black_height(root.node, NULL), 10);
	rb_for_each_entry(it, &root, node)
		EXPECT_EQ(it->key, n++);
	EXPECT_EQ(n, NODES);
}

TEST(erase_in_every_order_of_few_nodes)
{
	static const unsigned char orders[][4] = {
		{ 0, 1, 2, 3 }, { 3, 2, 1, 0 }, { 1, 0, 3, 2 }, { 1, 3, 0, 2 }, { 2, 0, 1, 3 },
		{ 2, 1, 3, 0 }, { 0, 3, 1, 2 }, { 3, 0, 2, 1 }, { 1, 2, 0, 3 }, { 2, 3, 1, 0 },
	};
	struct rb_root root;

	for (size_t o = 0; o < sizeof(orders) / sizeof(orders[0]); o++) {
		fill(&root, 4);
		for (int i = 0; i < 4; i++) {
			present[orders[o][i]] = false;
			rb_erase(&root, &items[orders[o][i]].node);
			check_tree(&root);
		}
		EXPECT_TRUE(rb_empty(&root));
	}
}

TEST(random_inserts_and_erases_match_a_set)
{
	struct test_rng rng;
	struct rb_root root;

	test_rng_init(&rng, 1);
	fill(&root, 0);
	for (int step = 0; step < STEPS; step++) {
		/* Fewer keys for a while, so that the tree also gets small. */
		unsigned int i =
			(unsigned int)test_rng_below(&rng, step % 4000 < 1000 ? 16 : NODES);

		if (present[i])
			rb_erase(&root, &items[i].node);
		else
			insert(&root, &items[i]);
		present[i] = !present[i];
		if (step % 16 == 0)
			check_tree(&root);
	}
	check_tree(&root);
}

TEST(equal_keys_stay_in_order_of_insertion)
{
	struct item a = { .key = 5 }, b = { .key = 5 }, c = { .key = 5 };
	struct rb_root root = RB_ROOT;

	insert(&root, &a);
	insert(&root, &b);
	insert(&root, &c);
	EXPECT_PTR_EQ(rb_first(&root), &a.node);
	EXPECT_PTR_EQ(rb_next(&a.node), &b.node);
	EXPECT_PTR_EQ(rb_last(&root), &c.node);
}

TEST(replace_takes_over_the_place)
{
	struct item other = { .key = 7 };
	struct rb_root root;

	fill(&root, 16);
	rb_replace(&root, &items[7].node, &other.node);
	EXPECT_FALSE(rb_node_linked(&items[7].node));
	EXPECT_PTR_EQ(rb_next(&items[6].node), &other.node);
	EXPECT_PTR_EQ(rb_prev(&items[8].node), &other.node);
	black_height(root.node, NULL);
}

TEST(postorder_visits_children_before_parents)
{
	struct rb_node *node, *next;
	struct rb_root root;
	unsigned int n = 0;

	fill(&root, 100);
	for (node = rb_first_postorder(&root); node; node = next) {
		next = rb_next_postorder(node);
		/* Both children were visited, and marked, before. */
		if (node->left)
			EXPECT_EQ(rb_entry(node->left, struct item, node)->key, 1000);
		if (node->right)
			EXPECT_EQ(rb_entry(node->right, struct item, node)->key, 1000);
		rb_entry(node, struct item, node)->key = 1000;
		n++;
	}
	EXPECT_EQ(n, 100);
}
