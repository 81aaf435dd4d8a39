/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's own page tables as the monitor makes them: page sizes, rights, global pages; and who needs KPTI. */
#include <string.h>

#include "harness/test.h"
#include "monitor/monitor.h"
#include "pagetable/pagetable.h"
#include "pagetable/pte_x86_64.h"
#include "test-hostcall-image.h"

#define GIB (1ull << 30)

static struct monitor the_monitor;

static void start(struct monitor *m, u64 memory, u32 features, bool kpti)
{
	static struct test_image image;
	struct monitor_options o = {
		.image = &image,
		.image_size = sizeof(image),
		.residency = RF_RESIDENCY_GUEST,
		.cpus = 1,
		.memory = memory,
		.max_tasks = 64,
		.kpti = kpti,
		.log_fd = -1,
		.strace_fd = -1,
	};
	struct rf_error err;

	test_image_fill(&image);
	EXPECT_OK(monitor_init(m, &o, &err));
	m->info->boot_features = features;
	EXPECT_OK(boot_tables_build(m, &err));
}

static u64 *table_at(const struct monitor *m, u64 entry)
{
	return (u64 *)(void *)(m->arena.base + pte_addr(entry) - RF_ARENA_GPA);
}

/* What a walk of our own found. */
struct seen {
	u64 bytes, pages_1g, pages_2m, pages_4k, global, writable, executable;
};

static void see_leaf(struct seen *s, u64 entry, unsigned level, u64 va)
{
	EXPECT_EQ(pte_addr(entry) - RF_ARENA_GPA, va - RF_ARENA_BASE);
	EXPECT_FALSE(entry & PTE_US);
	EXPECT_FALSE((entry & PTE_RW) && !(entry & PTE_XD));
	s->bytes += pte_span(level);
	s->pages_1g += level == 3;
	s->pages_2m += level == 2;
	s->pages_4k += level == 1;
	s->global += !!(entry & PTE_G);
	s->writable += !!(entry & PTE_RW);
	s->executable += !(entry & PTE_XD);
}

static void see(const struct monitor *m, struct seen *s, const u64 *table, unsigned level, u64 va)
{
	for (unsigned i = 0; i < PTE_ENTRIES; i++) {
		u64 at = va | (u64)i << pte_shift(level);

		if (!(table[i] & PTE_P))
			continue;
		if (pte_is_leaf(table[i], level))
			see_leaf(s, table[i], level, at);
		else
			see(m, s, table_at(m, table[i]), level - 1, at);
	}
}

static struct seen seen_of(u64 memory, u32 features, bool kpti)
{
	struct monitor *m = &the_monitor;
	struct seen s = { 0 };

	start(m, memory, features, kpti);
	see(m, &s, table_at(m, m->info->kernel_root), PTE_LEVELS, 0);
	/* All but the guard between image and tables is mapped, once. */
	EXPECT_LE(s.bytes, m->arena.size);
	EXPECT_GE(s.bytes + (4 << 20), m->arena.size);
	monitor_done(m);
	return s;
}

TEST(text_is_executable_and_nothing_writable_is)
{
	struct seen s = seen_of(64 << 20, 0, false);

	EXPECT_EQ(s.executable, 1);
	EXPECT_EQ(s.writable + s.executable, s.pages_1g + s.pages_2m + s.pages_4k);
}

TEST(large_pages_where_they_fit)
{
	struct seen small = seen_of(3 * GIB, 0, false), big = seen_of(3 * GIB, RF_BOOT_F_1G, false);

	EXPECT_EQ(small.pages_1g, 0);
	EXPECT_GE(small.pages_2m, 3 * 512);
	EXPECT_GE(big.pages_1g, 2);
	EXPECT_LT(big.pages_2m, 2 * 512);
	/* The image alone is in small pages. */
	EXPECT_LE(small.pages_4k, 1024);
	EXPECT_EQ(small.pages_4k, big.pages_4k);
}

TEST(all_pages_are_global_unless_there_is_kpti)
{
	struct seen off = seen_of(64 << 20, 0, false), on = seen_of(64 << 20, 0, true);

	EXPECT_EQ(off.global, off.pages_1g + off.pages_2m + off.pages_4k);
	EXPECT_EQ(on.global, 0);
}

TEST(kpti_is_needed_where_the_host_says_so)
{
	EXPECT_FALSE(kpti_needed_by("Not affected\n", "GenuineIntel"));
	EXPECT_TRUE(kpti_needed_by("Mitigation: PTI\n", "GenuineIntel"));
	EXPECT_TRUE(kpti_needed_by("Vulnerable\n", "GenuineIntel"));
	EXPECT_TRUE(kpti_needed_by("Unknown (XEN PV detected)\n", "AuthenticAMD"));
	EXPECT_TRUE(kpti_needed_by(NULL, "GenuineIntel"));
	EXPECT_FALSE(kpti_needed_by(NULL, "AuthenticAMD"));
	EXPECT_FALSE(kpti_needed_by("", "AuthenticAMD"));
}
