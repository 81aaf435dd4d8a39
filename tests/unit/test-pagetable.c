/* SPDX-License-Identifier: Apache-2.0 */
#include "pagetable/pagetable.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "harness/test.h"
#include "pagetable/pte_x86_64.h"

/* An allocator that counts, fails on demand and spoils what is freed. "Physical" is the address. */
struct pool {
	u64 live;
	/* Allocations that still succeed. */
	u64 budget;
};

static void *pool_alloc(void *ctx)
{
	struct pool *pool = ctx;
	void *table;

	if (!pool->budget)
		return NULL;
	pool->budget--;
	table = aligned_alloc(PAGE_SIZE, PAGE_SIZE);
	ASSERT_NOT_NULL(table);
	memset(table, 0, PAGE_SIZE);
	pool->live++;
	return table;
}

static void pool_free(void *ctx, void *table)
{
	struct pool *pool = ctx;

	memset(table, 0xcc, PAGE_SIZE);
	free(table);
	pool->live--;
}

static u64 pool_virt_to_gpa(void *ctx, const void *table)
{
	(void)ctx;
	return (u64)(uintptr_t)table;
}

static void *pool_gpa_to_virt(void *ctx, u64 gpa)
{
	(void)ctx;
	return (void *)(uintptr_t)gpa;
}

static const struct pt_alloc_ops pool_ops = {
	.alloc_table = pool_alloc,
	.free_table = pool_free,
	.virt_to_gpa = pool_virt_to_gpa,
	.gpa_to_virt = pool_gpa_to_virt,
};

/* What every test works on. */
struct fixture {
	struct pool pool;
	struct pagetable pt;
	struct pt_freelist freed;
	struct pt_change change;
};

static void setup(struct fixture *f)
{
	*f = (struct fixture){ .pool.budget = UINT64_MAX };
	ASSERT_OK(pt_init(&f->pt, &pool_ops, &f->pool));
}

static void release(struct fixture *f)
{
	pt_freelist_release(&f->freed, &pool_ops, &f->pool);
}

static void teardown(struct fixture *f)
{
	EXPECT_EQ(f->pool.live, f->pt.tables + f->freed.count);
	release(f);
	pt_done(&f->pt);
	EXPECT_EQ(f->pool.live, 0);
}

static int map(struct fixture *f, u64 va, u64 gpa, u64 len, u32 prot)
{
	pt_change_init(&f->change);
	return pt_map(&f->pt, va, gpa, len, prot, PT_SIZE_1G, &f->freed, &f->change);
}

static int unmap(struct fixture *f, u64 va, u64 len)
{
	pt_change_init(&f->change);
	return pt_unmap(&f->pt, va, len, &f->freed, &f->change);
}

static int protect(struct fixture *f, u64 va, u64 len, u32 prot)
{
	pt_change_init(&f->change);
	return pt_protect(&f->pt, va, len, prot, &f->change);
}

/* The page-mapping entry of @va itself. */
static u64 *leaf_of(struct fixture *f, u64 va)
{
	u64 *table = f->pt.root;

	for (unsigned int level = PTE_LEVELS; level; level--) {
		u64 *entry = &table[pte_index(va, level)];

		if (!pte_is_present(*entry))
			return NULL;
		if (pte_is_leaf(*entry, level))
			return entry;
		table = pool_gpa_to_virt(NULL, pte_addr(*entry));
	}
	return NULL;
}

static u64 count_mappings(struct fixture *f, u64 va, u64 end)
{
	struct pt_mapping m;
	u64 n = 0;

	for (; pt_next(&f->pt, va, end, &m); va = m.va + m.size)
		n++;
	return n;
}

static const u64 M2 = PT_SIZE_2M, G1 = PT_SIZE_1G;
static const u32 RW = PT_READ | PT_WRITE | PT_USER;

TEST(empty_root_maps_nothing)
{
	struct pt_mapping m;
	struct fixture f;

	setup(&f);
	EXPECT_EQ(f.pt.tables, 1);
	EXPECT_EQ(pt_root_gpa(&f.pt), (uintptr_t)f.pt.root);
	EXPECT_FALSE(pt_lookup(&f.pt, 0, &m));
	EXPECT_FALSE(pt_lookup(&f.pt, UINT64_MAX, &m));
	EXPECT_FALSE(pt_lookup(&f.pt, 1ull << 47, &m));
	EXPECT_FALSE(pt_next(&f.pt, 0, UINT64_MAX, &m));
	EXPECT_OK(unmap(&f, 0, 1ull << 47));
	EXPECT_EQ(f.change.present_changed, 0);
	teardown(&f);
}

TEST(init_without_memory_fails)
{
	struct pool pool = { .budget = 0 };
	struct pagetable pt;

	EXPECT_EQ(pt_init(&pt, &pool_ops, &pool), -ENOMEM);
}

TEST(bad_ranges_are_refused)
{
	static const struct {
		u64 va, gpa, len;
	} bad[] = {
		{ 0, 0, 0 },
		{ 1, 0, PAGE_SIZE },
		{ 0, 1, PAGE_SIZE },
		{ 0, 0, 1 },
		{ 0, 0, PAGE_SIZE + 8 },
		{ 1ull << 47, 0, PAGE_SIZE },
		{ (1ull << 47) - PAGE_SIZE, 0, 2 * PAGE_SIZE },
		{ 0, 1ull << 52, PAGE_SIZE },
		{ 0, (1ull << 52) - PAGE_SIZE, 2 * PAGE_SIZE },
		{ -PAGE_SIZE, 0, PAGE_SIZE },
		{ -(2 * PAGE_SIZE), 0, 3 * PAGE_SIZE },
		{ 0, 0, -PAGE_SIZE },
		{ -(1ull << 47) - PAGE_SIZE, 0, 2 * PAGE_SIZE },
		{ PAGE_SIZE, 0, -PAGE_SIZE },
		{ PAGE_SIZE, -PAGE_SIZE, PAGE_SIZE },
	};
	struct fixture f;

	setup(&f);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (map(&f, bad[i].va, bad[i].gpa, bad[i].len, RW) != -EINVAL)
			test_fatal("case %zu was taken", i);
	EXPECT_EQ(unmap(&f, 1, PAGE_SIZE), -EINVAL);
	EXPECT_EQ(protect(&f, 0, 0, RW), -EINVAL);
	EXPECT_EQ(map(&f, 0, 0, PAGE_SIZE, PT_USER), -EINVAL);
	EXPECT_EQ(map(&f, 0, 0, PAGE_SIZE, PT_READ | 1u << 20), -EINVAL);
	EXPECT_EQ(pt_map(&f.pt, 0, 0, PAGE_SIZE, RW, 8192, NULL, &f.change), -EINVAL);
	EXPECT_EQ(pt_clear_flags(&f.pt, 0, PAGE_SIZE, PT_WRITE, &f.change), -EINVAL);
	EXPECT_EQ(f.pt.tables, 1);
	teardown(&f);
}

TEST(lookup_returns_what_was_mapped)
{
	static const u32 prots[] = {
		PT_READ,
		RW,
		PT_READ | PT_EXEC | PT_USER,
		PT_READ | PT_WRITE | PT_GLOBAL,
		PT_READ | PT_WRITE | PT_EXEC | PT_USER | PT_ACCESSED | PT_DIRTY,
	};
	struct pt_mapping m;
	struct fixture f;

	setup(&f);
	for (size_t i = 0; i < ARRAY_SIZE(prots); i++) {
		u64 va = 0x7dffff000000 + i * PAGE_SIZE;

		ASSERT_OK(map(&f, va, 0x123456000 + i * PAGE_SIZE, PAGE_SIZE, prots[i]));
		EXPECT_EQ(f.change.added, 1);
		EXPECT_EQ(f.change.present_changed, 0);
		ASSERT_TRUE(pt_lookup(&f.pt, va + 0xabc, &m));
		EXPECT_EQ(m.prot, prots[i]);
		EXPECT_EQ(m.va, va);
		EXPECT_EQ(m.size, PAGE_SIZE);
		EXPECT_EQ(pt_mapping_gpa(&m, va + 0xabc), 0x123456abc + i * PAGE_SIZE);
	}
	EXPECT_EQ(f.pt.tables, 4);
	EXPECT_EQ(*leaf_of(&f, 0x7dffff000000), 0x123456000 | PTE_P | PTE_XD);
	ASSERT_OK(map(&f, 0, 0, PAGE_SIZE, PT_WRITE));
	ASSERT_TRUE(pt_lookup(&f.pt, 0, &m));
	EXPECT_EQ(m.prot, PT_READ | PT_WRITE);
	teardown(&f);
}

TEST(large_pages_are_used_where_alignment_permits)
{
	struct pt_mapping m;
	struct fixture f;

	setup(&f);
	/* One 4 KiB page, 511 of 2 MiB up to 1 GiB, then 1 GiB, then one of 4 KiB. */
	ASSERT_OK(map(&f, G1 + M2 - PAGE_SIZE, 5 * G1 + M2 - PAGE_SIZE, 2 * G1 - M2 + 2 * PAGE_SIZE,
		      RW));
	EXPECT_EQ(f.change.added, 1 + 511 + 1 + 1);
	EXPECT_EQ(count_mappings(&f, 0, 1ull << 47), 1 + 511 + 1 + 1);
	ASSERT_TRUE(pt_lookup(&f.pt, 2 * G1 + 0x12345, &m));
	EXPECT_EQ(m.size, G1);
	EXPECT_EQ(m.gpa, 6 * G1);
	ASSERT_OK(unmap(&f, G1, 3 * G1));
	EXPECT_EQ(f.change.present_changed, 514);
	EXPECT_EQ(f.pt.tables, 1);
	/* The frame is misaligned: small pages only. */
	ASSERT_OK(map(&f, G1, G1 + PAGE_SIZE, M2, RW));
	EXPECT_EQ(f.change.added, 512);
	/* The caller's limit. */
	pt_change_init(&f.change);
	ASSERT_OK(pt_map(&f.pt, 4 * G1, G1, G1, RW, PT_SIZE_2M, &f.freed, &f.change));
	EXPECT_EQ(f.change.added, 512);
	teardown(&f);
}

TEST(unmap_defers_tables_until_release)
{
	struct fixture f;
	u64 *leaf;

	setup(&f);
	ASSERT_OK(map(&f, M2, M2, 2 * PAGE_SIZE, RW));
	leaf = leaf_of(&f, M2 + PAGE_SIZE);
	ASSERT_OK(unmap(&f, M2, PAGE_SIZE));
	EXPECT_EQ(f.freed.count, 0);
	ASSERT_OK(unmap(&f, M2 + PAGE_SIZE, PAGE_SIZE));
	EXPECT_EQ(f.freed.count, 3);
	EXPECT_EQ(f.pt.tables, 1);
	EXPECT_EQ(f.pool.live, 4);
	EXPECT_EQ(f.change.lo, M2 + PAGE_SIZE);
	EXPECT_EQ(f.change.hi, M2 + 2 * PAGE_SIZE);
	EXPECT_EQ(*leaf, 0);
	release(&f);
	EXPECT_EQ(f.pool.live, 1);
	teardown(&f);
}

TEST(large_page_replaces_table)
{
	struct fixture f;

	setup(&f);
	ASSERT_OK(map(&f, M2 + PAGE_SIZE, 7 * G1, 3 * PAGE_SIZE, RW));
	ASSERT_OK(map(&f, M2, 2 * M2, M2, RW));
	EXPECT_EQ(f.change.present_changed, 3);
	EXPECT_EQ(f.change.lo, M2);
	EXPECT_EQ(f.change.hi, 2 * M2);
	EXPECT_EQ(f.freed.count, 1);
	EXPECT_EQ(count_mappings(&f, 0, G1), 1);
	teardown(&f);
}

TEST(equal_mapping_is_no_change)
{
	struct fixture f;

	setup(&f);
	ASSERT_OK(map(&f, 0, G1, G1 + M2 + PAGE_SIZE, RW));
	*leaf_of(&f, 0) |= PTE_A | PTE_D;
	ASSERT_OK(map(&f, 0, G1, G1 + M2 + PAGE_SIZE, RW));
	EXPECT_EQ(f.change.added + f.change.present_changed + f.change.relaxed, 0);
	EXPECT_EQ(*leaf_of(&f, 0) & (PTE_A | PTE_D), PTE_A | PTE_D);
	teardown(&f);
}

TEST(more_permissions_are_relaxation_less_are_change)
{
	struct fixture f;

	setup(&f);
	ASSERT_OK(map(&f, 0, 0, 4 * PAGE_SIZE, PT_READ | PT_USER));
	ASSERT_OK(protect(&f, 0, 2 * PAGE_SIZE, RW));
	EXPECT_EQ(f.change.relaxed, 2);
	EXPECT_EQ(f.change.present_changed, 0);
	EXPECT_EQ(f.change.lo, f.change.hi);
	/* Pages 0 and 1 lose W, pages 2 and 3 gain X. */
	ASSERT_OK(protect(&f, 0, 4 * PAGE_SIZE, PT_READ | PT_USER | PT_EXEC));
	EXPECT_EQ(f.change.relaxed, 2);
	EXPECT_EQ(f.change.present_changed, 2);
	EXPECT_EQ(f.change.lo, 0);
	EXPECT_EQ(f.change.hi, 2 * PAGE_SIZE);
	ASSERT_OK(protect(&f, 3 * PAGE_SIZE, PAGE_SIZE, PT_READ | PT_EXEC));
	EXPECT_EQ(f.change.present_changed, 1);
	ASSERT_OK(protect(&f, 2 * PAGE_SIZE, PAGE_SIZE, PT_READ | PT_EXEC | PT_USER | PT_GLOBAL));
	EXPECT_EQ(f.change.present_changed, 1);
	teardown(&f);
}

TEST(split_keeps_the_rest)
{
	struct pt_mapping m;
	struct fixture f;

	setup(&f);
	ASSERT_OK(map(&f, G1, 2 * G1, G1, RW | PT_EXEC));
	*leaf_of(&f, G1) |= PTE_A | PTE_D;
	ASSERT_OK(protect(&f, G1 + M2 + PAGE_SIZE, PAGE_SIZE, PT_READ | PT_USER));
	EXPECT_EQ(f.change.present_changed, 1);
	EXPECT_EQ(count_mappings(&f, 0, 4 * G1), 511 + 512);
	for (u64 va = G1; pt_next(&f.pt, va, 2 * G1, &m); va = m.va + m.size) {
		bool changed = m.va == G1 + M2 + PAGE_SIZE;

		ASSERT_EQ(m.va, va);
		ASSERT_EQ(m.gpa, va + G1);
		ASSERT_EQ(m.prot,
			  (changed ? PT_READ | PT_USER : RW | PT_EXEC) | PT_ACCESSED | PT_DIRTY);
	}
	ASSERT_OK(unmap(&f, G1 + 4 * M2 + PAGE_SIZE, G1 - 8 * M2));
	EXPECT_EQ(f.change.present_changed, 511 + 503 + 1);
	EXPECT_FALSE(pt_next(&f.pt, G1 + 4 * M2 + PAGE_SIZE, 2 * G1 - 4 * M2 + PAGE_SIZE, &m));
	EXPECT_TRUE(pt_lookup(&f.pt, 2 * G1 - 4 * M2 + PAGE_SIZE, &m));
	teardown(&f);
}

TEST(clear_flags_clears_whole_entries_only)
{
	struct pt_mapping m;
	struct fixture f;

	setup(&f);
	ASSERT_OK(map(&f, M2, M2, M2 + PAGE_SIZE, RW | PT_ACCESSED | PT_DIRTY));
	pt_change_init(&f.change);
	ASSERT_OK(pt_clear_flags(&f.pt, M2 + PAGE_SIZE, M2, PT_DIRTY, &f.change));
	EXPECT_EQ(f.change.present_changed, 1);
	EXPECT_EQ(f.change.lo, 2 * M2);
	ASSERT_TRUE(pt_lookup(&f.pt, M2, &m));
	EXPECT_EQ(m.prot, RW | PT_ACCESSED | PT_DIRTY);
	ASSERT_TRUE(pt_lookup(&f.pt, 2 * M2, &m));
	EXPECT_EQ(m.prot, RW | PT_ACCESSED);
	ASSERT_OK(pt_clear_flags(&f.pt, M2, 2 * M2, PT_DIRTY | PT_ACCESSED, &f.change));
	EXPECT_EQ(f.change.present_changed, 3);
	ASSERT_TRUE(pt_lookup(&f.pt, M2, &m));
	EXPECT_EQ(m.prot, RW);
	teardown(&f);
}

TEST(shared_slot_serves_both_roots)
{
	const u64 arena = 252ull << 39;
	struct pt_mapping m;
	struct fixture f;
	struct pagetable user;

	setup(&f);
	ASSERT_OK(pt_populate_slot(&f.pt, 252));
	ASSERT_OK(pt_init(&user, &pool_ops, &f.pool));
	EXPECT_EQ(pt_install_shared(&user, 252, 0), -EINVAL);
	EXPECT_EQ(pt_install_shared(&user, 512, PTE_P), -EINVAL);
	ASSERT_OK(pt_install_shared(&user, 252, pt_slot_entry(&f.pt, 252) & ~PTE_US));
	EXPECT_EQ(user.tables, 1);
	/* Mapped in the owner, seen in the other, without U. */
	ASSERT_OK(map(&f, arena, M2, M2, RW));
	ASSERT_TRUE(pt_lookup(&user, arena, &m));
	EXPECT_EQ(m.prot, PT_READ | PT_WRITE);
	EXPECT_EQ(pt_map(&user, arena, 0, PAGE_SIZE, RW, PAGE_SIZE, NULL, &f.change), -EINVAL);
	EXPECT_EQ(pt_unmap(&user, 0, 1ull << 47, NULL, &f.change), -EINVAL);
	EXPECT_OK(pt_unmap(&user, 0, arena, NULL, &f.change));
	/* The owner's table stays though empty. */
	ASSERT_OK(unmap(&f, 0, 1ull << 47));
	EXPECT_EQ(f.pt.tables, 2);
	ASSERT_OK(map(&f, arena, M2, PAGE_SIZE, RW));
	ASSERT_TRUE(pt_lookup(&user, arena, &m));
	/* A slot in use is not given up. */
	ASSERT_OK(pt_map(&user, 0, 0, PAGE_SIZE, RW, PAGE_SIZE, NULL, &f.change));
	EXPECT_EQ(pt_install_shared(&user, 0, pt_slot_entry(&f.pt, 252)), -EINVAL);
	pt_done(&user);
	EXPECT_TRUE(pt_lookup(&f.pt, arena, &m));
	teardown(&f);
}

/* Unmapping the middle of a 1 GiB page splits it and a 2 MiB page at each edge: three tables. */
TEST(out_of_memory_leaves_unmap_and_protect_undone)
{
	const u64 va = G1 + M2 + PAGE_SIZE, len = 8 * M2;
	struct pt_mapping m;
	struct fixture f;

	for (u64 budget = 0; budget < 3; budget++) {
		setup(&f);
		ASSERT_OK(map(&f, G1, G1, G1, RW));
		f.pool.budget = budget;
		EXPECT_EQ(budget % 2 ? protect(&f, va, len, PT_READ) : unmap(&f, va, len), -ENOMEM);
		EXPECT_EQ(f.change.present_changed, 0);
		for (u64 at = G1; at < 2 * G1; at += m.size) {
			ASSERT_TRUE(pt_lookup(&f.pt, at, &m));
			ASSERT_EQ(m.va, at);
			ASSERT_EQ(m.gpa, at);
			ASSERT_EQ(m.prot, RW);
		}
		f.pool.budget = 3 - budget;
		EXPECT_OK(unmap(&f, va, len));
		EXPECT_EQ(f.pool.budget, 0);
		teardown(&f);
	}
}

TEST(next_crosses_the_canonical_hole)
{
	const u64 high = -(1ull << 47);
	struct pt_mapping m;
	struct fixture f;

	setup(&f);
	ASSERT_OK(map(&f, high, M2, PAGE_SIZE, RW));
	ASSERT_OK(map(&f, -(2 * PAGE_SIZE), 2 * M2, PAGE_SIZE, PT_READ));
	ASSERT_OK(map(&f, (1ull << 47) - PAGE_SIZE, 0, PAGE_SIZE, RW));
	ASSERT_TRUE(pt_next(&f.pt, 0, UINT64_MAX, &m));
	EXPECT_EQ(m.va, (1ull << 47) - PAGE_SIZE);
	ASSERT_TRUE(pt_next(&f.pt, 1ull << 47, UINT64_MAX, &m));
	EXPECT_EQ(m.va, high);
	EXPECT_FALSE(pt_next(&f.pt, 1ull << 47, high, &m));
	ASSERT_TRUE(pt_next(&f.pt, high + PAGE_SIZE, UINT64_MAX, &m));
	EXPECT_EQ(m.va, -(2 * PAGE_SIZE));
	teardown(&f);
}

TEST(walk_is_described)
{
	struct fixture f;
	char buf[400], small[20];
	int len;

	setup(&f);
	ASSERT_OK(map(&f, G1, 3 * G1, M2, RW));
	len = pt_walk_describe(&f.pt, G1 + 0x1234, buf, sizeof(buf));
	EXPECT_EQ(len, strlen(buf));
	EXPECT_NOT_NULL(strstr(buf, "PML4[0]="));
	EXPECT_NOT_NULL(
		strstr(buf, "PD[0]=0x80000000c0000087(PWU---) -> 0xc0001234 (2048 KiB page)"));
	pt_walk_describe(&f.pt, 2 * G1, buf, sizeof(buf));
	EXPECT_NOT_NULL(strstr(buf, "PDPT[2]=0x0000000000000000(-----X) -> not present"));
	pt_walk_describe(&f.pt, 1ull << 47, buf, sizeof(buf));
	EXPECT_STR_EQ(buf, "0x800000000000 is not canonical");
	EXPECT_EQ(pt_walk_describe(&f.pt, G1, small, sizeof(small)), sizeof(small) - 1);
	EXPECT_EQ(pt_walk_describe(&f.pt, G1, small, 0), 0);
	teardown(&f);
}

/*
 * The model: one word per page of a 4 GiB window across a PML4 boundary, frame | prot, 0 when not
 * mapped. Each random operation is done on both.
 */
enum { MODEL_PAGES = 1 << 20 };

static const u64 model_base = (1ull << 39) - 2 * PT_SIZE_1G;

struct model {
	struct fixture f;
	struct test_rng rng;
	u64 *pages;
};

/* One operation: the range in pages from the base, and what each page becomes (0: unmapped). */
struct model_op {
	enum { OP_MAP, OP_UNMAP, OP_PROTECT } kind;
	u64 first, n, gpa, max_page_size;
	u32 prot;
};

static u64 model_wanted(const struct model *mo, const struct model_op *op, u64 page)
{
	u64 old = mo->pages[page];

	if (op->kind == OP_MAP)
		return (op->gpa + (page - op->first) * PAGE_SIZE) | op->prot;
	if (op->kind == OP_PROTECT && old)
		return (old & ~PAGE_MASK) | op->prot;
	return 0;
}

static u64 model_actual(struct model *mo, u64 page)
{
	u64 va = model_base + page * PAGE_SIZE;
	struct pt_mapping m;

	return pt_lookup(&mo->f.pt, va, &m) ? pt_mapping_gpa(&m, va) | m.prot : 0;
}

/* Sizes from one page to 1 GiB, the larger the rarer, often aligned. */
static void model_pick_range(struct model *mo, struct model_op *op)
{
	u64 roll = test_rng_below(&mo->rng, 1000), align = 1;

	if (roll < 900) {
		op->n = 1 + test_rng_below(&mo->rng, 32);
	} else if (roll < 970) {
		op->n = 1 + test_rng_below(&mo->rng, 1500);
	} else if (roll < 997) {
		align = 512;
		op->n = align * (1 + test_rng_below(&mo->rng, 4));
	} else {
		align = 512 * 512;
		op->n = align;
	}
	/* Half of the small ones close together, so that they meet. */
	op->first = test_rng_below(&mo->rng, roll % 2 ? 8192 : MODEL_PAGES);
	op->first = ALIGN_DOWN(MIN(op->first, MODEL_PAGES - op->n), align);
}

static void model_pick(struct model *mo, struct model_op *op)
{
	static const u64 limits[] = { PT_SIZE_4K, PT_SIZE_2M, PT_SIZE_1G };
	u64 roll = test_rng_below(&mo->rng, 10);

	op->kind = roll < 4 ? OP_MAP : roll < 7 ? OP_UNMAP : OP_PROTECT;
	model_pick_range(mo, op);
	/* PT_READ with any of W, X, U, G. */
	op->prot = (u32)(PT_READ | test_rng_below(&mo->rng, 32));
	op->gpa = (op->first + test_rng_below(&mo->rng, 2) * 512 * 512) * PAGE_SIZE;
	if (test_rng_below(&mo->rng, 4) == 0)
		op->gpa += PAGE_SIZE;
	op->max_page_size = limits[test_rng_below(&mo->rng, 3)];
}

static int model_apply(struct model *mo, const struct model_op *op)
{
	u64 va = model_base + op->first * PAGE_SIZE, len = op->n * PAGE_SIZE;

	pt_change_init(&mo->f.change);
	if (op->kind == OP_MAP)
		return pt_map(&mo->f.pt, va, op->gpa, len, op->prot, op->max_page_size,
			      &mo->f.freed, &mo->f.change);
	if (op->kind == OP_UNMAP)
		return unmap(&mo->f, va, len);
	return protect(&mo->f, va, len, op->prot);
}

/* Must a stale translation of @old be invalidated before @new holds? */
static bool needs_invalidation(u64 old, u64 new)
{
	return old &&
	       ((old ^ new) & ~PAGE_MASK || (old & ~new &PAGE_MASK) || ((old ^ new) & PT_GLOBAL));
}

/*
 * Takes the operation over into the model; with -ENOMEM from pt_map() only the first part, whose
 * end is sought. Checks that the report covers every page that needs invalidation.
 */
static void model_commit(struct model *mo, const struct model_op *op, int err)
{
	const struct pt_change *change = &mo->f.change;
	u64 needed = 0, limit = op->n;

	if (err && op->kind != OP_MAP)
		limit = 0;
	for (u64 i = 0; i < limit; i++) {
		u64 page = op->first + i, va = model_base + page * PAGE_SIZE;
		u64 old = mo->pages[page], new = model_wanted(mo, op, page);

		if (err && old != new &&model_actual(mo, page) == old)
			break;
		if (needs_invalidation(old, new)) {
			needed++;
			ASSERT_LE(change->lo, va);
			ASSERT_GE(change->hi, va + PAGE_SIZE);
		}
		mo->pages[page] = new;
	}
	if (needed)
		ASSERT_GT(change->present_changed, 0);
	else if (op->kind == OP_PROTECT)
		ASSERT_EQ(change->present_changed, 0);
}

static void model_check_range(struct model *mo, u64 first, u64 n)
{
	for (u64 page = first; page < first + n; page++)
		ASSERT_EQ(model_actual(mo, page), mo->pages[page]);
}

/* Around the ends of the range and at random places; all of it when it is small. */
static void model_check_some(struct model *mo, const struct model_op *op)
{
	u64 end = op->first + op->n, before = MIN(op->first, (u64)2);

	model_check_range(mo, op->first - before, before + MIN(op->n, (u64)40));
	model_check_range(mo, end - 1, MIN((u64)3, MODEL_PAGES + 1 - end));
	for (int i = 0; i < 8; i++)
		model_check_range(mo, test_rng_below(&mo->rng, MODEL_PAGES), 1);
}

/* Returns the number of tables; checks that entries are zero or present, and no table is empty. */
static u64 check_entries(const u64 *table, unsigned int level, bool may_be_empty)
{
	u64 tables = 1, used = 0;

	for (unsigned int i = 0; i < PTE_ENTRIES; i++) {
		ASSERT_TRUE(table[i] == 0 || pte_is_present(table[i]));
		used += table[i] != 0;
		if (table[i] && !pte_is_leaf(table[i], level))
			tables += check_entries(pool_gpa_to_virt(NULL, pte_addr(table[i])),
						level - 1, may_be_empty);
	}
	ASSERT_TRUE(used || may_be_empty || level == PTE_LEVELS);
	return tables;
}

static void model_check_all(struct model *mo, bool after_enomem)
{
	u64 end = model_base + MODEL_PAGES * PAGE_SIZE, page = 0, va = model_base;
	struct pt_mapping m;

	for (; pt_next(&mo->f.pt, va, end, &m); va = m.va + m.size) {
		ASSERT_GE(m.va, va);
		for (; page < (m.va - model_base) / PAGE_SIZE; page++)
			ASSERT_EQ(mo->pages[page], 0);
		for (u64 off = 0; off < m.size; off += PAGE_SIZE)
			if (mo->pages[page++] != ((m.gpa + off) | m.prot))
				test_fatal("page %#lx differs from the model", page - 1);
	}
	for (; page < MODEL_PAGES; page++)
		ASSERT_EQ(mo->pages[page], 0);
	ASSERT_EQ(check_entries(mo->f.pt.root, PTE_LEVELS, after_enomem), mo->f.pt.tables);
}

static void model_run(u64 seed, int steps, bool with_enomem)
{
	struct model mo = { .pages = calloc(MODEL_PAGES, sizeof(u64)) };
	u64 failed = 0;

	ASSERT_NOT_NULL(mo.pages);
	test_rng_init(&mo.rng, seed);
	setup(&mo.f);
	for (int step = 0; step < steps; step++) {
		struct model_op op;
		int err;

		model_pick(&mo, &op);
		if (with_enomem && test_rng_below(&mo.rng, 8) == 0)
			mo.f.pool.budget = test_rng_below(&mo.rng, 4);
		err = model_apply(&mo, &op);
		mo.f.pool.budget = UINT64_MAX;
		ASSERT_TRUE(err == 0 || (with_enomem && err == -ENOMEM));
		failed += err != 0;
		model_commit(&mo, &op, err);
		model_check_some(&mo, &op);
		ASSERT_EQ(mo.f.pool.live, mo.f.pt.tables + mo.f.freed.count);
		if (step % 64 == 0)
			release(&mo.f);
		if (step % 5000 == 0)
			model_check_all(&mo, with_enomem);
	}
	model_check_all(&mo, with_enomem);
	if (with_enomem)
		EXPECT_GT(failed, 100);
	ASSERT_OK(unmap(&mo.f, model_base, MODEL_PAGES * PAGE_SIZE));
	EXPECT_EQ(mo.f.pt.tables, 1);
	teardown(&mo.f);
	free(mo.pages);
}

TEST(random_operations_match_a_flat_array)
{
	model_run(20240601, 100000, false);
}

TEST(random_operations_with_failing_allocations_match_a_flat_array)
{
	model_run(20240602, 30000, true);
}

/* A "processor" that walks while the main thread changes: it may see old or new, nothing else. */
struct walker {
	struct pagetable *pt;
	atomic_bool stop;
	u64 walks, wrong;
};

static void *walker_main(void *arg)
{
	struct walker *w = arg;
	struct pt_mapping m;

	for (u64 i = 0; !atomic_load(&w->stop); i++) {
		u64 va = G1 + (i * 37 % 1024) * PAGE_SIZE;

		w->walks++;
		if (pt_lookup(w->pt, va, &m) && pt_mapping_gpa(&m, va) != va + G1 &&
		    pt_mapping_gpa(&m, va) != va + 2 * G1)
			w->wrong++;
	}
	return NULL;
}

TEST(concurrent_walker_sees_old_or_new)
{
	struct walker w = { 0 };
	struct fixture f;
	pthread_t thread;

	setup(&f);
	w.pt = &f.pt;
	ASSERT_EQ(pthread_create(&thread, NULL, walker_main, &w), 0);
	for (u64 i = 0; i < 1500; i++) {
		/*
		 * Large pages, split, replaced by large pages again, unmapped. Nothing is
		 * reused.
		 */
		EXPECT_OK(map(&f, G1, (2 + i % 2) * G1, 2 * M2, RW));
		EXPECT_OK(protect(&f, G1 + (i % 511) * PAGE_SIZE, M2, PT_READ));
		EXPECT_OK(map(&f, G1 + M2 / 2, (3 - i % 2) * G1 + M2 / 2, M2, RW));
		EXPECT_OK(unmap(&f, G1 + (i % 700) * PAGE_SIZE, M2 / 2));
		if (i % 16 == 0)
			EXPECT_OK(unmap(&f, G1, G1));
	}
	atomic_store(&w.stop, true);
	pthread_join(thread, NULL);
	EXPECT_EQ(w.wrong, 0);
	EXPECT_GT(w.walks, 0);
	teardown(&f);
}
