/* SPDX-License-Identifier: Apache-2.0 */
#include "base/list.h"

#include "harness/test.h"

struct item {
	int value;
	struct list node;
};

/* The values in @head as decimal digits, after checking both directions of every link. */
static int digits_of(const struct list *head)
{
	const struct item *it;
	int digits = 0, reversed = 0, unit = 1;

	list_for_each_entry(it, head, node) {
		ASSERT_PTR_EQ(it->node.next->prev, &it->node);
		digits = digits * 10 + it->value;
	}
	list_for_each_entry_reverse(it, head, node) {
		reversed += it->value * unit;
		unit *= 10;
	}
	EXPECT_EQ(digits, reversed);
	return digits;
}

static void add_digits(struct list *head, struct item *items, int from, int to)
{
	for (int v = from; v <= to; v++) {
		items[v].value = v;
		list_add_tail(&items[v].node, head);
	}
}

TEST(empty_list_has_no_members)
{
	LIST_HEAD(head);

	EXPECT_TRUE(list_empty(&head));
	EXPECT_EQ(list_count(&head), 0);
	EXPECT_NULL(list_first_entry_or_null(&head, struct item, node));
	EXPECT_EQ(digits_of(&head), 0);
}

TEST(add_puts_first_and_add_tail_last)
{
	struct item a = { .value = 1 }, b = { .value = 2 }, c = { .value = 3 };
	LIST_HEAD(head);

	list_add(&a.node, &head);
	EXPECT_TRUE(list_is_singular(&head));
	list_add(&b.node, &head);
	list_add_tail(&c.node, &head);
	EXPECT_EQ(digits_of(&head), 213);
	EXPECT_PTR_EQ(list_first_entry(&head, struct item, node), &b);
	EXPECT_PTR_EQ(list_last_entry(&head, struct item, node), &c);
	EXPECT_PTR_EQ(list_next_entry(&b, node), &a);
	EXPECT_PTR_EQ(list_prev_entry(&c, node), &a);
}

TEST(del_leaves_the_node_unlinked)
{
	struct item items[10];
	LIST_HEAD(head);

	add_digits(&head, items, 1, 3);
	list_del(&items[2].node);
	EXPECT_TRUE(list_empty(&items[2].node));
	list_del(&items[2].node);
	EXPECT_EQ(digits_of(&head), 13);
	list_del(&items[1].node);
	list_del(&items[3].node);
	EXPECT_TRUE(list_empty(&head));
}

TEST(safe_iteration_survives_deletion)
{
	struct item items[10], *it, *tmp;
	LIST_HEAD(head);

	add_digits(&head, items, 1, 6);
	list_for_each_entry_safe(it, tmp, &head, node)
		if (it->value % 2)
			list_del(&it->node);
	EXPECT_EQ(digits_of(&head), 246);
}

TEST(move_and_replace_keep_order)
{
	struct item items[10], other = { .value = 9 };
	LIST_HEAD(head);

	add_digits(&head, items, 1, 4);
	list_move(&items[3].node, &head);
	EXPECT_EQ(digits_of(&head), 3124);
	list_move_tail(&items[1].node, &head);
	EXPECT_EQ(digits_of(&head), 3241);
	list_replace(&items[2].node, &other.node);
	EXPECT_EQ(digits_of(&head), 3941);
	EXPECT_TRUE(list_empty(&items[2].node));
}

TEST(splice_moves_all_members)
{
	struct item items[10];
	LIST_HEAD(to);
	LIST_HEAD(from);

	list_splice_tail(&from, &to);
	EXPECT_TRUE(list_empty(&to));
	add_digits(&from, items, 1, 2);
	list_splice_tail(&from, &to);
	EXPECT_TRUE(list_empty(&from));
	add_digits(&from, items, 3, 4);
	list_splice_tail(&from, &to);
	EXPECT_EQ(digits_of(&to), 1234);
	add_digits(&from, items, 5, 6);
	list_splice(&from, &to);
	EXPECT_EQ(digits_of(&to), 561234);
}
