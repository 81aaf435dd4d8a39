/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What memfs and hostfs inodes share: a page cache, and a host object ("lower") addressed by a root handle and the names on the way
 * to it. Listing a directory works on a snapshot held by the open file.
 */
#pragma once

#include "abi/hostcall.h"
#include "abi/linux/dirent.h"
#include "kernel/fs/pcache.h"
#include "kernel/fs/vfs.h"

#define LOWER_HANDLES_MAX 512u /* host handles kept open for inodes, well below HC_HANDLES_MAX */
#define DIR_ENTRIES_MAX   (1u << 20) /* of one listing */

/* A host object. */
struct lower {
	bool present;
	bool open, writable; /* handle is valid; it may be written through */
	u64 root;
	struct lower *
		parent; /* NULL: the root handle's own object. The owner holds the parent's owner. */
	char *name;
	u64 handle;
	struct list lru;
	u64 size;    /* bytes of file data still read from here */
	s64 mtime_s; /* as last seen on the host */
	u32 mtime_ns;
	u64 host_size;
};
void lower_init_root(struct lower *l, u64 root);
int lower_init_child(struct lower *l, struct lower *parent, const char *name, size_t len);
void lower_done(struct lower *l);
/* `child` NULL: the object itself; else a name below it. */
int lower_stat(struct lower *l, const char *child, size_t len, struct hc_stat *ret);
int lower_open(
	struct lower *l,
	bool write); /* makes l->handle valid; it may be closed by the next lower_open of another */
void lower_close(struct lower *l);
int lower_fstat(struct lower *l, struct hc_stat *ret);
s64 lower_pread(struct lower *l, void *buf, size_t n, u64 off); /* to n or the end of file */
int lower_fill(struct lower *l, u64 index, unsigned n, void *buf);
s64 lower_readlink(struct lower *l, char *buf, size_t n);
int lower_list(struct lower *l, int (*fn)(void *arg, const struct linux_dirent64 *e), void *arg);
/* (path, root) of l or of its child in one of two static buffers, valid until the next call with that `which`. */
int lower_path(const struct lower *l, const char *child, size_t len, unsigned which,
	       const char **ret);
/* Attributes of the host object into the inode. */
void lower_fill_inode(struct inode *i, const struct hc_stat *st);
bool lower_changed(const struct lower *l, const struct hc_stat *st);
void lower_note(struct lower *l, const struct hc_stat *st);
int lower_statfs(u64 root, struct linux_statfs *ret);

/* A snapshot of a directory. */
struct dirlist {
	struct dirchunk *first, *last;
	u32 count;
	/* cursor */
	struct dirchunk *at;
	u32 at_off, at_index;
};
int dirlist_add(struct dirlist *dl, const char *name, size_t len, u64 ino, u32 type);

struct fnode {
	struct inode inode; /* first */
	struct pcache pages;
	struct lower lower;
	struct fnode *up;                                   /* reference: owner of lower.parent */
	int (*list)(struct fnode *dir, struct dirlist *dl); /* without . and .. */
};
static inline struct fnode *fnode_of(struct inode *i)
{
	return container_of(i, struct fnode, inode);
}
extern const struct file_ops fnode_dir_fops;
s64 fnode_read(struct file *f, struct uio *u, u64 *pos);
int fnode_fault_read(struct file *f, u64 index, struct page **ret);
s64 fnode_ioctl(struct file *f, u32 cmd, u64 arg);
/* Position and count of a write: O_APPEND, limits, set-user-ID bits dropped. */
int fnode_write_begin(struct file *f, struct uio *u, u64 *pos, u64 *ret_n);
