/* SPDX-License-Identifier: Apache-2.0 */
/* chmod(2), chown(2), utimensat(2), truncate(2), and their relatives. */
#include "kernel/fs/internal.h"

#include "abi/linux/time.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sys/syscall.h"

/* Takes the path of a descriptor. */
static int fd_path(int fd, bool io, struct path *ret)
{
	struct file *f = fd_get(fd);

	if (!f)
		return -EBADF;
	if (io && (f->flags & O_PATH)) {
		file_unref(f);
		return -EBADF;
	}
	*ret = f->path;
	path_ref(ret);
	file_unref(f);
	return 0;
}

/* ---- mode ---- */

static int do_chmod(const struct path *p, u32 mode)
{
	struct inode *i = p->dentry->inode;
	struct inode_attr a = { .valid = ATTR_MODE, .mode = mode & 07777 };
	int r = mount_want_write(p);

	if (r < 0)
		return r;
	if (S_ISLNK(i->mode))
		return -EOPNOTSUPP;
	if (!inode_owner_or_capable(i))
		return -EPERM;
	/* chmod(2): the set-group-ID bit is dropped for a group the caller is not in. */
	if (!cred_in_group(current->cred, i->gid) && !cred_capable(current->cred, CAP_FSETID))
		a.mode &= ~(u32)S_ISGID;
	return vfs_setattr(i, &a);
}

static s64 chmod_path(int r, struct path *p, u32 mode)
{
	if (r < 0)
		return r;
	r = do_chmod(p, mode);
	path_unref(p);
	return r;
}

sysret_t sys_chmod(const struct sysargs *a)
{
	struct path p;

	return chmod_path(user_path(AT_FDCWD, arg_ptr(a, 0), LOOKUP_FOLLOW, &p), &p, arg_u32(a, 1));
}

sysret_t sys_fchmodat(const struct sysargs *a)
{
	struct path p;

	return chmod_path(user_path(arg_int(a, 0), arg_ptr(a, 1), LOOKUP_FOLLOW, &p), &p,
			  arg_u32(a, 2));
}

sysret_t sys_fchmod(const struct sysargs *a)
{
	struct path p;

	return chmod_path(fd_path(arg_int(a, 0), true, &p), &p, arg_u32(a, 1));
}

/* ---- owner ---- */

static int chown_permitted(const struct inode *i, u32 uid, u32 gid)
{
	const struct cred *c = current->cred;

	if (cred_capable(c, CAP_CHOWN))
		return 0;
	if (uid != ~0u && (uid != i->uid || c->fsuid != i->uid))
		return -EPERM;
	if (gid != ~0u && (c->fsuid != i->uid || (gid != i->gid && !cred_in_group(c, gid))))
		return -EPERM;
	return 0;
}

static int do_chown(const struct path *p, u32 uid, u32 gid)
{
	struct inode *i = p->dentry->inode;
	struct inode_attr a = { .valid = (uid != ~0u ? ATTR_UID : 0) | (gid != ~0u ? ATTR_GID : 0),
				.uid = uid,
				.gid = gid };
	int r = mount_want_write(p);

	if (r == 0)
		r = chown_permitted(i, uid, gid);
	if (r < 0)
		return r;
	/* chown(2): an executable loses its set-user-ID and set-group-ID bits. */
	if (!S_ISDIR(i->mode) && (i->mode & (S_ISUID | S_ISGID))) {
		a.valid |= ATTR_MODE;
		a.mode = i->mode & 07777 & ~(u32)S_ISUID;
		if (i->mode & S_IXGRP)
			a.mode &= ~(u32)S_ISGID;
	}
	return a.valid ? vfs_setattr(i, &a) : 0;
}

static s64 chown_path(int r, struct path *p, u32 uid, u32 gid)
{
	if (r < 0)
		return r;
	r = do_chown(p, uid, gid);
	path_unref(p);
	return r;
}

sysret_t sys_chown(const struct sysargs *a)
{
	struct path p;

	return chown_path(user_path(AT_FDCWD, arg_ptr(a, 0), LOOKUP_FOLLOW, &p), &p, arg_u32(a, 1),
			  arg_u32(a, 2));
}

sysret_t sys_lchown(const struct sysargs *a)
{
	struct path p;

	return chown_path(user_path(AT_FDCWD, arg_ptr(a, 0), 0, &p), &p, arg_u32(a, 1),
			  arg_u32(a, 2));
}

sysret_t sys_fchown(const struct sysargs *a)
{
	struct path p;

	return chown_path(fd_path(arg_int(a, 0), true, &p), &p, arg_u32(a, 1), arg_u32(a, 2));
}

sysret_t sys_fchownat(const struct sysargs *a)
{
	u32 flags = arg_u32(a, 4);
	u32 lookup = (flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) |
		     (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0);
	struct path p;

	if (flags & ~(u32)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	return chown_path(user_path(arg_int(a, 0), arg_ptr(a, 1), lookup, &p), &p, arg_u32(a, 2),
			  arg_u32(a, 3));
}

/* ---- times ---- */

static int time_arg(const struct linux_timespec *ts, u32 flag, struct inode_attr *at, s64 *s,
		    u32 *ns)
{
	if (ts->tv_nsec == UTIME_OMIT)
		return 0;
	at->valid |= flag;
	if (ts->tv_nsec == UTIME_NOW) {
		inode_now(s, ns);
		return 0;
	}
	if (ts->tv_nsec < 0 || ts->tv_nsec > 999999999)
		return -EINVAL;
	*s = ts->tv_sec;
	*ns = (u32)ts->tv_nsec;
	return 0;
}

/* utimensat(2), Permissions requirements. ts NULL: both now. */
static int do_utimes(const struct path *p, const struct linux_timespec *ts)
{
	static const struct linux_timespec now[2] = { { 0, UTIME_NOW }, { 0, UTIME_NOW } };
	struct inode *i = p->dentry->inode;
	struct inode_attr at = { 0 };
	const struct linux_timespec *t = ts ? ts : now;
	bool both_now = t[0].tv_nsec == UTIME_NOW && t[1].tv_nsec == UTIME_NOW;
	int r = time_arg(&t[0], ATTR_ATIME, &at, &at.atime_s, &at.atime_ns);

	if (r == 0)
		r = time_arg(&t[1], ATTR_MTIME, &at, &at.mtime_s, &at.mtime_ns);
	if (r < 0 || !at.valid)
		return r;
	r = mount_want_write(p);
	if (r < 0)
		return r;
	if (!inode_owner_or_capable(i)) {
		if (!both_now)
			return -EPERM;
		r = inode_permission(i, MAY_WRITE);
		if (r < 0)
			return r;
	}
	return vfs_setattr(i, &at);
}

static s64 utimes_path(int r, struct path *p, const struct linux_timespec *ts)
{
	if (r < 0)
		return r;
	r = do_utimes(p, ts);
	path_unref(p);
	return r;
}

sysret_t sys_utimensat(const struct sysargs *a)
{
	struct linux_timespec ts[2];
	u32 flags = arg_u32(a, 3);
	struct path p;
	int r;

	if (arg_ptr(a, 2)) {
		r = copy_from_user(ts, arg_ptr(a, 2), sizeof(ts));
		if (r < 0)
			return r;
		if (ts[0].tv_nsec == UTIME_OMIT && ts[1].tv_nsec == UTIME_OMIT)
			return 0;
	}
	if (flags & ~(u32)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (!arg_ptr(a, 1) && arg_int(a, 0) != AT_FDCWD)
		r = flags ? -EINVAL : fd_path(arg_int(a, 0), true, &p);
	else
		r = user_path(arg_int(a, 0), arg_ptr(a, 1),
			      (flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) |
				      (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0),
			      &p);
	return utimes_path(r, &p, arg_ptr(a, 2) ? ts : NULL);
}

static s64 utimes_at(int dirfd, uptr_t name, uptr_t tv_addr)
{
	struct linux_timeval tv[2];
	struct linux_timespec ts[2];
	struct path p;
	int r;

	if (tv_addr) {
		r = copy_from_user(tv, tv_addr, sizeof(tv));
		if (r < 0)
			return r;
		for (int n = 0; n < 2; n++) {
			if (tv[n].tv_usec < 0 || tv[n].tv_usec > 999999)
				return -EINVAL;
			ts[n] = (struct linux_timespec){ tv[n].tv_sec, tv[n].tv_usec * 1000 };
		}
	}
	r = name || dirfd == AT_FDCWD ? user_path(dirfd, name, LOOKUP_FOLLOW, &p)
				      : fd_path(dirfd, true, &p);
	return utimes_path(r, &p, tv_addr ? ts : NULL);
}

sysret_t sys_utimes(const struct sysargs *a)
{
	return utimes_at(AT_FDCWD, arg_ptr(a, 0), arg_ptr(a, 1));
}

sysret_t sys_futimesat(const struct sysargs *a)
{
	return utimes_at(arg_int(a, 0), arg_ptr(a, 1), arg_ptr(a, 2));
}

sysret_t sys_utime(const struct sysargs *a)
{
	struct linux_utimbuf ub;
	struct linux_timespec ts[2] = { 0 };
	struct path p;
	int r;

	if (arg_ptr(a, 1)) {
		r = copy_from_user(&ub, arg_ptr(a, 1), sizeof(ub));
		if (r < 0)
			return r;
		ts[0].tv_sec = ub.actime;
		ts[1].tv_sec = ub.modtime;
	}
	return utimes_path(user_path(AT_FDCWD, arg_ptr(a, 0), LOOKUP_FOLLOW, &p), &p,
			   arg_ptr(a, 1) ? ts : NULL);
}

/* ---- size ---- */

static int do_truncate(struct inode *i, s64 size)
{
	struct inode_attr at = { .valid = ATTR_SIZE | ATTR_MTIME, .size = (u64)size };
	u64 room = 1;
	int r = (u64)size > i->size ? file_write_limit((u64)size - 1, &room) : 0;

	if (r < 0)
		return r;
	inode_now(&at.mtime_s, &at.mtime_ns);
	return vfs_setattr(i, &at);
}

sysret_t sys_truncate(const struct sysargs *a)
{
	s64 size = arg_s64(a, 1);
	struct inode *i;
	struct path p;
	int r;

	if (size < 0)
		return -EINVAL;
	r = user_path(AT_FDCWD, arg_ptr(a, 0), LOOKUP_FOLLOW, &p);
	if (r < 0)
		return r;
	i = p.dentry->inode;
	if (!S_ISREG(i->mode))
		r = S_ISDIR(i->mode) ? -EISDIR : -EINVAL;
	if (r == 0)
		r = mount_want_write(&p);
	if (r == 0)
		r = inode_permission(i, MAY_WRITE);
	if (r == 0 && i->exec_count)
		r = -ETXTBSY;
	if (r == 0)
		r = do_truncate(i, size);
	path_unref(&p);
	return r;
}

sysret_t sys_ftruncate(const struct sysargs *a)
{
	struct file *f;
	int r;

	if (arg_s64(a, 1) < 0)
		return -EINVAL;
	r = fd_get_io(arg_int(a, 0), &f);
	if (r < 0)
		return r;
	r = S_ISREG(f->inode->mode) && FMODE_WRITE(f) ? do_truncate(f->inode, arg_s64(a, 1))
						      : -EINVAL;
	file_unref(f);
	return r;
}

sysret_t sys_fallocate(const struct sysargs *a)
{
	s64 off = arg_s64(a, 2), len = arg_s64(a, 3), end;
	int mode = arg_int(a, 1);
	struct file *f;
	u64 room = 1;
	s64 r;

	if (off < 0 || len <= 0)
		return -EINVAL;
	if (__builtin_add_overflow(off, len, &end))
		return -EFBIG;
	if ((mode & FALLOC_FL_PUNCH_HOLE) &&
	    (!(mode & FALLOC_FL_KEEP_SIZE) || (mode & FALLOC_FL_ZERO_RANGE)))
		return mode & FALLOC_FL_ZERO_RANGE ? -EINVAL : -EOPNOTSUPP;
	r = fd_get_io(arg_int(a, 0), &f);
	if (r < 0)
		return r;
	if (!FMODE_WRITE(f))
		r = -EBADF;
	else if (S_ISFIFO(f->inode->mode))
		r = -ESPIPE;
	else if (S_ISDIR(f->inode->mode))
		r = -EISDIR;
	else if (!S_ISREG(f->inode->mode))
		r = -ENODEV;
	else if (!(mode & FALLOC_FL_KEEP_SIZE) && (u64)end > f->inode->size)
		r = file_write_limit((u64)end - 1, &room);
	if (r == 0)
		r = f->ops->fallocate ? f->ops->fallocate(f, mode, (u64)off, (u64)len)
				      : -EOPNOTSUPP;
	file_unref(f);
	return r;
}
