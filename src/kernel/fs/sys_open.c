/* SPDX-License-Identifier: Apache-2.0 */
/* open(2), openat2(2), close(2), close_range(2). */
#include "kernel/fs/internal.h"

#include "abi/linux/misc.h"
#include "base/bitmap.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sys/syscall.h"

#define OPEN_FLAGS_VALID                                                                       \
	(O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | O_DSYNC | \
	 __O_SYNC | FASYNC | O_DIRECT | O_LARGEFILE | O_DIRECTORY | O_NOFOLLOW | O_NOATIME |   \
	 O_CLOEXEC | O_PATH | __O_TMPFILE)

static s64 do_open(int dirfd, uptr_t name, u32 flags, u32 mode, u32 lookup)
{
	struct file *f;
	char *path;
	int fd, r = path_from_user(&path, name);

	if (r < 0)
		return r;
	fd = fd_reserve(0);
	if (fd < 0) {
		kfree(path);
		return fd;
	}
	r = file_open(dirfd, path, flags, mode, lookup, &f);
	kfree(path);
	if (r < 0) {
		fd_release_reserved(fd);
		return r;
	}
	fd_set_reserved(fd, f, flags & O_CLOEXEC);
	return fd;
}

/* open(2): unknown flags are ignored, openat2(2) refuses them. */
static s64 open_checked(int dirfd, uptr_t name, u32 flags, u32 mode)
{
	flags &= OPEN_FLAGS_VALID;
	if ((flags & __O_TMPFILE) && !(flags & O_PATH)) {
		if ((flags & O_TMPFILE) != O_TMPFILE || !(flags & O_ACCMODE) || (flags & O_CREAT))
			return -EINVAL;
	} else if ((flags & (O_CREAT | O_DIRECTORY)) == (O_CREAT | O_DIRECTORY) &&
		   !(flags & O_PATH)) {
		flags &= ~(u32)O_DIRECTORY; /* Linux before 6.4 makes a regular file */
	}
	return do_open(dirfd, name, flags, mode & 07777, 0);
}

sysret_t sys_open(const struct sysargs *a)
{
	return open_checked(AT_FDCWD, arg_ptr(a, 0), arg_u32(a, 1), arg_u32(a, 2));
}

sysret_t sys_openat(const struct sysargs *a)
{
	return open_checked(arg_int(a, 0), arg_ptr(a, 1), arg_u32(a, 2), arg_u32(a, 3));
}

sysret_t sys_creat(const struct sysargs *a)
{
	return open_checked(AT_FDCWD, arg_ptr(a, 0), O_CREAT | O_WRONLY | O_TRUNC, arg_u32(a, 1));
}

static int open_how_check(const struct linux_open_how *how, u32 *ret_lookup)
{
	static const struct {
		u64 resolve;
		u32 lookup;
	} map[] = {
		{ RESOLVE_NO_XDEV, LOOKUP_NO_XDEV },
		{ RESOLVE_NO_MAGICLINKS, LOOKUP_NO_MAGICLINKS },
		{ RESOLVE_NO_SYMLINKS, LOOKUP_NO_SYMLINKS },
		{ RESOLVE_BENEATH, LOOKUP_BENEATH },
		{ RESOLVE_IN_ROOT, LOOKUP_IN_ROOT },
		{ RESOLVE_CACHED, 0 },
	};
	u64 known = 0;

	*ret_lookup = 0;
	for (unsigned i = 0; i < ARRAY_SIZE(map); i++) {
		known |= map[i].resolve;
		if (how->resolve & map[i].resolve)
			*ret_lookup |= map[i].lookup;
	}
	if ((how->flags & ~(u64)OPEN_FLAGS_VALID) || (how->resolve & ~known))
		return -EINVAL;
	if ((how->resolve & RESOLVE_BENEATH) && (how->resolve & RESOLVE_IN_ROOT))
		return -EINVAL;
	if (how->mode & ~07777ull || (how->mode && !(how->flags & (O_CREAT | __O_TMPFILE))))
		return -EINVAL;
	if ((how->flags & __O_TMPFILE) &&
	    ((how->flags & O_TMPFILE) != O_TMPFILE || !(how->flags & O_ACCMODE)))
		return -EINVAL;
	return how->resolve & RESOLVE_CACHED ? -EAGAIN : 0;
}

sysret_t sys_openat2(const struct sysargs *a)
{
	struct linux_open_how how;
	u64 size = arg_u64(a, 3);
	u32 lookup = 0;
	int r;

	if (size < OPEN_HOW_SIZE_VER0)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	for (u64 off = sizeof(how); off < size; off++) { /* newer fields must be zero */
		u8 b;

		r = copy_from_user(&b, arg_ptr(a, 2) + off, 1);
		if (r < 0 || b)
			return r < 0 ? r : -E2BIG;
	}
	r = copy_from_user(&how, arg_ptr(a, 2), sizeof(how));
	if (r == 0)
		r = open_how_check(&how, &lookup);
	return r < 0 ? r
		     : do_open(arg_int(a, 0), arg_ptr(a, 1), (u32)how.flags, (u32)how.mode, lookup);
}

sysret_t sys_close(const struct sysargs *a)
{
	int r = fd_close(arg_int(a, 0));

	/* close(2): the descriptor is gone whatever happens, so the call is never restarted. */
	return r <= -ERESTARTSYS ? -EINTR : r;
}

static int close_range_unshare(void)
{
	struct fdtable *old = current->files, *t;
	int r;

	if (old->refs == 1)
		return 0;
	r = fdtable_dup(old, &t);
	if (r < 0)
		return r;
	current->files = t;
	fdtable_unref(old);
	return 0;
}

sysret_t sys_close_range(const struct sysargs *a)
{
	u32 first = arg_u32(a, 0), last = arg_u32(a, 1), flags = arg_u32(a, 2);
	int r = 0;

	if (first > last || (flags & ~(u32)(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)))
		return -EINVAL;
	if (flags & CLOSE_RANGE_UNSHARE)
		r = close_range_unshare();
	for (u64 fd = first; r == 0 && fd <= last && fd < current->files->size; fd++) {
		if (!current->files->files[fd])
			continue;
		if (flags & CLOSE_RANGE_CLOEXEC)
			bitmap_set(current->files->cloexec, fd);
		else
			fd_close((int)fd);
	}
	return r;
}

sysret_t sys_umask(const struct sysargs *a)
{
	struct fs_context *fs = current_fs();
	u32 old = fs->umask;

	fs->umask = arg_u32(a, 0) & 0777;
	return old;
}
