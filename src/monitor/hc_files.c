/* SPDX-License-Identifier: Apache-2.0 */
/* Hostcalls on open files and directories. Several CPUs may use one handle at once. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/checked.h"
#include "monitor/hostcalls.h"

s64 hc_close(struct hostcall *c)
{
	return events_close(c->m, c->arg[0]);
}

s64 hc_fstat(struct hostcall *c)
{
	struct hc_stat *out = HC_OUT(c, c->arg[1], struct hc_stat), st;
	struct handle *h;
	int r;

	if (!out)
		return -EFAULT;
	h = handle_get(&c->m->handles, c->arg[0],
		       HANDLE_PATH | HANDLE_FILE | HANDLE_DIR | HANDLE_STREAM);
	if (!h)
		return -EBADF;
	r = hc_stat_fill(h->fd, "", &st);
	if (r == 0)
		*out = st;
	handle_put(&c->m->handles, h);
	return r;
}

/* Offsets beyond what off_t holds are an error of the kernel's, not a wrapped position. */
static bool offset_ok(u64 offset, u64 len)
{
	return range_within(offset, len, INT64_MAX);
}

s64 hc_pread(struct hostcall *c)
{
	u64 len = MIN(c->arg[2], (u64)HC_IO_MAX);
	void *buf = hc_out(c, c->arg[1], len);
	struct handle *h;
	ssize_t n;

	if (!buf)
		return -EFAULT;
	if (!offset_ok(c->arg[3], len))
		return -EINVAL;
	h = handle_get(&c->m->handles, c->arg[0], HANDLE_FILE);
	if (!h)
		return -EBADF;
	do
		n = pread(h->fd, buf, len, (off_t)c->arg[3]);
	while (n < 0 && errno == EINTR);
	n = n < 0 ? -errno : n;
	handle_put(&c->m->handles, h);
	return n;
}

s64 hc_pwrite(struct hostcall *c)
{
	u64 len = MIN(c->arg[2], (u64)HC_IO_MAX);
	const void *buf = hc_in(c, c->arg[1], len);
	struct handle *h;
	ssize_t n;
	u64 room;

	if (!buf)
		return -EFAULT;
	if (!offset_ok(c->arg[3], len))
		return -EINVAL;
	h = handle_get(&c->m->handles, c->arg[0], HANDLE_FILE);
	if (!h)
		return -EBADF;
	room = limits_file_size(c->m, c->arg[3], len);
	do
		n = pwrite(h->fd, buf, room, (off_t)c->arg[3]);
	while (n < 0 && errno == EINTR);
	n = n < 0 ? -errno : n;
	if (len && !room)
		n = -EFBIG;
	handle_put(&c->m->handles, h);
	return n;
}

/* A file below a writable root; the descriptor's own mode decides the rest. */
static struct handle *get_writable(struct hostcall *c, int *ret_error)
{
	struct handle *h = handle_get(&c->m->handles, c->arg[0], HANDLE_FILE);

	*ret_error = h ? 0 : -EBADF;
	if (h && !(h->flags & HANDLE_F_WRITABLE)) {
		handle_put(&c->m->handles, h);
		*ret_error = -EROFS;
		return NULL;
	}
	return h;
}

s64 hc_truncate(struct hostcall *c)
{
	/* A stream's descriptor says itself whether it may: ftruncate(2) wants a regular file open for writing. */
	struct handle *h = handle_get(&c->m->handles, c->arg[0], HANDLE_FILE | HANDLE_STREAM);
	int r;

	if (!h)
		return -EBADF;
	if (h->kind == HANDLE_FILE && !(h->flags & HANDLE_F_WRITABLE))
		r = -EROFS;
	else if (c->arg[1] > c->m->limits.file_size)
		r = -EFBIG;
	else
		r = ftruncate(h->fd, (off_t)c->arg[1]) < 0 ? -errno : 0;
	handle_put(&c->m->handles, h);
	return r;
}

s64 hc_fsync(struct hostcall *c)
{
	struct handle *h =
		handle_get(&c->m->handles, c->arg[0], HANDLE_FILE | HANDLE_DIR | HANDLE_STREAM);
	int r;

	if (!h)
		return -EBADF;
	r = (c->arg[1] ? fdatasync(h->fd) : fsync(h->fd)) < 0 ? -errno : 0;
	handle_put(&c->m->handles, h);
	return r;
}

/* Not FALLOC_FL_NO_HIDE_STALE, with which some file systems show what others have deleted. */
#define FALLOCATE_KNOWN                                                                \
	((u64)(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_COLLAPSE_RANGE | \
	       FALLOC_FL_ZERO_RANGE | FALLOC_FL_INSERT_RANGE | FALLOC_FL_UNSHARE_RANGE))

s64 hc_fallocate(struct hostcall *c)
{
	int r;
	struct handle *h = get_writable(c, &r);

	if (!h)
		return r;
	r = c->arg[1] & ~FALLOCATE_KNOWN ? -EOPNOTSUPP : -EINVAL;
	if (limits_file_size(c->m, c->arg[2], c->arg[3]) < c->arg[3])
		r = -EFBIG;
	else if (r == -EINVAL && offset_ok(c->arg[2], c->arg[3]))
		r = fallocate(h->fd, (int)c->arg[1], (off_t)c->arg[2], (off_t)c->arg[3]) < 0
			    ? -errno
			    : 0;
	handle_put(&c->m->handles, h);
	return r;
}

s64 hc_getdents(struct hostcall *c)
{
	u64 len = MIN(c->arg[2], (u64)HC_IO_MAX);
	void *buf = hc_out(c, c->arg[1], len);
	struct handle *h;
	long n;

	if (!buf)
		return -EFAULT;
	h = handle_get(&c->m->handles, c->arg[0], HANDLE_DIR);
	if (!h)
		return -EBADF;
	n = syscall(SYS_getdents64, h->fd, buf, len);
	n = n < 0 ? -errno : n;
	handle_put(&c->m->handles, h);
	return n;
}

s64 hc_rewind(struct hostcall *c)
{
	struct handle *h = handle_get(&c->m->handles, c->arg[0], HANDLE_DIR);
	int r;

	if (!h)
		return -EBADF;
	r = lseek(h->fd, 0, SEEK_SET) < 0 ? -errno : 0;
	handle_put(&c->m->handles, h);
	return r;
}

static int apply_mode(struct monitor *m, int fd, const struct stat *st, u32 mode)
{
	char name[16];

	if (S_ISLNK(st->st_mode))
		return -EOPNOTSUPP;
	/* A set-user-ID file owned by who runs the sandbox would be a way out of it. */
	if (!S_ISDIR(st->st_mode) && (mode & (S_ISUID | S_ISGID)))
		return -EPERM;
	snprintf(name, sizeof(name), "%d", fd);
	return fchmodat(m->proc_fd, name, mode & 07777, 0) < 0 ? -errno : 0;
}

static int apply_owner(int fd, const struct hc_setattr *a)
{
	uid_t uid = a->valid & HC_ATTR_UID ? a->uid : (uid_t)-1;
	gid_t gid = a->valid & HC_ATTR_GID ? a->gid : (gid_t)-1;

	return fchownat(fd, "", uid, gid, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

static int apply_times(int fd, const struct hc_setattr *a)
{
	struct timespec ts[2] = {
		{ .tv_sec = a->atime_s,
		  .tv_nsec = a->valid & HC_ATTR_ATIME ? (long)a->atime_ns : UTIME_OMIT },
		{ .tv_sec = a->mtime_s,
		  .tv_nsec = a->valid & HC_ATTR_MTIME ? (long)a->mtime_ns : UTIME_OMIT },
	};

	if (((a->valid & HC_ATTR_ATIME) && a->atime_ns >= 1000000000) ||
	    ((a->valid & HC_ATTR_MTIME) && a->mtime_ns >= 1000000000))
		return -EINVAL;
	return syscall(SYS_utimensat, fd, "", ts, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) < 0 ? -errno
											   : 0;
}

static int apply_size(struct monitor *m, int fd, const struct stat *st, u64 size)
{
	int file, r;

	if (!S_ISREG(st->st_mode) || size > INT64_MAX)
		return S_ISDIR(st->st_mode) ? -EISDIR : -EINVAL;
	if (size > m->limits.file_size)
		return -EFBIG;
	file = hc_reopen(m, fd, O_WRONLY);
	if (file < 0)
		return file;
	r = ftruncate(file, (off_t)size) < 0 ? -errno : 0;
	close(file);
	return r;
}

int hc_apply_attr(struct monitor *m, int fd, const struct hc_setattr *a)
{
	struct stat st;
	int r;

	if (a->valid & ~HC_ATTR_KNOWN)
		return -EINVAL;
	if (fstat(fd, &st) < 0)
		return -errno;
	/* Who may use a device or a socket of the host is not the sandbox's to decide. */
	if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode) || S_ISSOCK(st.st_mode))
		return -EPERM;
	r = hc_check_filesystem(fd, &st, true);
	if (r == 0 && (a->valid & HC_ATTR_SIZE))
		r = apply_size(m, fd, &st, a->size);
	if (r == 0 && (a->valid & (HC_ATTR_UID | HC_ATTR_GID)))
		r = apply_owner(fd, a);
	if (r == 0 && (a->valid & HC_ATTR_MODE))
		r = apply_mode(m, fd, &st, a->mode);
	if (r == 0 && (a->valid & (HC_ATTR_ATIME | HC_ATTR_MTIME)))
		r = apply_times(fd, a);
	return r;
}

s64 hc_fsetattr(struct hostcall *c)
{
	struct hc_setattr attr;
	struct handle *h;
	int r = -EROFS;

	if (!HC_COPY_IN(c, &attr, c->arg[1]))
		return -EFAULT;
	h = handle_get(&c->m->handles, c->arg[0], HANDLE_PATH | HANDLE_FILE | HANDLE_DIR);
	if (!h)
		return -EBADF;
	if (h->flags & HANDLE_F_WRITABLE)
		r = hc_apply_attr(c->m, h->fd, &attr);
	handle_put(&c->m->handles, h);
	return r;
}
