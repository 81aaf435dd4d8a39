/* SPDX-License-Identifier: Apache-2.0 */
/* read(2), write(2) and their relatives; lseek(2). */
#include "kernel/fs/internal.h"

#include "kernel/mm/uaccess.h"
#include "kernel/sys/syscall.h"

static s64 rw_file(struct file *f, struct uio *u, u64 *pos, bool write)
{
	return write ? file_write(f, u, pos) : file_read(f, u, pos);
}

/* At the file's own position, which moves by what was done. */
static s64 rw_current(struct file *f, struct uio *u, bool write)
{
	u64 pos = f->pos;
	s64 n = rw_file(f, u, &pos, write);

	f->pos = pos;
	return n;
}

static __hot s64 rw_simple(int fd, uptr_t buf, u64 n, bool write)
{
	struct file *f;
	struct uio u;
	s64 r = fd_get_io(fd, &f);

	if (r < 0)
		return r;
	if (!user_range_ok(buf, n)) {
		r = (write ? FMODE_WRITE(f) : FMODE_READ(f)) ? -EFAULT : -EBADF;
	} else {
		uio_user(&u, buf, MIN(n, (u64)MAX_RW_COUNT));
		r = rw_current(f, &u, write);
	}
	file_unref(f);
	return r;
}

__hot sysret_t sys_read(const struct sysargs *a)
{
	return rw_simple(arg_int(a, 0), arg_ptr(a, 1), arg_u64(a, 2), false);
}

__hot sysret_t sys_write(const struct sysargs *a)
{
	return rw_simple(arg_int(a, 0), arg_ptr(a, 1), arg_u64(a, 2), true);
}

static bool file_seekable(const struct file *f)
{
	return f->ops->llseek != NULL;
}

/* pwrite(2), BUGS: O_APPEND wins over the offset, on Linux. */
static s64 rw_at(int fd, struct uio *u, s64 off, bool write)
{
	struct file *f;
	u64 pos = (u64)off;
	s64 r;

	if (off < 0)
		return -EINVAL;
	r = fd_get_io(fd, &f);
	if (r < 0)
		return r;
	r = file_seekable(f) ? rw_file(f, u, &pos, write) : -ESPIPE;
	file_unref(f);
	return r;
}

static s64 rw_at_simple(const struct sysargs *a, bool write)
{
	u64 n = arg_u64(a, 2);
	struct uio u;

	if (!user_range_ok(arg_ptr(a, 1), n))
		return arg_s64(a, 3) < 0 ? -EINVAL : -EFAULT;
	uio_user(&u, arg_ptr(a, 1), MIN(n, (u64)MAX_RW_COUNT));
	return rw_at(arg_int(a, 0), &u, arg_s64(a, 3), write);
}

sysret_t sys_pread64(const struct sysargs *a)
{
	return rw_at_simple(a, false);
}

sysret_t sys_pwrite64(const struct sysargs *a)
{
	return rw_at_simple(a, true);
}

/* RWF_* that change nothing here are accepted; those we don't do are refused. preadv2(2). */
static int rwf_check(u32 rwf)
{
	return rwf & ~(u32)(RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT | RWF_APPEND)
		       ? -EOPNOTSUPP
		       : 0;
}

static s64 rw_file_flags(struct file *f, struct uio *u, u64 *pos, bool write, u32 rwf)
{
	u32 saved = f->flags;
	s64 r;

	if (rwf & RWF_APPEND)
		f->flags |= O_APPEND;
	if (rwf & RWF_NOWAIT)
		f->flags |= O_NONBLOCK;
	r = rw_file(f, u, pos, write);
	f->flags = saved;
	if (r > 0 && write && (rwf & (RWF_SYNC | RWF_DSYNC)) && f->ops->fsync)
		f->ops->fsync(f, !(rwf & RWF_SYNC));
	return r;
}

/* readv and writev in all their forms; off -1: the file's position. */
static s64 rw_vector(const struct sysargs *a, s64 off, u32 rwf, bool write)
{
	struct linux_iovec fast[UIO_FAST], *alloc = NULL;
	struct file *f;
	struct uio u;
	u64 pos;
	s64 r = rwf_check(rwf);

	if (r == 0)
		r = fd_get_io(arg_int(a, 0), &f);
	if (r < 0)
		return r;
	r = uio_import(&u, arg_ptr(a, 1), arg_u64(a, 2), fast, &alloc);
	if (r == 0 && off >= 0 && !file_seekable(f))
		r = -ESPIPE;
	if (r == 0) {
		pos = off >= 0 ? (u64)off : f->pos;
		r = rwf ? rw_file_flags(f, &u, &pos, write, rwf) : rw_file(f, &u, &pos, write);
		if (off < 0)
			f->pos = pos;
	}
	kfree(alloc);
	file_unref(f);
	return r;
}

sysret_t sys_readv(const struct sysargs *a)
{
	return rw_vector(a, -1, 0, false);
}

sysret_t sys_writev(const struct sysargs *a)
{
	return rw_vector(a, -1, 0, true);
}

sysret_t sys_preadv(const struct sysargs *a)
{
	return arg_s64(a, 3) < 0 ? -EINVAL : rw_vector(a, arg_s64(a, 3), 0, false);
}

sysret_t sys_pwritev(const struct sysargs *a)
{
	return arg_s64(a, 3) < 0 ? -EINVAL : rw_vector(a, arg_s64(a, 3), 0, true);
}

sysret_t sys_preadv2(const struct sysargs *a)
{
	return arg_s64(a, 3) < -1 ? -EINVAL : rw_vector(a, arg_s64(a, 3), arg_u32(a, 5), false);
}

sysret_t sys_pwritev2(const struct sysargs *a)
{
	return arg_s64(a, 3) < -1 ? -EINVAL : rw_vector(a, arg_s64(a, 3), arg_u32(a, 5), true);
}

sysret_t sys_lseek(const struct sysargs *a)
{
	struct file *f;
	s64 r = fd_get_io(arg_int(a, 0), &f);

	if (r < 0)
		return r;
	if (arg_u32(a, 2) > SEEK_MAX)
		r = -EINVAL;
	else
		r = f->ops->llseek ? f->ops->llseek(f, arg_s64(a, 1), arg_int(a, 2)) : -ESPIPE;
	file_unref(f);
	return r;
}
