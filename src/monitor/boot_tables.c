/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's own page tables for residency guest, in the arena between tables_start and free_start.
 *
 * PML4 slot 252 maps the whole arena, supervisor only: boot area and data RW NX, text RX, rodata R, everything
 * behind the image RW NX in the largest pages that fit: 2 MiB, and 1 GiB where the CPU has them. The image itself is in pages
 * of 4 KiB, as its rights change at their boundaries. All are global, so that switching address spaces keeps their
 * translations, unless there is KPTI: then user code runs with other entries for the same addresses. None of these entries changes after boot; there
 * is no way to drop a stale global translation, and none is needed. Kernel stacks are part of that: the first page of each slot is
 * mapped, because leaving it out would cost one table of 4 KiB entries per 2 MiB of stacks (256 KiB for 4096
 * tasks) before the first task runs; the kernel keeps a canary there.
 */
#include <errno.h>

#include "monitor/monitor.h"
#include "pagetable/pagetable.h"

struct table_pool {
	struct arena *arena;
	u64 next, end; /* offsets */
};

static void *pool_alloc(void *ctx)
{
	struct table_pool *p = ctx;
	void *table;

	if (p->next >= p->end)
		return NULL;
	table = p->arena->base + p->next; /* fresh arena memory is zero */
	p->next += PAGE_SIZE;
	return table;
}

/* Nothing is ever freed while building; a table replaced would be lost, not reused. */
static void pool_free(void *ctx, void *table)
{
	(void)ctx;
	(void)table;
}

static u64 pool_virt_to_gpa(void *ctx, const void *table)
{
	(void)ctx;
	return (u64)(uintptr_t)table - RF_ARENA_BASE + RF_ARENA_GPA;
}

static void *pool_gpa_to_virt(void *ctx, u64 gpa)
{
	(void)ctx;
	return (void *)(uintptr_t)(gpa - RF_ARENA_GPA + RF_ARENA_BASE);
}

static const struct pt_alloc_ops pool_ops = {
	.alloc_table = pool_alloc,
	.free_table = pool_free,
	.virt_to_gpa = pool_virt_to_gpa,
	.gpa_to_virt = pool_gpa_to_virt,
};

static int map_range(const struct monitor *m, struct pagetable *pt, u64 start, u64 end, u32 prot,
		     u64 max_page)
{
	u32 flags =
		(m->info->kpti ? 0 : PT_GLOBAL) | PT_ACCESSED | (prot & PT_WRITE ? PT_DIRTY : 0);
	struct pt_change change;

	if (start >= end)
		return 0;
	pt_change_init(&change);
	return pt_map(pt, RF_ARENA_BASE + start, RF_ARENA_GPA + start, end - start, prot | flags,
		      max_page, NULL, &change);
}

static int map_image(struct monitor *m, struct pagetable *pt)
{
	for (u32 i = 0; i < m->image.count; i++) {
		const struct image_segment *s = &m->image.segment[i];
		u32 prot = PT_READ | (s->prot & RF_WRITE ? PT_WRITE : 0) |
			   (s->prot & RF_EXEC ? PT_EXEC : 0);
		int r = map_range(m, pt, s->offset, s->offset + s->len, prot, PT_SIZE_4K);

		if (r < 0)
			return r;
	}
	return 0;
}

int boot_tables_build(struct monitor *m, struct rf_error *err)
{
	struct table_pool pool = { &m->arena, m->info->tables_start, m->info->free_start };
	u64 big = m->info->boot_features & RF_BOOT_F_1G ? PT_SIZE_1G : PT_SIZE_2M;
	struct pagetable pt;
	int r = pt_init(&pt, &pool_ops, &pool);

	if (r == 0)
		r = map_range(m, &pt, 0, KERNEL_IMAGE_OFF, PT_READ | PT_WRITE, PT_SIZE_2M);
	if (r == 0)
		r = map_image(m, &pt);
	if (r == 0)
		r = map_range(m, &pt, m->info->tables_start, m->arena.size, PT_READ | PT_WRITE,
			      big);
	if (r < 0)
		return error_set(err, r, "cannot build the kernel's page tables");
	m->info->kernel_root = pt_root_gpa(&pt);
	return 0;
}
