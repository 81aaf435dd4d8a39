/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Page cache: pages of one inode by index. A clean page can be made again by `fill` and is on the LRU list; a dirty one is the only
 * copy (memory files) or waits for write-back (host files), and stays.
 */
#pragma once

#include "kernel/fs/radix.h"
#include "kernel/fs/vfs.h"
#include "kernel/mm/page.h"

#define READAHEAD_PAGES_MAX 32u
#define READAROUND_PAGES    16u /* for faults of a mapping, aligned */

struct pcache {
	struct radix tree;
	u64 nr_dirty;
	/* Reads n pages from index into buf, zeros where there is no data. 0 or -errno. NULL: all zeros. */
	int (*fill)(struct inode *i, u64 index, unsigned n, void *buf);
};

void pcache_init(struct inode *i, struct pcache *pc,
		 int (*fill)(struct inode *, u64, unsigned, void *));
void pcache_done(struct inode *i);
struct page *pcache_find(struct inode *i, u64 index); /* borrowed, NULL: not cached */
/* Cached or filled, with up to `ahead` - 1 pages after it read in the same go (within `limit` pages of file). New reference. */
int pcache_get(struct inode *i, u64 index, unsigned ahead, u64 limit, struct page **ret);
/* A zeroed page where none is cached. Borrowed reference. */
int pcache_add_zero(struct inode *i, u64 index, struct page **ret);
void pcache_set_dirty(struct inode *i, struct page *p);
void pcache_set_clean(struct inode *i, struct page *p);
void pcache_drop(struct inode *i, u64 from,
		 u64 to); /* [from, to); returns nothing, dirty ones are lost */
/* Zeroes the cached bytes from `from` to the end of that page. */
void pcache_zero_tail(struct inode *i, u64 from);
void pcache_stats(u64 *ret_pages, u64 *ret_dirty);
