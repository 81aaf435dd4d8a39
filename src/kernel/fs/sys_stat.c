/* SPDX-License-Identifier: Apache-2.0 */
/* stat(2), statx(2), access(2), readlink(2), statfs(2). */
#include "kernel/fs/internal.h"

#include "abi/linux/kdev.h"
#include "abi/linux/mount.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sys/syscall.h"

static s64 stat_path(const struct path *p, uptr_t buf)
{
	struct linux_stat st;
	int r = vfs_getattr(p->dentry->inode);

	if (r < 0)
		return r;
	inode_fill_stat(p->dentry->inode, &st);
	return copy_to_user(buf, &st, sizeof(st));
}

static s64 stat_at(int dirfd, uptr_t name, u32 lookup, uptr_t buf)
{
	struct path p;
	s64 r = user_path(dirfd, name, lookup, &p);

	if (r < 0)
		return r;
	r = stat_path(&p, buf);
	path_unref(&p);
	return r;
}

sysret_t sys_stat(const struct sysargs *a)
{
	return stat_at(AT_FDCWD, arg_ptr(a, 0), LOOKUP_FOLLOW, arg_ptr(a, 1));
}

sysret_t sys_lstat(const struct sysargs *a)
{
	return stat_at(AT_FDCWD, arg_ptr(a, 0), 0, arg_ptr(a, 1));
}

sysret_t sys_fstat(const struct sysargs *a)
{
	struct file *f = fd_get(arg_int(a, 0));
	s64 r;

	if (!f)
		return -EBADF;
	r = stat_path(&f->path, arg_ptr(a, 1));
	file_unref(f);
	return r;
}

static u32 lookup_of_at(u32 flags)
{
	return (flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) |
	       (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0);
}

sysret_t sys_newfstatat(const struct sysargs *a)
{
	u32 flags = arg_u32(a, 3);

	if (flags & ~(u32)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT))
		return -EINVAL;
	return stat_at(arg_int(a, 0), arg_ptr(a, 1), lookup_of_at(flags), arg_ptr(a, 2));
}

static struct linux_statx_timestamp statx_time(s64 s, u32 ns)
{
	return (struct linux_statx_timestamp){ .tv_sec = s, .tv_nsec = ns };
}

static void fill_statx(const struct path *p, struct linux_statx *x)
{
	struct inode *i = p->dentry->inode;
	u64 dev = i->dev ? i->dev : i->sb->dev;

	*x = (struct linux_statx){
		.stx_mask = STATX_BASIC_STATS | STATX_MNT_ID | (i->btime_s ? STATX_BTIME : 0),
		.stx_blksize = i->blksize ? i->blksize : PAGE_SIZE,
		.stx_attributes_mask = STATX_ATTR_MOUNT_ROOT,
		.stx_attributes = p->dentry == p->mnt->root ? STATX_ATTR_MOUNT_ROOT : 0,
		.stx_nlink = i->nlink,
		.stx_uid = i->uid,
		.stx_gid = i->gid,
		.stx_mode = (u16)i->mode,
		.stx_ino = i->ino,
		.stx_size = i->size,
		.stx_blocks = i->blocks,
		.stx_atime = statx_time(i->atime_s, i->atime_ns),
		.stx_btime = statx_time(i->btime_s, i->btime_ns),
		.stx_ctime = statx_time(i->ctime_s, i->ctime_ns),
		.stx_mtime = statx_time(i->mtime_s, i->mtime_ns),
		.stx_rdev_major = kdev_major(i->rdev),
		.stx_rdev_minor = kdev_minor(i->rdev),
		.stx_dev_major = kdev_major(dev),
		.stx_dev_minor = kdev_minor(dev),
		.stx_mnt_id = p->mnt->id,
	};
}

sysret_t sys_statx(const struct sysargs *a)
{
	u32 flags = arg_u32(a, 2);
	struct linux_statx x;
	struct path p;
	int r;

	if (flags &
	    ~(u32)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_SYNC_TYPE))
		return -EINVAL;
	if ((flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE || (arg_u32(a, 3) & STATX__RESERVED))
		return -EINVAL;
	r = user_path(arg_int(a, 0), arg_ptr(a, 1), lookup_of_at(flags), &p);
	if (r < 0)
		return r;
	r = vfs_getattr(p.dentry->inode);
	if (r == 0) {
		fill_statx(&p, &x);
		r = copy_to_user(arg_ptr(a, 4), &x, sizeof(x));
	}
	path_unref(&p);
	return r;
}

/* ---- access ---- */

/* access(2): as if the real ids were the effective ones. */
static int access_cred(struct cred **ret)
{
	struct cred *c = cred_copy(current->cred);

	if (!c)
		return -ENOMEM;
	c->fsuid = c->uid;
	c->fsgid = c->gid;
	c->cap_effective = c->uid ? 0 : c->cap_permitted;
	*ret = c;
	return 0;
}

static s64 access_lookup(int dirfd, uptr_t name, u32 mode, u32 lookup)
{
	struct path p;
	int r = user_path(dirfd, name, lookup, &p);

	if (r < 0)
		return r;
	if ((mode & X_OK) && S_ISREG(p.dentry->inode->mode) && (p.mnt->flags & MS_NOEXEC))
		r = -EACCES;
	if (r == 0 && mode)
		r = inode_permission(p.dentry->inode, mode);
	if (r == 0 && (mode & W_OK) &&
	    (S_ISREG(p.dentry->inode->mode) || S_ISDIR(p.dentry->inode->mode)))
		r = mount_want_write(&p);
	path_unref(&p);
	return r;
}

static s64 access_at(int dirfd, uptr_t name, u32 mode, u32 flags)
{
	struct cred *saved = current->cred, *c;
	s64 r;

	if ((mode & ~7u) || (flags & ~(u32)(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)))
		return -EINVAL;
	if (flags & AT_EACCESS)
		return access_lookup(dirfd, name, mode, lookup_of_at(flags));
	r = access_cred(&c);
	if (r < 0)
		return r;
	current->cred = c;
	r = access_lookup(dirfd, name, mode, lookup_of_at(flags));
	current->cred = saved;
	cred_unref(c);
	return r;
}

sysret_t sys_access(const struct sysargs *a)
{
	return access_at(AT_FDCWD, arg_ptr(a, 0), arg_u32(a, 1), 0);
}

sysret_t sys_faccessat(const struct sysargs *a)
{
	return access_at(arg_int(a, 0), arg_ptr(a, 1), arg_u32(a, 2), 0);
}

sysret_t sys_faccessat2(const struct sysargs *a)
{
	return access_at(arg_int(a, 0), arg_ptr(a, 1), arg_u32(a, 2), arg_u32(a, 3));
}

/* ---- readlink ---- */

static s64 readlink_magic(struct inode *i, char *buf, size_t n)
{
	struct path target;
	char *text;
	s64 len = i->ops->follow(i, &target);

	if (len < 0)
		return len;
	text = path_string(&target, NULL, buf, n);
	path_unref(&target);
	if (!text)
		return -ENAMETOOLONG;
	len = (s64)strlen(text);
	memmove(buf, text, (size_t)len);
	return len;
}

static s64 readlink_at(int dirfd, uptr_t name, uptr_t ubuf, int size)
{
	struct path p;
	struct inode *i;
	char *buf;
	s64 r;

	if (size <= 0)
		return -EINVAL;
	r = user_path(dirfd, name, LOOKUP_EMPTY, &p);
	if (r < 0)
		return r;
	i = p.dentry->inode;
	buf = kmalloc(PATH_MAX);
	if (!buf)
		r = -ENOMEM;
	else if (!S_ISLNK(i->mode) || !i->ops)
		r = -EINVAL;
	else if (i->ops->readlink)
		r = i->ops->readlink(i, buf, PATH_MAX);
	else
		r = i->ops->follow ? readlink_magic(i, buf, PATH_MAX) : -EINVAL;
	if (r > 0) {
		r = MIN(r, (s64)size);
		if (copy_to_user(ubuf, buf, (size_t)r) < 0)
			r = -EFAULT;
	}
	kfree(buf);
	path_unref(&p);
	return r;
}

sysret_t sys_readlink(const struct sysargs *a)
{
	s64 r = readlink_at(AT_FDCWD, arg_ptr(a, 0), arg_ptr(a, 1), arg_int(a, 2));

	return r;
}

sysret_t sys_readlinkat(const struct sysargs *a)
{
	return readlink_at(arg_int(a, 0), arg_ptr(a, 1), arg_ptr(a, 2), arg_int(a, 3));
}

/* ---- statfs ---- */

static s64 statfs_path(const struct path *p, uptr_t buf)
{
	struct super *sb = p->dentry->inode->sb;
	struct linux_statfs s = { 0 };
	int r = sb->ops && sb->ops->statfs ? sb->ops->statfs(sb, &s) : -ENOSYS;

	if (r < 0)
		return r;
	s.f_flags = ST_VALID | ST_RELATIME |
		    (p->mnt->flags & (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC));
	return copy_to_user(buf, &s, sizeof(s));
}

sysret_t sys_statfs(const struct sysargs *a)
{
	struct path p;
	s64 r = user_path(AT_FDCWD, arg_ptr(a, 0), LOOKUP_FOLLOW, &p);

	if (r < 0)
		return r;
	r = statfs_path(&p, arg_ptr(a, 1));
	path_unref(&p);
	return r;
}

sysret_t sys_fstatfs(const struct sysargs *a)
{
	struct file *f = fd_get(arg_int(a, 0));
	s64 r;

	if (!f)
		return -EBADF;
	r = statfs_path(&f->path, arg_ptr(a, 1));
	file_unref(f);
	return r;
}
