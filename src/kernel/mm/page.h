/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Page frames: buddy allocator over the arena. Every frame is permanently mapped at its arena address in the kernel.
 * Frames come from a LIFO so that warm ones (already backed by the host) are used first.
 */
#pragma once

#include "base/list.h"
#include "base/types.h"

#define PAGE_F_SLAB       1u
#define PAGE_F_ANON       2u
#define PAGE_F_CACHE      4u /* in a page cache */
#define PAGE_F_DIRTY      8u
#define PAGE_F_LOCKED     16u /* being filled */
#define PAGE_F_FREE       32u
#define PAGE_F_REFERENCED 64u /* page cache: used since reclaim last looked */

struct page {
	u32 refs;
	u16 flags;
	u8 order;
	u8 pad;
	struct list lru; /* free list, slab list or page-cache LRU by owner */
	union {
		struct {
			void *owner; /* page cache: struct inode *; slab: struct kmem_cache * */
			u64 index;
		};
	};
};

#define ALLOC_ZERO     1u /* zeroed */
#define ALLOC_NORETRY  2u /* no reclaim */
#define PAGE_ORDER_MAX 10u
/* Returns a block of 2^order frames with one reference, or NULL. */
struct page *page_alloc(unsigned order, unsigned flags);
/* Makes a block of page_alloc(), with its one reference, 2^order single frames with one each. */
void page_split(struct page *p);
static inline void page_ref(struct page *p)
{
	p->refs++;
}
void page_unref(struct page *p); /* frees at 0 */
void *page_address(const struct page *p);
struct page *page_of(const void *kernel_address); /* of any address inside the frame */
u64 page_offset(const struct page *p);            /* arena offset, for kplat->as_map */
struct page *page_from_offset(u64 arena_offset);
void page_stats(u64 *ret_total, u64 *ret_free); /* in frames */
extern struct page *zero_page;                  /* shared, always zero, never written or freed */
