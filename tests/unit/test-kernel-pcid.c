/* SPDX-License-Identifier: Apache-2.0 */
/* Test-Sources: src/kernel/platform/pcid.c */
/*
 * PCID slots against a model TLB: every sequence of DEPTH actions over a few address spaces. The model keeps, for each PCID, what
 * could be cached under it in the worst case, and fails when a CPU could use a translation that is gone.
 */
#include <stdio.h>
#include <string.h>

#include "harness/test.h"
#include "kernel/platform/pcid.h"

#define SPACES (PCID_SLOTS + 2u)

/* The oldest translation under a PCID: of which space, at which of its generations; id 0: nothing cached. */
struct cached {
	u64 id, oldest;
};

struct model {
	struct pcid_table table;
	struct cached tlb[PCID_SLOTS + 1], user[PCID_SLOTS + 1];
	u64 id[SPACES], gen[SPACES], last_id;
	u32 loaded; /* PCID; 0: the kernel's */
	u32 space;
};

static void model_init(struct model *m)
{
	memset(m, 0, sizeof(*m));
	for (u32 i = 0; i < SPACES; i++) {
		m->id[i] = ++m->last_id;
		m->gen[i] = 1;
	}
}

/* Runs under a PCID: whatever is cached may be used, and everything may become cached. False: something stale was there. */
static bool use(struct cached *c, u64 id, u64 gen)
{
	if (c->id && (c->id != id || c->oldest < gen))
		return false;
	if (!c->id)
		*c = (struct cached){ id, gen };
	return true;
}

static bool enter_user(struct model *m)
{
	u32 p = m->loaded;

	if (!p)
		return true;
	if (pcid_user_stale(&m->table, p))
		m->user[p].id = 0;
	pcid_user_loaded(&m->table, p);
	return use(&m->user[p], m->id[m->space], m->gen[m->space]);
}

static bool load(struct model *m, u32 space)
{
	struct pcid_load l = pcid_choose(&m->table, m->id[space], m->gen[space]);

	EXPECT_TRUE(l.pcid >= 1 && l.pcid <= PCID_SLOTS);
	EXPECT_EQ(l.flush_user, pcid_user_stale(&m->table, l.pcid));
	if (l.flush)
		m->tlb[l.pcid].id = 0;
	m->loaded = l.pcid;
	m->space = space;
	return use(&m->tlb[l.pcid], m->id[space], m->gen[space]);
}

/* A change of a space; where it is loaded the CPU flushes, or invalidates the page under one or both PCIDs. */
static bool change(struct model *m, u32 space, u32 how)
{
	u64 gen = ++m->gen[space];
	u32 p = m->loaded;

	if (!p || m->space != space)
		return true;
	/* Invalidating pages makes all that stays as new as now. */
	if (how == 0) {
		m->tlb[p].id = 0;
		pcid_flushed(&m->table, p, gen);
	} else {
		m->tlb[p].oldest = gen;
		/* The user PCID's others are as new only if nothing was owed before. */
		if (how == 2 && !pcid_user_stale(&m->table, p) && m->user[p].id)
			m->user[p].oldest = gen;
		pcid_invalidated(&m->table, p, gen, how == 2);
	}
	return use(&m->tlb[p], m->id[space], gen);
}

/* The space ends and another with a new id takes its place; its PCIDs keep what they cached. */
static bool replace(struct model *m, u32 space)
{
	if (m->loaded && m->space == space)
		m->loaded = 0;
	m->id[space] = ++m->last_id;
	m->gen[space] = 1;
	return true;
}

#define ACTIONS (SPACES + 3 * 2 + 2 + 1)

static bool act(struct model *m, u32 action)
{
	if (action < SPACES)
		return load(m, action);
	action -= SPACES;
	if (action < 6)
		return change(m, action / 3, action % 3);
	action -= 6;
	return action < 2 ? replace(m, action) : enter_user(m);
}

static void fail(const char *what, u32 number, u32 left)
{
	printf("# %s %u with %u left uses a stale translation\n", what, number, left);
	EXPECT_TRUE(false);
}

static void explore(const struct model *m, u32 depth)
{
	for (u32 a = 0; a < ACTIONS; a++) {
		struct model next = *m;

		if (!act(&next, a))
			fail("action", a, depth);
		if (depth > 1)
			explore(&next, depth - 1);
	}
}

TEST(no_sequence_uses_a_stale_translation)
{
	struct model m;

	model_init(&m);
	explore(&m, 5);
	/* All slots taken and loaded once: recycling is what the next step starts with. */
	for (u32 i = 0; i < SPACES; i++)
		EXPECT_TRUE(load(&m, i) && enter_user(&m));
	explore(&m, 5);
}

TEST(long_random_sequences_use_no_stale_translation)
{
	struct model m;
	u64 x = 88172645463325252ull;

	model_init(&m);
	for (u32 i = 0; i < 300000; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		if (!act(&m, (u32)(x % ACTIONS)))
			fail("step", i, 0);
	}
}

TEST(switching_back_flushes_nothing)
{
	struct pcid_table t = { 0 };
	struct pcid_load l;

	EXPECT_TRUE(pcid_choose(&t, 7, 1).flush);
	EXPECT_TRUE(pcid_choose(&t, 9, 4).flush);
	l = pcid_choose(&t, 7, 1);
	EXPECT_FALSE(l.flush);
	EXPECT_TRUE(l.flush_user);
	pcid_user_loaded(&t, l.pcid);
	EXPECT_FALSE(pcid_choose(&t, 7, 1).flush_user);
	EXPECT_FALSE(pcid_choose(&t, 9, 4).flush);
	EXPECT_TRUE(pcid_choose(&t, 9, 5).flush);
}

TEST(as_many_spaces_as_slots_stay_cached)
{
	struct pcid_table t = { 0 };

	for (u64 round = 0; round < 3; round++)
		for (u64 id = 1; id <= PCID_SLOTS; id++)
			EXPECT_EQ(pcid_choose(&t, id, 1).flush, round == 0);
}
