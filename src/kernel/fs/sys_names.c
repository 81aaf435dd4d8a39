/* SPDX-License-Identifier: Apache-2.0 */
/* mkdir(2), mknod(2), unlink(2), rmdir(2), rename(2), link(2), symlink(2). */
#include "kernel/fs/internal.h"

#include "abi/linux/mount.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sys/syscall.h"

/* A name whose last component is to be made or removed. */
struct named {
	char *text;
	struct nameidata nd;
	struct path p; /* the last component; p.dentry->inode NULL: missing */
};

static void named_done(struct named *n)
{
	path_unref(&n->p);
	nd_done(&n->nd);
	kfree(n->text);
}

#define NOT_NORMAL_RMDIR 1 /* errors by which it is: rmdir(2) */
static int not_normal_error(enum last_type type, int not_normal)
{
	if (not_normal != NOT_NORMAL_RMDIR)
		return not_normal;
	return type == LAST_DOT ? -EINVAL : type == LAST_DOTDOT ? -ENOTEMPTY : -EBUSY;
}

static int named_parent(struct named *n, int dirfd, uptr_t name)
{
	int r = path_from_user(&n->text, name);

	n->p = (struct path){ 0 };
	if (r < 0)
		return r;
	r = nd_init(&n->nd, dirfd, n->text, LOOKUP_PARENT | LOOKUP_FOLLOW);
	if (r == 0)
		r = nd_walk(&n->nd);
	if (r < 0) {
		nd_done(&n->nd);
		kfree(n->text);
	}
	return r;
}

/* No mount is crossed: what is removed or made is the name in this directory. */
static int named_lookup(struct named *n)
{
	struct dentry *d;
	int r = dentry_lookup(n->nd.path.dentry, n->nd.last, n->nd.last_len, &d);

	if (r == 0)
		n->p = (struct path){ mount_ref(n->nd.path.mnt), d };
	return r;
}

static int named_init(struct named *n, int dirfd, uptr_t name, int not_normal)
{
	int r = named_parent(n, dirfd, name);

	if (r < 0)
		return r;
	if (n->nd.last_type != LAST_NORMAL)
		r = not_normal_error(n->nd.last_type, not_normal);
	else
		r = named_lookup(n);
	if (r < 0)
		named_done(n);
	return r;
}

/* For what makes a name: EEXIST comes first, and a trailing slash is for directories only. */
static int named_init_new(struct named *n, int dirfd, uptr_t name, bool is_dir)
{
	int r = named_init(n, dirfd, name, -EEXIST);

	if (r < 0)
		return r;
	if (n->p.dentry->inode)
		r = -EEXIST;
	else if (n->nd.trailing && !is_dir)
		r = -ENOENT;
	if (r < 0)
		named_done(n);
	return r;
}

static s64 mkdir_at(int dirfd, uptr_t name, u32 mode)
{
	struct named n;
	int r = named_init_new(&n, dirfd, name, true);

	if (r < 0)
		return r;
	r = vfs_mkdir(&n.nd.path, n.p.dentry, mode);
	named_done(&n);
	return r;
}

sysret_t sys_mkdir(const struct sysargs *a)
{
	return mkdir_at(AT_FDCWD, arg_ptr(a, 0), arg_u32(a, 1));
}

sysret_t sys_mkdirat(const struct sysargs *a)
{
	return mkdir_at(arg_int(a, 0), arg_ptr(a, 1), arg_u32(a, 2));
}

static s64 mknod_at(int dirfd, uptr_t name, u32 mode, u64 dev)
{
	struct named n;
	int r;

	if (!(mode & S_IFMT))
		mode |= S_IFREG;
	if (S_ISDIR(mode))
		return -EPERM;
	if (!S_ISREG(mode) && !S_ISFIFO(mode) && !S_ISSOCK(mode) && !S_ISCHR(mode) &&
	    !S_ISBLK(mode))
		return -EINVAL;
	if ((S_ISCHR(mode) || S_ISBLK(mode)) && !cred_capable(current->cred, CAP_MKNOD))
		return -EPERM;
	r = named_init_new(&n, dirfd, name, false);
	if (r < 0)
		return r;
	r = vfs_create(&n.nd.path, n.p.dentry, mode & (S_IFMT | 07777),
		       S_ISCHR(mode) || S_ISBLK(mode) ? dev : 0);
	named_done(&n);
	return r;
}

sysret_t sys_mknod(const struct sysargs *a)
{
	return mknod_at(AT_FDCWD, arg_ptr(a, 0), arg_u32(a, 1), arg_u32(a, 2));
}

sysret_t sys_mknodat(const struct sysargs *a)
{
	return mknod_at(arg_int(a, 0), arg_ptr(a, 1), arg_u32(a, 2), arg_u32(a, 3));
}

static s64 unlink_at(int dirfd, uptr_t name)
{
	struct named n;
	int r = named_init(&n, dirfd, name, -EISDIR);

	if (r < 0)
		return r;
	if (n.p.dentry->inode && n.nd.trailing)
		r = S_ISDIR(n.p.dentry->inode->mode) ? -EISDIR : -ENOTDIR;
	else
		r = vfs_unlink(&n.nd.path, n.p.dentry);
	named_done(&n);
	return r;
}

static s64 rmdir_at(int dirfd, uptr_t name)
{
	struct named n;
	int r = named_init(&n, dirfd, name, NOT_NORMAL_RMDIR);

	if (r < 0)
		return r;
	r = vfs_rmdir(&n.nd.path, n.p.dentry);
	named_done(&n);
	return r;
}

sysret_t sys_unlink(const struct sysargs *a)
{
	return unlink_at(AT_FDCWD, arg_ptr(a, 0));
}

sysret_t sys_rmdir(const struct sysargs *a)
{
	return rmdir_at(AT_FDCWD, arg_ptr(a, 0));
}

sysret_t sys_unlinkat(const struct sysargs *a)
{
	u32 flags = arg_u32(a, 2);

	if (flags & ~(u32)AT_REMOVEDIR)
		return -EINVAL;
	return flags ? rmdir_at(arg_int(a, 0), arg_ptr(a, 1))
		     : unlink_at(arg_int(a, 0), arg_ptr(a, 1));
}

static s64 rename_named(struct named *from, struct named *to, u32 flags)
{
	struct inode *i;
	int r;

	if (from->nd.path.mnt != to->nd.path.mnt)
		return -EXDEV;
	if (from->nd.last_type != LAST_NORMAL)
		return -EBUSY;
	if (to->nd.last_type != LAST_NORMAL)
		return flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
	r = named_lookup(from);
	if (r == 0)
		r = named_lookup(to);
	if (r < 0)
		return r;
	i = from->p.dentry->inode;
	if (!i)
		return -ENOENT;
	if (to->p.dentry->inode && (flags & RENAME_NOREPLACE))
		return -EEXIST;
	if ((flags & RENAME_EXCHANGE) &&
	    (!to->p.dentry->inode || (to->nd.trailing && !S_ISDIR(to->p.dentry->inode->mode))))
		return to->p.dentry->inode ? -ENOTDIR : -ENOENT;
	/* rename(2), ENOTDIR: slashes after a name that is not a directory */
	if (!S_ISDIR(i->mode) &&
	    (from->nd.trailing || (to->nd.trailing && !(flags & RENAME_EXCHANGE))))
		return -ENOTDIR;
	return vfs_rename(&from->nd.path, from->p.dentry, &to->nd.path, to->p.dentry, flags);
}

static s64 rename_at(int old_fd, uptr_t old, int new_fd, uptr_t new_name, u32 flags)
{
	struct named from, to;
	s64 r;

	if ((flags & ~(u32)(RENAME_NOREPLACE | RENAME_EXCHANGE)) ||
	    flags == (RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;
	r = named_parent(&from, old_fd, old);
	if (r < 0)
		return r;
	r = named_parent(&to, new_fd, new_name);
	if (r == 0) {
		r = rename_named(&from, &to, flags);
		named_done(&to);
	}
	named_done(&from);
	return r;
}

sysret_t sys_rename(const struct sysargs *a)
{
	return rename_at(AT_FDCWD, arg_ptr(a, 0), AT_FDCWD, arg_ptr(a, 1), 0);
}

sysret_t sys_renameat(const struct sysargs *a)
{
	return rename_at(arg_int(a, 0), arg_ptr(a, 1), arg_int(a, 2), arg_ptr(a, 3), 0);
}

sysret_t sys_renameat2(const struct sysargs *a)
{
	return rename_at(arg_int(a, 0), arg_ptr(a, 1), arg_int(a, 2), arg_ptr(a, 3), arg_u32(a, 4));
}

static s64 link_at(int old_fd, uptr_t old, int new_fd, uptr_t new_name, u32 flags)
{
	u32 lookup = (flags & AT_SYMLINK_FOLLOW ? LOOKUP_FOLLOW : 0) |
		     (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0);
	struct named n;
	struct path target;
	int r;

	if (flags & ~(u32)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	r = user_path(old_fd, old, lookup, &target);
	if (r < 0)
		return r;
	r = named_init_new(&n, new_fd, new_name, false);
	if (r == 0) {
		/* The name an open file is reached by (/proc/PID/fd, "") may belong to no mount: its file system counts. */
		if (target.mnt == anon_mount)
			r = -EXDEV;
		else
			r = vfs_link(&target, &n.nd.path, n.p.dentry);
		named_done(&n);
	}
	path_unref(&target);
	return r;
}

sysret_t sys_link(const struct sysargs *a)
{
	return link_at(AT_FDCWD, arg_ptr(a, 0), AT_FDCWD, arg_ptr(a, 1), 0);
}

sysret_t sys_linkat(const struct sysargs *a)
{
	return link_at(arg_int(a, 0), arg_ptr(a, 1), arg_int(a, 2), arg_ptr(a, 3), arg_u32(a, 4));
}

static s64 symlink_at(uptr_t target, int dirfd, uptr_t name)
{
	struct named n;
	char *text;
	int r = path_from_user(&text, target);

	if (r < 0)
		return r;
	r = *text ? named_init_new(&n, dirfd, name, false) : -ENOENT;
	if (r == 0) {
		r = vfs_symlink(&n.nd.path, n.p.dentry, text);
		named_done(&n);
	}
	kfree(text);
	return r;
}

sysret_t sys_symlink(const struct sysargs *a)
{
	return symlink_at(arg_ptr(a, 0), AT_FDCWD, arg_ptr(a, 1));
}

sysret_t sys_symlinkat(const struct sysargs *a)
{
	return symlink_at(arg_ptr(a, 0), arg_int(a, 1), arg_ptr(a, 2));
}
