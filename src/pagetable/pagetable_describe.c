/* SPDX-License-Identifier: Apache-2.0 */
/* Page-table walks in words, for fault dumps. */
#include "pagetable/pagetable.h"

#include "base/format.h"
#include "pagetable/pte_x86_64.h"

static const char *const level_names[PTE_LEVELS + 1] = { "", "PT", "PD", "PDPT", "PML4" };

struct describe_out {
	char *buf;
	size_t size;
	size_t len;
};

static void describe_entry(struct describe_out *out, u64 entry, unsigned int level,
			   unsigned int index)
{
	fmt_append(out->buf, out->size, &out->len, "%s%s[%u]=0x%016lx(%c%c%c%c%c%c)",
		   level == PTE_LEVELS ? "" : " ", level_names[level], index, entry,
		   entry & PTE_P ? 'P' : '-', entry & PTE_RW ? 'W' : '-',
		   entry & PTE_US ? 'U' : '-', entry & PTE_A ? 'A' : '-', entry & PTE_D ? 'D' : '-',
		   entry & PTE_XD ? '-' : 'X');
}

static void describe_walk(struct describe_out *out, const struct pagetable *pt, u64 va)
{
	const u64 *table = pt->root;

	for (unsigned int level = PTE_LEVELS; level; level--) {
		u64 entry = READ_ONCE(table[pte_index(va, level)]);

		describe_entry(out, entry, level, pte_index(va, level));
		if (!pte_is_present(entry)) {
			fmt_append(out->buf, out->size, &out->len, " -> not present");
			return;
		}
		if (pte_is_leaf(entry, level)) {
			u64 offset = va & (pte_span(level) - 1);

			fmt_append(out->buf, out->size, &out->len, " -> 0x%lx (%lu KiB page)",
				   ALIGN_DOWN(pte_addr(entry), pte_span(level)) + offset,
				   pte_span(level) / 1024);
			return;
		}
		table = pt->ops->gpa_to_virt(pt->ctx, pte_addr(entry));
	}
}

int pt_walk_describe(const struct pagetable *pt, uptr_t va, char *buf, size_t size)
{
	struct describe_out out = { .buf = buf, .size = size };

	if (!size)
		return 0;
	buf[0] = '\0';
	if (va_is_canonical(va))
		describe_walk(&out, pt, va);
	else
		fmt_append(buf, size, &out.len, "%#lx is not canonical", va);
	return (int)out.len;
}
