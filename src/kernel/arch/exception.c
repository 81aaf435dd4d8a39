/* SPDX-License-Identifier: Apache-2.0 */
/* Exceptions in ring 0 (residency guest): fix-ups of user memory accesses; everything else is the end. */
#include "kernel/arch/arch.h"

#include "kernel/core/host.h"
#include "kernel/core/panic.h"

struct ex_entry {
	u64 rip, fixup;
};
/* A handful of entries (uaccess.S): no need to sort. */
extern const struct ex_entry __ex_table_start[] __attribute__((visibility("hidden")));
extern const struct ex_entry __ex_table_end[] __attribute__((visibility("hidden")));

static u64 fixup_find(u64 rip)
{
	for (const struct ex_entry *e = __ex_table_start; e < __ex_table_end; e++)
		if (e->rip == rip)
			return e->fixup;
	return 0;
}

void exception_kernel(struct kernel_frame *f)
{
	u64 fixup = fixup_find(f->rip);

	/* #PF, and #GP or #SS for a non-canonical address. */
	if (fixup && (f->vector == 14 || f->vector == 13 || f->vector == 12)) {
		f->rip = fixup;
		return;
	}
	exception_fatal(f);
}

void exception_fatal(struct kernel_frame *f)
{
	u64 cr2;

	__asm__ volatile("movq %%cr2, %0" : "=r"(cr2));
	panic_frame(f, cr2);
}
