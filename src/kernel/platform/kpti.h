/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernel page-table isolation: against CPUs that let user code read what supervisor-only pages hold (Meltdown, CVE-2017-5754), user code
 * runs on a root that does not map the kernel.
 *
 * An address space then has two roots, a pair of pages: the kernel's at an even page number, the user's right behind it.
 *
 *	kernel root		slots 0-251: user tables	slot 252: the whole arena
 *	kernel root ^ 0x1000	slots 0-251: the same tables	slot 252: a table that maps the entry ranges alone (arch.h)
 *
 * The tables below are shared, so only changes of root entries are copied: kpti_sync() after each change that may add or remove one.
 * The table of the entry ranges is made once, for all user roots. No page is global.
 */
#pragma once

#include "kernel/arch/arch.h"
#include "pagetable/pagetable.h"

#define KPTI_ROOT_BIT 0x1000ull /* of the user's root */

/* There are user roots. */
extern bool guest_kpti;

/* A root whose slot 252 is that of user roots: maps the entry ranges, to the frames the arena has there. -ENOMEM. */
int kpti_build(struct pagetable *pt, const struct pt_alloc_ops *ops, void *ctx,
	       const struct entry_range *ranges, unsigned count) __must_check;
/* Whether the root maps of the arena exactly the ranges, each page to its own frame, with no more rights than asked for. */
bool kpti_verify(const struct pagetable *pt, const struct entry_range *ranges, unsigned count);
/* Copies the entries of the user slots that [va, va + len) touches to the root's second page. */
void kpti_sync(const struct pagetable *pt, uptr_t va, u64 len);
