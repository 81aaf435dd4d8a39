/* SPDX-License-Identifier: Apache-2.0 */
/* dup(2), fcntl(2), flock(2), ioctl(2), fsync(2) and advice. */
#include "kernel/fs/internal.h"

#include "abi/linux/ioctl.h"
#include "abi/linux/misc.h"
#include "abi/linux/resource.h"
#include "base/bitmap.h"
#include "kernel/fs/hooks.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sys/syscall.h"

/* ---- dup ---- */

static s64 dup_from(struct file *f, u32 from, u32 fd_flags)
{
	int fd = fd_install(f, fd_flags, from);

	if (fd < 0)
		file_unref(f);
	return fd;
}

sysret_t sys_dup(const struct sysargs *a)
{
	struct file *f = fd_get(arg_int(a, 0));

	return f ? dup_from(f, 0, 0) : -EBADF;
}

/* Puts f (taken) at exactly `fd`, closing what is there. */
static s64 dup_to(struct file *f, int fd, bool cloexec)
{
	struct fdtable *t = current->files;
	struct file *old;
	int r;

	if (fd < 0 || (u64)fd >= task_rlimit(current, RLIMIT_NOFILE) || (u32)fd >= FDTABLE_MAX) {
		file_unref(f);
		return -EBADF;
	}
	r = fdtable_ensure(t, (u32)fd);
	if (r < 0 || (!t->files[fd] && bitmap_test(t->used, (size_t)fd))) {
		file_unref(f);
		return r < 0 ? r : -EBUSY; /* dup2(2), EBUSY: another thread is opening it */
	}
	old = t->files[fd];
	bitmap_set(t->used, (size_t)fd);
	fd_set_reserved(fd, f, cloexec);
	if (old)
		file_close(old, t);
	return fd;
}

sysret_t sys_dup2(const struct sysargs *a)
{
	struct file *f = fd_get(arg_int(a, 0));

	if (!f)
		return -EBADF;
	if (arg_int(a, 0) == arg_int(a, 1)) {
		file_unref(f);
		return arg_int(a, 1);
	}
	return dup_to(f, arg_int(a, 1), false);
}

sysret_t sys_dup3(const struct sysargs *a)
{
	struct file *f;

	if ((arg_u32(a, 2) & ~(u32)O_CLOEXEC) || arg_int(a, 0) == arg_int(a, 1))
		return -EINVAL;
	f = fd_get(arg_int(a, 0));
	return f ? dup_to(f, arg_int(a, 1), arg_u32(a, 2) & O_CLOEXEC) : -EBADF;
}

/* ---- fcntl ---- */

#define SETFL_FLAGS (O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME | FASYNC)

static int fcntl_setfl(struct file *f, u32 flags)
{
	u32 new_flags = (f->flags & ~(u32)SETFL_FLAGS) | (flags & SETFL_FLAGS);
	int r;

	if ((new_flags & ~f->flags & O_NOATIME) && !inode_owner_or_capable(f->inode))
		return -EPERM;
	if (f->ops->set_flags) {
		r = f->ops->set_flags(f, new_flags);
		if (r < 0)
			return r;
	}
	f->flags = new_flags;
	return 0;
}

static s64 fcntl_owner_ex(struct file *f, int cmd, uptr_t arg)
{
	struct linux_f_owner_ex ex;
	int r;

	if (cmd == F_GETOWN_EX) {
		ex.type = f->owner_pid < 0 ? F_OWNER_PGRP : F_OWNER_PID;
		ex.pid = f->owner_pid < 0 ? -f->owner_pid : f->owner_pid;
		return copy_to_user(arg, &ex, sizeof(ex));
	}
	r = copy_from_user(&ex, arg, sizeof(ex));
	if (r < 0)
		return r;
	if (ex.type < F_OWNER_TID || ex.type > F_OWNER_PGRP || ex.pid < 0)
		return -EINVAL;
	f->owner_pid = ex.type == F_OWNER_PGRP ? -ex.pid : ex.pid;
	return 0;
}

/* Commands on the descriptor, allowed with O_PATH too. -ENOSYS: not one of them. */
static s64 fcntl_descriptor(int fd, struct file *f, int cmd, u64 arg)
{
	struct fdtable *t = current->files;

	switch (cmd) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		if (arg >= task_rlimit(current, RLIMIT_NOFILE) || arg >= FDTABLE_MAX)
			return -EINVAL;
		return dup_from(file_ref(f), (u32)arg, cmd == F_DUPFD_CLOEXEC ? O_CLOEXEC : 0);
	case F_GETFD:
		return bitmap_test(t->cloexec, (size_t)fd) ? FD_CLOEXEC : 0;
	case F_SETFD:
		bitmap_assign(t->cloexec, (size_t)fd, arg & FD_CLOEXEC);
		return 0;
	case F_GETFL:
		return f->flags;
	default:
		return -ENOSYS;
	}
}

static s64 fcntl_file(struct file *f, int cmd, u64 arg)
{
	switch (cmd) {
	case F_SETFL:
		return fcntl_setfl(f, (u32)arg);
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_GETLK:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		return locks_fcntl(f, cmd, arg);
	case F_GETOWN:
		return f->owner_pid;
	case F_SETOWN:
		f->owner_pid = (int)arg;
		return 0;
	case F_GETOWN_EX:
	case F_SETOWN_EX:
		return fcntl_owner_ex(f, cmd, arg);
	case F_GETSIG:
		return f->owner_sig;
	case F_SETSIG:
		if (arg > 64)
			return -EINVAL;
		f->owner_sig = (int)arg;
		return 0;
	case F_SETPIPE_SZ:
	case F_GETPIPE_SZ:
		return pipe_fcntl(f, cmd, arg);
	case F_ADD_SEALS:
		return memfs_add_seals(f, (u32)arg);
	case F_GET_SEALS:
		return memfs_get_seals(f);
	case F_GETLEASE:
		return F_UNLCK;
	default:
		return -EINVAL;
	}
}

sysret_t sys_fcntl(const struct sysargs *a)
{
	int fd = arg_int(a, 0), cmd = arg_int(a, 1);
	struct file *f = fd_get(fd);
	s64 r;

	if (!f)
		return -EBADF;
	r = fcntl_descriptor(fd, f, cmd, arg_u64(a, 2));
	if (r == -ENOSYS)
		r = f->flags & O_PATH ? -EBADF : fcntl_file(f, cmd, arg_u64(a, 2));
	file_unref(f);
	return r;
}

sysret_t sys_flock(const struct sysargs *a)
{
	struct file *f;
	int r = fd_get_io(arg_int(a, 0), &f);

	if (r < 0)
		return r;
	r = locks_flock(f, arg_int(a, 1));
	file_unref(f);
	return r;
}

/* ---- ioctl ---- */

static s64 ioctl_set_flag(struct file *f, u32 flag, uptr_t arg)
{
	u32 on;
	int r = get_user_u32(&on, arg);

	return r < 0 ? r : fcntl_setfl(f, on ? f->flags | flag : f->flags & ~flag);
}

sysret_t sys_ioctl(const struct sysargs *a)
{
	int fd = arg_int(a, 0);
	u32 cmd = arg_u32(a, 1);
	struct file *f;
	s64 r = fd_get_io(fd, &f);

	if (r < 0)
		return r;
	switch (cmd) {
	case FIOCLEX:
	case FIONCLEX:
		bitmap_assign(current->files->cloexec, (size_t)fd, cmd == FIOCLEX);
		break;
	case FIONBIO:
		r = ioctl_set_flag(f, O_NONBLOCK, arg_ptr(a, 2));
		break;
	case FIOASYNC:
		r = ioctl_set_flag(f, FASYNC, arg_ptr(a, 2));
		break;
	default:
		r = f->ops->ioctl ? f->ops->ioctl(f, cmd, arg_u64(a, 2)) : -ENOTTY;
		break;
	}
	file_unref(f);
	return r;
}

/* ---- sync and advice ---- */

static s64 do_fsync(int fd, bool data_only)
{
	struct file *f;
	int r = fd_get_io(fd, &f);

	if (r < 0)
		return r;
	r = f->ops->fsync ? f->ops->fsync(f, data_only) : -EINVAL;
	file_unref(f);
	return r;
}

sysret_t sys_fsync(const struct sysargs *a)
{
	return do_fsync(arg_int(a, 0), false);
}

sysret_t sys_fdatasync(const struct sysargs *a)
{
	return do_fsync(arg_int(a, 0), true);
}

sysret_t sys_sync(const struct sysargs *a)
{
	(void)a;
	hostfs_sync();
	return 0;
}

sysret_t sys_syncfs(const struct sysargs *a)
{
	struct file *f;
	int r = fd_get_io(arg_int(a, 0), &f);

	if (r < 0)
		return r;
	file_unref(f);
	hostfs_sync();
	return 0;
}

/* A regular file for advice calls, or the error they give. */
static s64 advice_file(int fd, int pipe_error)
{
	struct file *f;
	s64 r = fd_get_io(fd, &f);

	if (r < 0)
		return r;
	if (S_ISFIFO(f->inode->mode))
		r = pipe_error;
	file_unref(f);
	return r;
}

sysret_t sys_sync_file_range(const struct sysargs *a)
{
	if (arg_s64(a, 1) < 0 || arg_s64(a, 2) < 0 || arg_u32(a, 3) > 7)
		return -EINVAL;
	return advice_file(arg_int(a, 0), -ESPIPE);
}

sysret_t sys_readahead(const struct sysargs *a)
{
	return advice_file(arg_int(a, 0), -EINVAL);
}

sysret_t sys_fadvise64(const struct sysargs *a)
{
	s64 r = advice_file(arg_int(a, 0), -ESPIPE);

	if (r == 0 && (arg_s64(a, 2) < 0 || arg_u32(a, 3) > POSIX_FADV_NOREUSE))
		r = -EINVAL;
	return r;
}
