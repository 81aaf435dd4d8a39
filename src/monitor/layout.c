/* SPDX-License-Identifier: Apache-2.0 */
/* Where things are in the arena; see abi/boot.h. */
#include <errno.h>

#include "base/checked.h"
#include "monitor/monitor.h"

#define LARGE_PAGE (2ull << 20)

int layout_compute(struct layout *l, u64 image_end, u64 memory, u32 max_tasks)
{
	u64 stacks = ALIGN_UP((u64)max_tasks * KSTACK_SLOT, LARGE_PAGE);
	u64 tables_start = ALIGN_UP(image_end, LARGE_PAGE), pages, total, tables;

	if (memory > RF_ARENA_MAX / 2 || image_end > RF_ARENA_MAX / 2 || !max_tasks)
		return -EINVAL;
	/* struct page takes 1/64 of what it describes, itself included; the rest is for the memory asked for. */
	pages = ALIGN_UP(memory + memory / 64 + memory / 2048 + LARGE_PAGE, LARGE_PAGE);
	/* PML4, PDPT, a directory per GiB, a table per 2 MiB of image, and the ragged edges of both. */
	total = tables_start + LARGE_PAGE + pages + stacks;
	tables = ALIGN_UP((total >> 30) * PAGE_SIZE + (tables_start / LARGE_PAGE) * PAGE_SIZE +
				  8 * PAGE_SIZE,
			  PAGE_SIZE);
	l->tables_start = tables_start;
	l->free_start = tables_start + tables;
	l->stacks_start = ALIGN_UP(l->free_start + pages, LARGE_PAGE);
	l->arena_size = l->stacks_start + stacks;
	return l->arena_size <= RF_ARENA_MAX ? 0 : -EINVAL;
}
