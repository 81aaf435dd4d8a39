/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memfs: tmpfs, and the overlay of an in-memory layer over host directories.
 *
 * A directory has entries by name. A *strong* entry exists in memory only: it holds its inode, or is a whiteout (no inode) that
 * hides a lower name. A *weak* entry remembers the inode made for a lower name while that inode lives: it holds the directory and
 * not the inode. An inode with a lower object that was changed in memory is *pinned* (a reference to itself) until it is unlinked,
 * and a directory with strong entries likewise, so that changes outlive the dentry cache.
 */
#pragma once

#include "base/rbtree.h"
#include "kernel/fs/fnode.h"

#define MEMFS_LINK_BUCKETS 256u
#define MEMFS_INO_FIRST \
	(1ull << 48) /* numbers of in-memory inodes, above those of host file systems */

/*
 * What all file systems in memory may hold together: data, and inodes. A further name counts as an inode, as in tmpfs: it
 * is memory that stays until it is removed. So does an inode of the lower file system once it is changed.
 */
struct memfs_quota {
	u64 limit_pages, used_pages;
	u64 limit_inodes, used_inodes;
};

static inline u64 quota_left(u64 limit, u64 used)
{
	return limit > used ? limit - used : 0;
}

struct memfs {
	u64 root; /* host handle */
	bool has_lower;
	bool others_only; /* BOOT_MOUNT_F_OTHERS */
	u64 limit_pages;  /* 0: none */
	u64 used_pages;
	u64 nr_inodes;
	struct memfs_quota *quota; /* NULL: bounded by memory only */
	struct list
		links[MEMFS_LINK_BUCKETS]; /* memnode.link_hash: lower files with several names */
};

struct memnode {
	struct fnode f;         /* first */
	struct rb_root entries; /* directories: struct mementry.node */
	struct list order;
	u32 nr_strong;     /* entries with an inode */
	struct list names; /* weak entries that name this inode */
	struct list link_hash, doomed;
	char *target; /* symlink made in memory */
	u32 seals;
	u32 extra_names; /* charged */
	bool charged, pinned, modified, data_modified, linkable;
};

struct mementry {
	struct rb_node node;
	struct list order, name_link;
	struct memnode *dir, *to; /* to NULL: whiteout */
	bool weak;
	bool under; /* the lower directory has this name too */
	u64 hash;
	u32 len;
	char name[];
};

extern const struct inode_ops memfs_dir_ops, memfs_file_ops, memfs_symlink_ops;
extern const struct file_ops memfs_fops, memfs_special_fops;

static inline struct memnode *memnode_of(struct inode *i)
{
	return container_of(i, struct memnode, f.inode);
}
static inline struct memfs *memfs_of(const struct inode *i)
{
	return i->sb->private;
}
struct inode *memnode_inode(struct memnode *m);
/* A new inode in memory. */
struct memnode *memnode_new(struct super *sb, const struct inode *dir, u32 mode, u64 rdev);
struct memnode *memnode_new_lower(struct super *sb, struct memnode *dir, const struct hc_stat *st,
				  const char *name, size_t len);
void memnode_pin(struct memnode *m); /* it was changed */
/* Before a change that may be refused: -ENOSPC when no inode is left for it. */
int memnode_reserve(struct memnode *m);
int memnode_reserve_name(struct memnode *m);
void memnode_drop_name(struct memnode *m);
void memnode_unpin(struct memnode *m);
void memfs_evict(struct inode *i);
int memfs_setattr(struct inode *i, const struct inode_attr *a);
int memfs_getattr(struct inode *i);
int memfs_open(struct inode *i, struct file *f);
int memfs_list(struct fnode *dir, struct dirlist *dl);
/* Frees the entries of a directory that goes away. */
void memdir_free_entries(struct memnode *dir);
void memdir_forget_weak(struct memnode *m);
/* File data: pages [from, to) go, their charge with them. */
void memfs_drop_pages(struct inode *i, u64 from, u64 to);
int memfs_truncate(struct inode *i, u64 size);
bool memfs_mapped_writable(struct inode *i); /* by a shared mapping */
