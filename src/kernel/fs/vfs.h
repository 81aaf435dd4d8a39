/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtual file system: superblocks, inodes, dentries, mounts, open files. All under the kernel lock; operations may sleep in
 * hostcalls, so hold references across them.
 *
 * Reference rules: a dentry holds its inode and its parent; a file holds its path (mount + dentry); an inode without references
 * may be kept by its file system or be freed by `evict`.
 */
#pragma once

#include "abi/linux/stat.h"
#include "abi/linux/uio.h"
#include "base/list.h"
#include "base/rbtree.h"
#include "base/types.h"
#include "kernel/core/wait.h"

struct page;
struct vma;
struct task;
struct cred;
struct file;
struct inode;
struct dentry;
struct mount;
struct uio;
struct pcache;
struct poll_table;
struct path;

/* ---- user or kernel I/O vectors ---- */
/* A cursor over buffers. Copies advance it. */
struct uio {
	const struct linux_iovec *iov; /* kernel copy of the vector */
	unsigned cnt;                  /* entries left, iov[0] is partly done by `off` */
	size_t off;
	size_t resid;           /* bytes left */
	bool kernel;            /* buffers are kernel memory */
	struct linux_iovec one; /* storage for a single buffer */
};
void uio_user(struct uio *u, uptr_t buf, size_t n);
void uio_kernel(struct uio *u, void *buf, size_t n);
/* Copies min(n, resid) bytes; returns bytes copied (short on a fault; 0 with resid left = -EFAULT for the caller). */
size_t uio_write(struct uio *u, const void *src, size_t n); /* into the buffers (read(2)) */
size_t uio_read(struct uio *u, void *dst, size_t n);        /* out of the buffers (write(2)) */
size_t uio_zero(struct uio *u, size_t n);
void uio_advance(struct uio *u, size_t n);
void uio_revert(struct uio *u, size_t n); /* undo the last n bytes, single-buffer and vector */

/* ---- inodes ---- */
#define INODE_F_IMMUTABLE 1u
/* What the host's owner or group may do to it, and others may not: nobody inside may. */
#define INODE_F_NO_READ   2u
#define INODE_F_NO_EXEC   4u /* or search */
struct inode_ops;
struct file_ops;
struct super;

struct inode {
	const struct inode_ops *ops;
	const struct file_ops *fops; /* given to files opened on it */
	struct super *sb;
	u32 refs;
	u32 mode, uid, gid, nlink;
	u64 ino, rdev, size, blocks;
	u64 dev;     /* st_dev where it differs from the superblock's (host files); 0: sb->dev */
	u32 blksize; /* st_blksize; 0: one page */
	struct pcache *pcache; /* cached pages of a regular file; NULL: none */
	s64 atime_s, mtime_s, ctime_s, btime_s;
	u32 atime_ns, mtime_ns, ctime_ns, btime_ns;
	u32 flags;
	struct list vmas; /* struct vma.inode_link: mappings of this inode */
	struct waitq wq;
	struct list locks; /* POSIX and flock locks */
	void *pipe;        /* FIFO: struct pipe * while open */
	void *watchers;    /* inotify marks */
	u32 write_count;   /* files open for writing */
	u32 exec_count;    /* address spaces that run it: no writers then, ETXTBSY */
			   /* the file system embeds this struct first in its own */
};

struct inode_attr { /* setattr request */
	u32 valid;  /* ATTR_* */
	u32 mode, uid, gid;
	u64 size;
	s64 atime_s, mtime_s;
	u32 atime_ns, mtime_ns;
};
#define ATTR_MODE  1u
#define ATTR_UID   2u
#define ATTR_GID   4u
#define ATTR_ATIME 8u
#define ATTR_MTIME 16u
#define ATTR_SIZE  32u

/* Directory listing: emit returns false when the buffer is full. `off` is the cookie of the *next* entry. */
struct dir_emit {
	bool (*emit)(struct dir_emit *d, const char *name, size_t len, u64 ino, u32 type /* DT_* */,
		     u64 off);
};

struct inode_ops {
	/* Finds `name` in dir: *ret = new inode reference, or -ENOENT. */
	int (*lookup)(struct inode *dir, struct dentry *d, struct inode **ret);
	int (*create)(struct inode *dir, struct dentry *d, u32 mode, u64 rdev,
		      struct inode **ret); /* any S_IFMT but dir and symlink */
	int (*mkdir)(struct inode *dir, struct dentry *d, u32 mode, struct inode **ret);
	int (*symlink)(struct inode *dir, struct dentry *d, const char *target, struct inode **ret);
	int (*link)(struct inode *dir, struct dentry *d, struct inode *target);
	int (*unlink)(struct inode *dir, struct dentry *d);
	int (*rmdir)(struct inode *dir, struct dentry *d);
	/* Type checks and -ENOTEMPTY are the file system's; `new_dir`'s victim dentry has an inode or not. RENAME_* flags. */
	int (*rename)(struct inode *old_dir, struct dentry *old, struct inode *new_dir,
		      struct dentry *new_d, u32 flags);
	/* Copies the target without NUL, returns its length. */
	s64 (*readlink)(struct inode *i, char *buf, size_t n);
	/* Magic links (/proc/PID/fd/N, exe, cwd, root): *ret = path reference to jump to. NULL: ordinary link. */
	int (*follow)(struct inode *i, struct path *ret);
	int (*setattr)(struct inode *i, const struct inode_attr *a);
	int (*getattr)(struct inode *i); /* refresh the fields before stat; may be NULL */
	int (*open)(struct inode *i, struct file *f); /* may set f->ops, f->private */
	void (*evict)(struct inode *i);               /* last reference gone: free it */
	/* Is a cached dentry still right? NULL = yes. */
	bool (*revalidate)(struct inode *dir, struct dentry *d);
	int (*tmpfile)(struct inode *dir, u32 mode, struct inode **ret);
	int (*permission)(struct inode *i, u32 mask); /* NULL = inode_permission's own rules */
	s64 (*getxattr)(struct inode *i, const char *name, void *buf, size_t n);
};

struct super_ops {
	int (*statfs)(struct super *sb, struct linux_statfs *ret);
	void (*put)(struct super *sb);
};
struct super {
	const struct super_ops *ops;
	const char *type; /* as in /proc/mounts */
	u64 dev;          /* st_dev */
	struct dentry *root;
	u32 refs;
	u64 next_ino;
	void *private;
	bool uncached; /* names that nobody uses are forgotten at once: a lookup is cheap, and most are not asked for again */
};
u64 super_new_dev(void); /* anonymous device numbers */

struct inode *inode_new(struct super *sb, size_t size /* of the containing struct */, u32 mode);
struct inode *inode_ref(struct inode *i);
void inode_unref(struct inode *i);
/* Mode, owner and group of the request into an inode that lives in memory; touches ctime. */
void inode_set_owner_mode(struct inode *i, const struct inode_attr *a);
void inode_touch(struct inode *i,
		 u32 attr_time_flags /* ATTR_ATIME|ATTR_MTIME, ctime always with MTIME */);
#define MAY_EXEC  1u
#define MAY_WRITE 2u
#define MAY_READ  4u
int inode_permission(struct inode *i, u32 mask); /* of current's fsuid */
int inode_permission_cred(struct inode *i, const struct cred *c, u32 mask);
void inode_fill_stat(struct inode *i, struct linux_stat *ret); /* after getattr */

/* ---- dentries and paths ---- */
struct dentry {
	struct dentry *parent; /* reference; root: itself */
	struct inode *inode;   /* NULL: negative */
	char *name;
	u32 name_len, refs;
	struct list children, sibling, hash, lru;
	u32 mounted;   /* number of mounts on it */
	bool unhashed; /* deleted: getcwd and /proc show " (deleted)" */
	void *fsdata;
};
struct path {
	struct mount *mnt;
	struct dentry *dentry;
};
struct mount {
	struct super *sb;
	struct dentry *root; /* of the mounted tree */
	struct path at;      /* where it is mounted; mnt NULL for the root */
	struct list link, children;
	u32 flags; /* MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC */
	u32 refs;
	u32 id;
	char *source; /* for /proc/mounts */
	/* mount_namespaces(7), "Restrictions on mount namespaces": what the sandbox was started with */
	bool locked;    /* never unmounted, nor left out of a view of what it covers */
	u32 kept_flags; /* flags that no remounting takes away */
};
struct dentry *dentry_ref(struct dentry *d);
void dentry_unref(struct dentry *d);
void path_ref(const struct path *p);
void path_unref(struct path *p);
/* Absolute path of p as seen from `root` (NULL: current's). Builds from the end of buf; returns the start inside buf or NULL. */
char *path_string(const struct path *p, const struct path *root, char *buf, size_t n);

#define LOOKUP_FOLLOW        1u /* follow a final symlink */
#define LOOKUP_DIRECTORY     2u
#define LOOKUP_PARENT        4u /* stop at the parent; last component in nameidata */
#define LOOKUP_EMPTY         8u /* "" names the start */
#define LOOKUP_NO_SYMLINKS   16u
#define LOOKUP_BENEATH       32u
#define LOOKUP_IN_ROOT       64u
#define LOOKUP_NO_MAGICLINKS 128u
#define LOOKUP_NO_XDEV       256u
#define LOOKUP_NO_AUTOMOUNT  512u
/* Resolves `name` (kernel string) from dirfd (AT_FDCWD or a descriptor). *ret is a new reference. */
int path_lookup(int dirfd, const char *name, u32 lookup_flags, struct path *ret);
/* Same from a user string. */
int user_path(int dirfd, uptr_t name, u32 lookup_flags, struct path *ret);

/* ---- open files ---- */
struct file_ops {
	s64 (*read)(struct file *f, struct uio *u,
		    u64 *pos); /* bytes or -errno; pos advanced by the callee */
	s64 (*write)(struct file *f, struct uio *u, u64 *pos);
	s64 (*llseek)(struct file *f, s64 off,
		      int whence); /* NULL: -ESPIPE; file_llseek_generic for regular files */
	int (*iterate)(struct file *f,
		       struct dir_emit *d); /* directory listing from f->pos; sets f->pos */
	u32 (*poll)(
		struct file *f,
		struct poll_table
			*pt); /* revents now; registers through poll_wait(); NULL: POLLIN|POLLOUT */
	s64 (*ioctl)(struct file *f, u32 cmd, u64 arg); /* -ENOTTY for unknown */
	/*
	 * Page `index` of the file for a mapping: new reference in *ret. With `write` the page will be written through a shared mapping
	 * (the file system marks it dirty). -EIO beyond the end. NULL: not mappable (-ENODEV).
	 */
	int (*fault_page)(struct file *f, u64 index, bool write, struct page **ret);
	int (*mmap)(struct file *f, struct vma *v); /* optional veto or set-up */
	int (*fsync)(struct file *f, bool data_only);
	s64 (*fallocate)(struct file *f, int mode, u64 off, u64 len);
	int (*flush)(struct file *f);                        /* each close(2) */
	void (*release)(struct file *f);                     /* last reference */
	int (*set_flags)(struct file *f, u32 flags);         /* F_SETFL */
	void (*fdinfo)(struct file *f, char *buf, size_t n); /* extra lines of /proc/PID/fdinfo */
	int (*open)(
		struct
		file *f); /* character devices: after chrdev_lookup(); may set f->ops, f->private */
};
struct file {
	const struct file_ops *ops;
	struct path path;    /* always set; anonymous files use the anon mount */
	struct inode *inode; /* path.dentry->inode */
	u32 refs;
	u32 flags; /* O_* status flags and access mode */
	u64 pos;
	void *private;
	struct list epoll_items;  /* epoll registrations of this file */
	int owner_pid, owner_sig; /* F_SETOWN, F_SETSIG */
	u64 ra_next;              /* read-ahead: page index after the last one read */
	u32 ra_pages;             /* read-ahead: current window, pages */
};
#define FMODE_READ(f)  (((f)->flags & 3) != 1) /* O_WRONLY is 1 */
#define FMODE_WRITE(f) (((f)->flags & 3) != 0)
struct file *file_ref(struct file *f);
void file_unref(struct file *f);
/* Opens an existing path (reference is borrowed). Access must have been checked. */
int file_open_path(const struct path *p, u32 flags, struct file **ret);
/* Kernel's own open of a path from current's root and cwd: used by execve. Checks permissions. */
int file_open(int dirfd, const char *name, u32 flags, u32 mode, u32 lookup_flags,
	      struct file **ret);
/* A file without a name in the tree (pipe, eventfd…): inode of `mode`, shown as `name` in /proc/PID/fd. Takes nothing. */
int file_new_anon(const char *name, const struct file_ops *ops, u32 mode, u32 flags, void *private,
		  struct file **ret);
/* Another open file on the path of an existing one (the two ends of a pipe share an inode). The path is borrowed. */
int file_new_on_path(const struct path *p, const struct file_ops *ops, u32 flags, void *private,
		     struct file **ret);
/* An unnamed memory file (shared anonymous mappings, memfd_create). */
int memfs_new_file(const char *name, u64 size, u32 flags, struct file **ret);
/* Seals of a memory file (F_ADD_SEALS, F_GET_SEALS): -EINVAL for other files. A new one refuses seals (F_SEAL_SEAL). */
int memfs_add_seals(struct file *f, u32 seals);
int memfs_get_seals(struct file *f);
int memfs_allow_sealing(struct file *f);                       /* memfd_create(MFD_ALLOW_SEALING) */
s64 file_pread(struct file *f, void *kbuf, size_t n, u64 off); /* loops to n or EOF */
s64 file_read(struct file *f, struct uio *u, u64 *pos);
s64 file_write(struct file *f, struct uio *u, u64 *pos);
s64 file_llseek_generic(struct file *f, s64 off, int whence);
u32 file_poll(struct file *f, struct poll_table *pt);

/* ---- polling ---- */
struct poll_table {
	void (*queue)(struct poll_table *pt, struct waitq *wq); /* NULL: only ask */
};
static inline void poll_wait(struct poll_table *pt, struct waitq *wq)
{
	if (pt && pt->queue)
		pt->queue(pt, wq);
}

/* ---- descriptor tables ---- */
struct fdtable {
	u32 refs;
	u32 size; /* slots */
	struct file **files;
	u64 *used, *cloexec; /* bitmaps */
	u32 next_fd;
};
struct fdtable *fdtable_new(void);
struct fdtable *fdtable_ref(struct fdtable *t);
void fdtable_unref(struct fdtable *t);
int fdtable_dup(struct fdtable *old, struct fdtable **ret);
/* Gives *slot a table of its own if it is shared. */
int fdtable_unshare(struct fdtable **slot);
void fdtable_close_on_exec(struct fdtable *t);
/* Lowest free descriptor >= from; takes f's reference on success. -EMFILE by RLIMIT_NOFILE. */
int fd_install(struct file *f, u32 fd_flags /* O_CLOEXEC or 0 */, u32 from);
struct file *fd_get(int fd); /* new reference or NULL; current's table */
struct file *fd_get_from(struct fdtable *t, int fd);
int fd_close(int fd);
#define FDTABLE_MAX 65536u
u64 files_count(void); /* open file descriptions in the whole sandbox */

/* Root and current directory of a task; shared with CLONE_FS. */
struct fs_context {
	u32 refs;
	u32 umask;
	struct path root, cwd;
};
struct fs_context *fs_context_ref(struct fs_context *fs);
void fs_context_unref(struct fs_context *fs);
int fs_context_dup(struct fs_context *old, struct fs_context **ret);

/* ---- mounts ---- */
int vfs_init(void); /* mounts what boot_config() names; the init task's fs context is `init_fs` */
extern struct fs_context *init_fs;
extern struct list mounts; /* struct mount.link, in order */
int mount_add(struct super *sb, const struct path *at, u32 flags,
	      const char *source); /* takes sb's reference */

/* File systems: each returns a new superblock with its root dentry. */
int memfs_super_new(u64 host_root /* HC root handle or 0 */, u64 limit_bytes, const char *type,
		    struct super **ret);
int hostfs_super_new(u64 host_root, bool is_file, struct super **ret);
int procfs_super_new(struct super **ret);
int devfs_super_new(struct super **ret);
struct dentry *dentry_new_root(struct super *sb, struct inode *i); /* takes i */
/* Gives back clean cached pages; returns frames freed. Called when memory is short. */
size_t pcache_reclaim(size_t want);
/* Device files: character device `rdev` -> operations. */
const struct file_ops *chrdev_lookup(u64 rdev);

/* fds 0-2 from boot_config()->stream. */
int stdio_install(struct fdtable *t);
