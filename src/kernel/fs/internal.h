/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the VFS share among themselves. */
#pragma once

#include "abi/linux/capability.h"
#include "abi/linux/errno.h"
#include "abi/linux/fcntl.h"
#include "abi/linux/limits.h"
#include "base/bug.h"
#include "base/string.h"
#include "kernel/core/cpu.h"
#include "kernel/core/host.h"
#include "kernel/fs/vfs.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/proc/task.h"

#define DENTRY_CACHE_MAX 8192u /* unused dentries kept for the next lookup */
#define FILE_MAX_BYTES   0x7fffffffffffffffull
#define VFS_EXIT_SETUP \
	205u /* sandbox exit status: the mounts or the working directory of the configuration don't work */

/* ---- inode.c ---- */
bool inode_owner_or_capable(const struct inode *i); /* current owns it or has CAP_FOWNER */
bool cred_in_group(const struct cred *c, u32 gid);
/* Owner, group and mode of a new object in `dir` (setgid directories). */
void inode_init_owner(struct inode *i, const struct inode *dir, u32 mode);
void inode_now(s64 *ret_s, u32 *ret_ns);
void inode_set_times_now(struct inode *i);
void inode_touch_atime(struct inode *i); /* relatime rule */
u32 inode_dirent_type(u32 mode);
int vfs_setattr(struct inode *i, const struct inode_attr *a);
int vfs_getattr(struct inode *i);

/* ---- dcache.c ---- */
/* A negative dentry that is not in the cache. */
struct dentry *dentry_new(struct dentry *parent, const char *name, size_t len);
struct dentry *dentry_find(struct dentry *parent, const char *name,
			   size_t len);                /* new reference or NULL */
void dentry_attach(struct dentry *d, struct inode *i); /* takes i; enters the cache */
void dentry_drop(struct dentry *d);                    /* its name is gone: unhashed */
void dentry_forget(struct dentry *d);                  /* out of the cache only */
int dentry_move(struct dentry *old, struct dentry *new_d);
int dentry_exchange(struct dentry *a, struct dentry *b);
bool dentry_is_above(const struct dentry *d, const struct dentry *below); /* namespace.c */
/* Cached or from the file system; a missing name gives a negative dentry and 0. */
int dentry_lookup(struct dentry *dir, const char *name, size_t len, struct dentry **ret);

/* ---- path.c ---- */
enum last_type { LAST_NORMAL, LAST_DOT, LAST_DOTDOT, LAST_ROOT };
struct nameidata {
	struct path path; /* where the walk is */
	struct path root; /* "/" of this walk */
	const char *rest; /* not walked yet */
	char *buf;        /* what `rest` points into after a symlink; kfree()d */
	u32 flags;        /* LOOKUP_* */
	u32 links;
	bool absolute_seen;
	/* LOOKUP_PARENT: the last component */
	enum last_type last_type;
	bool trailing; /* slashes after it */
	u32 last_len;
	const char *last; /* points into rest, not terminated */
};
int nd_init(struct nameidata *nd, int dirfd, const char *name, u32 flags);
int nd_walk(struct nameidata *nd);
void nd_done(struct nameidata *nd);
/* Continues a LOOKUP_PARENT walk through the symlink `d` found as its last component; then nd_walk() again. */
int nd_follow_last(struct nameidata *nd, struct dentry *d);
/* Looks the last component up below nd->path; crosses mounts. Negative dentry when missing. */
int nd_last(struct nameidata *nd, struct path *ret);
bool path_equal(const struct path *a, const struct path *b);
void path_cross_mounts(struct path *p);
int path_set(struct path *dst, struct path src); /* src's reference moves to dst */
/* Root and cwd of current, or of the first task while the kernel starts. */
struct fs_context *current_fs(void);

/* ---- mount.c ---- */
extern struct mount *anon_mount;
extern bool
	mounts_complete; /* programs may run: INODE_F_NO_READ, INODE_F_NO_EXEC and limits of inodes hold */
struct mount *mount_ref(struct mount *m);
void mount_unref(struct mount *m);
struct mount *mount_at(const struct path *p); /* borrowed: what is mounted there, or NULL */
int mount_want_write(const struct path *p);   /* -EROFS */
int anon_init(void);
int vfs_mount_bind(const struct path *from, const struct path *at, u32 flags);
int vfs_umount(const struct path *p, bool lazy); /* p: root of the mounted tree */
int memfs_super_new_file(struct super **ret);    /* its root is an empty regular file (memfs.c) */
void memfs_show_others_only(struct super *sb);   /* BOOT_MOUNT_F_OTHERS */
/* A directory or file of a memfs gives way to an empty one (S_IFDIR, S_IFREG), or to nothing (0). */
int memfs_replace(struct dentry *d, u32 mode, u32 uid, u32 gid);

/* ---- hostfs.c ---- */
void hostfs_sync(void); /* writes dirty pages of shared mappings to the host */

/* ---- namespace.c: operations on names with their permission checks ---- */
int vfs_may_create(const struct path *dir, const struct dentry *d);
int vfs_may_delete(struct inode *dir, const struct dentry *d, bool is_dir);
int vfs_create(const struct path *dir, struct dentry *d, u32 mode, u64 rdev);
int vfs_mkdir(const struct path *dir, struct dentry *d, u32 mode);
int vfs_symlink(const struct path *dir, struct dentry *d, const char *target);
int vfs_link(const struct path *target, const struct path *dir, struct dentry *d);
int vfs_unlink(const struct path *dir, struct dentry *d);
int vfs_rmdir(const struct path *dir, struct dentry *d);
int vfs_rename(const struct path *old_dir, struct dentry *old, const struct path *new_dir,
	       struct dentry *new_d, u32 flags);

/* ---- file.c ---- */
int file_check_open(const struct path *p, u32 flags);
int file_close(struct file *f,
	       struct fdtable *owner); /* close(2)'s part: flush, POSIX locks, reference */

/* ---- fdtable.c ---- */
int fd_reserve(u32 from);                                   /* a free slot, marked used */
void fd_set_reserved(int fd, struct file *f, bool cloexec); /* takes f */
void fd_release_reserved(int fd);
int fdtable_ensure(struct fdtable *t, u32 fd); /* room for slot fd */
/* File of a descriptor usable for I/O: *ret = new reference; -EBADF also for O_PATH files. */
int fd_get_io(int fd, struct file **ret);

/* ---- locks.c ---- */
void locks_release_posix(struct inode *i, const void *owner);
void locks_release_file(struct file *f);
s64 locks_fcntl(struct file *f, int cmd, uptr_t arg);
int locks_flock(struct file *f, int op);

/* ---- uio.c ---- */
#define UIO_FAST 8
/* Imports a user vector: *ret_alloc is NULL or to be kfree()d after the use of u. */
int uio_import(struct uio *u, uptr_t iov, u64 cnt, struct linux_iovec fast[UIO_FAST],
	       struct linux_iovec **ret_alloc);

/* Trims *n to what RLIMIT_FSIZE and the largest file allow from pos; -EFBIG (with SIGXFSZ) for nothing. */
int file_write_limit(u64 pos, u64 *n);
