/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of memory management share among themselves. */
#pragma once

#include "abi/linux/errno.h"
#include "base/bug.h"
#include "base/string.h"
#include "kernel/core/cpu.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/page.h"
#include "kernel/mm/uaccess.h"

#define STACK_GUARD_GAP (256 * PAGE_SIZE) /* kept free below a stack that may grow */

/* ---- vma.c: the tree of VMAs; knows no pages ---- */
static inline u64 vma_pages(const struct vma *v)
{
	return (v->end - v->start) >> PAGE_SHIFT;
}
static inline bool vma_is_anon(const struct vma *v)
{
	return !v->file && !(v->flags & (VMA_F_VDSO | VMA_F_VVAR));
}
/* Counted by RLIMIT_DATA: private, writable, no stack. */
static inline bool vma_is_data(const struct vma *v)
{
	return (v->flags & (VMA_F_WRITE | VMA_F_SHARED | VMA_F_STACK | VMA_F_GROWSDOWN)) ==
	       VMA_F_WRITE;
}
struct vma *vma_new(struct mm *mm, uptr_t start, uptr_t end, u32 flags); /* in no tree */
/* Takes a file reference of its own. */
void vma_set_file(struct vma *v, struct file *f, u64 pgoff);
void vma_free(struct vma *v);   /* drops the file; in no tree */
void vma_insert(struct vma *v); /* overlaps nothing */
void vma_remove(struct vma *v);
void vma_set_flags(struct vma *v, u32 flags); /* with the accounting */
void vma_resize(struct vma *v, uptr_t start,
		uptr_t end); /* adjusts pgoff; stays between its neighbours */
struct vma *vma_prev(struct vma *v);
struct vma *mm_last_vma(struct mm *mm);
/* The VMA that begins at `at` after the call, if one covers it: splits it. -ENOMEM. */
int mm_split_at(struct mm *mm, uptr_t at);
/* Joins v with its neighbours where they continue each other; returns the VMA that covers it then. */
struct vma *vma_merge(struct vma *v);
/* Is [start, end) wholly covered? */
bool mm_range_mapped(struct mm *mm, uptr_t start, uptr_t end);
/* Lowest address the VMA wants for itself: a stack's guard gap is below its start. */
uptr_t vma_gap_start(const struct vma *v);
/* Highest free range of len bytes below `top`, then any; alignment is a page. 0: none. */
uptr_t mm_find_gap(struct mm *mm, u64 len, uptr_t top);
bool mm_gap_free(struct mm *mm, uptr_t start, u64 len);

/* ---- gather.c: frames that leave an address space ---- */
#define GATHER_INLINE 60u
/* Frames whose last mapping is gone, freed after the flush that makes sure of it. */
struct gather {
	struct mm *mm;
	unsigned n;
	struct page *pages[GATHER_INLINE];
};
void gather_init(struct gather *g, struct mm *mm);
void gather_add(struct gather *g, struct page *p); /* takes a reference */
void gather_finish(struct gather *g);              /* flushes and frees */
/* Is the frame at this arena offset counted by mappings? Not: the zero page and pages of the kernel image (vDSO). */
bool frame_counted(u64 offset);
/* Unmaps [start, end), parked pages too; the VMAs stay. */
void mm_zap(struct gather *g, uptr_t start, uptr_t end);
/* Takes the pages of [start, end) out of the page tables and keeps them for later (PROT_NONE). -ENOMEM: some are still mapped. */
int mm_park(struct mm *mm, uptr_t start, uptr_t end);
/* Maps the parked pages of [start, end) again, which lies in v. */
int mm_unpark(struct vma *v, uptr_t start, uptr_t end);
void mm_zap_all(struct mm *mm); /* nobody runs in mm any more: no flush */

/* ---- fault.c ---- */
/* Protection for a page of v whose frame is p: without write where a write must fault first. */
u32 vma_page_prot(const struct vma *v, const struct page *p);
/* Makes the pages of [start, end) present; -EFAULT and so on of the first that can't be. */
int mm_populate(struct mm *mm, uptr_t start, uptr_t end, u32 access);
/* Extends a stack downwards to addr. */
int vma_grow_down(struct vma *v, uptr_t addr);

/* ---- mm.c ---- */
/* Below `pages` (a power of two) pages, in bytes; 0 with ADDR_NO_RANDOMIZE. */
u64 mm_random_offset(u64 pages);

/* ---- map.c ---- */
/* May the address space grow by this many pages, as far as RLIMIT_AS and RLIMIT_DATA are concerned? */
int mm_may_grow(const struct mm *mm, u64 pages, bool data);
u64 current_rlimit(unsigned which);
/* May a mapping with these flags have so many pages? -ENOMEM. */
int mm_overcommit(u64 pages, u32 flags);
/* remap.c: mremap(2), arguments checked for alignment. */
s64 mm_remap(struct mm *mm, uptr_t addr, u64 old_len, u64 new_len, u32 flags, uptr_t new_addr);
/* brk(2): the new break, or the old one if it can't be. */
uptr_t mm_brk(struct mm *mm, uptr_t want);
