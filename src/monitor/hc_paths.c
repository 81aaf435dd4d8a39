/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostcalls on paths below a root.
 *
 * An object is looked at first, through O_PATH, which opens no device and waits for no fifo; only regular files and directories
 * are then opened, through /proc/self/fd, so that what was looked at is what is opened.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "monitor/hostcalls.h"

/* Files the sandbox makes on the host never carry these: the program inside may not leave such a thing behind. */
#define MODE_KEPT    (07777 & ~(S_ISUID | S_ISGID))
#define OPEN_CHANGES (HC_O_WRITE | HC_O_CREAT | HC_O_TRUNC | HC_O_TMPFILE)
#define RENAME_KNOWN 3ull /* RENAME_NOREPLACE | RENAME_EXCHANGE */

/* A root, referenced, and a path below it. */
struct place {
	struct handle *root;
	struct hc_path path;
};

static int place_get(struct hostcall *c, u32 first_arg, struct place *ret)
{
	int r = hc_path_get(c, c->arg[first_arg + 1], c->arg[first_arg + 2], &ret->path);

	if (r < 0)
		return r;
	ret->root = handle_get(&c->m->handles, c->arg[first_arg], HANDLE_PATH | HANDLE_DIR);
	return ret->root ? 0 : -EBADF;
}

/* The same for a call that changes something. */
static int place_get_writable(struct hostcall *c, u32 first_arg, struct place *ret)
{
	int r = place_get(c, first_arg, ret);

	if (r == 0 && !(ret->root->flags & HANDLE_F_WRITABLE)) {
		handle_put(&c->m->handles, ret->root);
		return -EROFS;
	}
	return r;
}

static void place_put(struct hostcall *c, struct place *p)
{
	handle_put(&c->m->handles, p->root);
}

/* openat2(2) beneath @dir; no symlink is followed, a symlink in last place is opened as itself with O_PATH. */
static int open_beneath(int dir, const char *path, u64 flags, u64 mode)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC | O_NOFOLLOW,
		.mode = mode,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	long fd;

	/* EAGAIN: a rename on the host meanwhile made the walk unsure of itself. */
	for (int tries = 0; tries < 16; tries++) {
		fd = syscall(SYS_openat2, dir, path, &how, sizeof(how));
		if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
			break;
	}
	return fd < 0 ? -errno : (int)fd;
}

/* An O_PATH descriptor of the object, the caller's to close; a copy of the root's for the empty path. */
static int place_open(struct place *p)
{
	if (p->path.len)
		return open_beneath(p->root->fd, p->path.text, O_PATH, 0);
	int fd = fcntl(p->root->fd, F_DUPFD_CLOEXEC, 3);

	return fd < 0 ? -errno : fd;
}

/* O_PATH of the directory that holds the last component, and that component's name. */
static int place_open_parent(struct place *p, const char **ret_name)
{
	char *slash = strrchr(p->path.text, '/');
	const char *name = slash ? slash + 1 : p->path.text;
	int fd;

	if (!*name || strcmp(name, ".") == 0)
		return -EINVAL;
	if (strlen(name) > HC_NAME_MAX)
		return -ENAMETOOLONG;
	*ret_name = name;
	if (!slash) {
		fd = fcntl(p->root->fd, F_DUPFD_CLOEXEC, 3);
		return fd < 0 ? -errno : fd;
	}
	*slash = 0;
	fd = open_beneath(p->root->fd, p->path.text, O_PATH | O_DIRECTORY, 0);
	*slash = '/';
	return fd;
}

/* Through openat2(2) too, here to follow the link: the monitor's seccomp filter has no other way to open. */
int hc_reopen(struct monitor *m, int fd, int flags)
{
	struct open_how how = { .flags = (u64)flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK };
	char name[16];
	long r;

	snprintf(name, sizeof(name), "%d", fd);
	r = syscall(SYS_openat2, m->proc_fd, name, &how, sizeof(how));
	return r < 0 ? -errno : (int)r;
}

/* File systems through which the host's kernel is asked and told things. From <linux/magic.h> and the kernel's sources. */
static const u32 kernel_filesystems[] = {
	0x62656572, /* sysfs */
	0x64626720, /* debugfs */
	0x74726163, /* tracefs */
	0x73636673, /* securityfs */
	0xcafe4a11, /* bpf */
	0x27e0eb,   /* cgroup */
	0x63677270, /* cgroup2 */
	0x6165676c, /* pstore */
	0xde5e81e4, /* efivarfs */
	0x62656570, /* configfs */
	0xf97cff8c, /* selinuxfs */
	0x43415d53, /* smackfs */
	0x42494e4d, /* binfmt_misc */
	0x7655821,  /* resctrl */
	0x65735543, /* fusectl */
};
#define PROC_MAGIC 0x9fa0

/*
 * procfs is never opened: among its files is the monitor's own memory. What else changes the host's kernel may be read where
 * somebody bound it. Such file systems have no device: their numbers have major 0.
 */
int hc_check_filesystem(int fd, const struct stat *st, bool change)
{
	struct statfs fs;

	if (major(st->st_dev))
		return 0;
	if (fstatfs(fd, &fs) < 0)
		return -errno;
	if (fs.f_type == PROC_MAGIC)
		return -EACCES;
	for (size_t i = 0; change && i < ARRAY_SIZE(kernel_filesystems); i++)
		if ((u32)fs.f_type == kernel_filesystems[i])
			return -EACCES;
	return 0;
}

int hc_stat_fill(int fd, const char *name, struct hc_stat *ret)
{
	struct statx st;
	int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (*name ? 0 : AT_EMPTY_PATH);

	if (statx(fd, name, flags, STATX_BASIC_STATS | STATX_BTIME, &st) < 0)
		return -errno;
	*ret = (struct hc_stat){
		.dev = (u64)st.stx_dev_major << 32 | st.stx_dev_minor,
		.rdev = (u64)st.stx_rdev_major << 32 | st.stx_rdev_minor,
		.ino = st.stx_ino,
		.mode = st.stx_mode,
		.nlink = st.stx_nlink,
		.uid = st.stx_uid,
		.gid = st.stx_gid,
		.size = st.stx_size,
		.blocks = st.stx_blocks,
		.blksize = st.stx_blksize,
		.atime_s = st.stx_atime.tv_sec,
		.mtime_s = st.stx_mtime.tv_sec,
		.ctime_s = st.stx_ctime.tv_sec,
		.btime_s = st.stx_btime.tv_sec,
		.atime_ns = st.stx_atime.tv_nsec,
		.mtime_ns = st.stx_mtime.tv_nsec,
		.ctime_ns = st.stx_ctime.tv_nsec,
		.btime_ns = st.stx_btime.tv_nsec,
	};
	return 0;
}

static int place_stat(struct place *p, struct hc_stat *ret)
{
	int fd, r;

	/* One component cannot leave the root: no walk to guard. */
	if (!strchr(p->path.text, '/'))
		return hc_stat_fill(p->root->fd, p->path.text, ret);
	fd = place_open(p);
	if (fd < 0)
		return fd;
	r = hc_stat_fill(fd, "", ret);
	close(fd);
	return r;
}

s64 hc_stat_call(struct hostcall *c)
{
	struct hc_stat *out = HC_OUT(c, c->arg[3], struct hc_stat), st;
	struct place p;
	int r;

	if (!out)
		return -EFAULT;
	r = place_get(c, 0, &p);
	if (r < 0)
		return r;
	r = place_stat(&p, &st);
	if (r == 0)
		*out = st;
	place_put(c, &p);
	return r;
}

/* HC_O_* as open(2) flags; O_CREAT and friends are the caller's affair. */
static int open_flags(u64 flags)
{
	int r = flags & HC_O_WRITE ? (flags & HC_O_READ ? O_RDWR : O_WRONLY) : O_RDONLY;

	if (flags & HC_O_TRUNC)
		r |= O_TRUNC;
	if (flags & HC_O_APPEND)
		r |= O_APPEND;
	return r;
}

/*
 * A set-user-ID program must not get contents from inside. write(2) clears the bits only for those without CAP_FSETID, so they go
 * before the file is opened for writing.
 */
static int drop_set_id(struct monitor *m, int path_fd, const struct stat *st)
{
	char name[16];

	if (!(st->st_mode & (S_ISUID | S_ISGID)))
		return 0;
	snprintf(name, sizeof(name), "%d", path_fd);
	return fchmodat(m->proc_fd, name, st->st_mode & MODE_KEPT, 0) < 0 ? -errno : 0;
}

/* Opens what @path_fd is, if it is something that may be opened. Returns the descriptor, and its kind. */
static int open_existing(struct monitor *m, int path_fd, u64 flags, u32 *ret_kind)
{
	struct stat st;
	int r;

	if (fstat(path_fd, &st) < 0)
		return -errno;
	if (S_ISLNK(st.st_mode))
		return -ELOOP;
	r = hc_check_filesystem(path_fd, &st, flags & OPEN_CHANGES);
	if (r < 0)
		return r;
	if ((flags & HC_O_DIRECTORY) && !S_ISDIR(st.st_mode))
		return -ENOTDIR;
	if (S_ISDIR(st.st_mode)) {
		if (flags & (HC_O_WRITE | HC_O_TRUNC))
			return -EISDIR;
		*ret_kind = HANDLE_DIR;
		return open_beneath(path_fd, ".", O_RDONLY | O_DIRECTORY, 0);
	}
	/* Devices, fifos and sockets of the host are none of the sandbox's business. */
	if (!S_ISREG(st.st_mode))
		return -ENXIO;
	*ret_kind = HANDLE_FILE;
	if (flags & OPEN_CHANGES) {
		r = drop_set_id(m, path_fd, &st);
		if (r < 0)
			return r;
	}
	return hc_reopen(m, path_fd, open_flags(flags));
}

/* May names in @dir be changed? In a cgroup or configfs a directory is a command. */
static int check_directory(int dir)
{
	struct stat st;

	return fstat(dir, &st) < 0 ? -errno : hc_check_filesystem(dir, &st, true);
}

static int open_tmpfile(struct place *p, u64 flags, u64 mode)
{
	int dir = place_open(p), fd;

	if (dir < 0)
		return dir;
	fd = check_directory(dir);
	if (fd == 0)
		fd = open_beneath(dir, ".", O_TMPFILE | (flags & HC_O_READ ? O_RDWR : O_WRONLY),
				  mode & MODE_KEPT);
	close(dir);
	return fd;
}

/* Opens or makes a regular file. EEXIST of our own O_EXCL means that someone was faster: look again. */
static int open_create(struct monitor *m, struct place *p, u64 flags, u64 mode, u32 *ret_kind)
{
	int fd = -EEXIST, path_fd;

	for (int tries = 0; tries < 16 && fd == -EEXIST; tries++) {
		path_fd = flags & HC_O_EXCL ? -ENOENT : place_open(p);
		if (path_fd >= 0) {
			fd = open_existing(m, path_fd, flags, ret_kind);
			close(path_fd);
			return fd;
		}
		if (path_fd != -ENOENT)
			return path_fd;
		*ret_kind = HANDLE_FILE;
		fd = open_beneath(p->root->fd, p->path.text,
				  (u64)open_flags(flags & ~(u64)HC_O_TRUNC) | O_CREAT | O_EXCL |
					  O_NONBLOCK | O_NOCTTY,
				  mode & MODE_KEPT);
		if (flags & HC_O_EXCL)
			break;
	}
	return fd;
}

static int place_open_kind(struct hostcall *c, struct place *p, u32 *ret_kind)
{
	u64 flags = c->arg[3], mode = c->arg[4];
	int path_fd, fd;

	if (flags & HC_O_TMPFILE) {
		*ret_kind = HANDLE_FILE;
		return open_tmpfile(p, flags, mode);
	}
	if ((flags & HC_O_CREAT) && p->path.len)
		return open_create(c->m, p, flags, mode, ret_kind);
	path_fd = place_open(p);
	*ret_kind = HANDLE_PATH;
	if (path_fd < 0 || (flags & HC_O_PATH))
		return path_fd;
	fd = open_existing(c->m, path_fd, flags, ret_kind);
	close(path_fd);
	return fd;
}

static s64 place_open_handle(struct hostcall *c, struct place *p, struct hc_stat *out)
{
	struct hc_stat st;
	u32 kind = 0;
	u64 h;
	int fd = place_open_kind(c, p, &kind), r;

	if (fd < 0)
		return fd;
	if (out) {
		r = hc_stat_fill(fd, "", &st);
		if (r < 0) {
			close(fd);
			return r;
		}
	}
	r = handle_install(&c->m->handles, fd, kind, p->root->flags & HANDLE_F_WRITABLE, &h);
	if (r < 0)
		return r;
	if (out)
		*out = st;
	return (s64)h;
}

s64 hc_open(struct hostcall *c)
{
	struct hc_stat *out = c->arg[5] ? HC_OUT(c, c->arg[5], struct hc_stat) : NULL;
	u64 flags = c->arg[3];
	struct place p;
	s64 r;

	if (c->arg[5] && !out)
		return -EFAULT;
	if ((flags & ~(u64)HC_O_KNOWN) || ((flags & HC_O_PATH) && (flags & OPEN_CHANGES)))
		return -EINVAL;
	r = flags & OPEN_CHANGES ? place_get_writable(c, 0, &p) : place_get(c, 0, &p);
	if (r < 0)
		return r;
	r = place_open_handle(c, &p, out);
	place_put(c, &p);
	return r;
}

s64 hc_readlink(struct hostcall *c)
{
	u64 size = MIN(c->arg[4], (u64)HC_PATH_MAX);
	void *out = hc_out(c, c->arg[3], size);
	struct place p;
	ssize_t n;
	int fd;

	if (!out)
		return -EFAULT;
	fd = place_get(c, 0, &p);
	if (fd < 0)
		return fd;
	fd = place_open(&p);
	place_put(c, &p);
	if (fd < 0)
		return fd;
	n = readlinkat(fd, "", out, size);
	if (n < 0)
		n = errno == ENOENT
			    ? -EINVAL
			    : -errno; /* readlinkat(2): ENOENT for a descriptor of no symlink */
	close(fd);
	return n;
}

/* Calls that make or remove a name: @fn gets the parent directory and the name. */
static s64 in_parent(struct hostcall *c, int (*fn)(struct hostcall *c, int dir, const char *name))
{
	struct place p;
	const char *name;
	int r = place_get_writable(c, 0, &p), dir;

	if (r < 0)
		return r;
	r = dir = place_open_parent(&p, &name);
	if (dir >= 0) {
		r = check_directory(dir);
		if (r == 0)
			r = fn(c, dir, name) < 0 ? -errno : 0;
		close(dir);
	}
	place_put(c, &p);
	return r;
}

static int do_mkdir(struct hostcall *c, int dir, const char *name)
{
	return mkdirat(dir, name, (mode_t)(c->arg[3] & 01777));
}

s64 hc_mkdir(struct hostcall *c)
{
	return in_parent(c, do_mkdir);
}

static int do_unlink(struct hostcall *c, int dir, const char *name)
{
	return unlinkat(dir, name, c->arg[3] ? AT_REMOVEDIR : 0);
}

s64 hc_unlink(struct hostcall *c)
{
	return in_parent(c, do_unlink);
}

static int do_mknod(struct hostcall *c, int dir, const char *name)
{
	mode_t mode = (mode_t)c->arg[3];

	return mknodat(dir, name, (mode & S_IFMT) | (mode & MODE_KEPT), 0);
}

s64 hc_mknod(struct hostcall *c)
{
	u64 type = c->arg[3] & S_IFMT;

	if (type != S_IFREG && type != S_IFIFO && type != 0)
		return -EPERM;
	return in_parent(c, do_mknod);
}

static int do_symlink(struct hostcall *c, int dir, const char *name)
{
	u64 len = c->arg[4];
	char target[HC_PATH_MAX];

	if (len >= sizeof(target)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (!hc_copy_in(c, target, c->arg[3], len)) {
		errno = EFAULT;
		return -1;
	}
	target[len] = 0;
	return symlinkat(target, dir, name); /* ENOENT for an empty one */
}

s64 hc_symlink(struct hostcall *c)
{
	return in_parent(c, do_symlink);
}

/* Calls with two places: @fn gets both parents and names. Both roots must be writable. */
static s64 in_two_parents(struct hostcall *c,
			  int (*fn)(struct hostcall *c, int dir, const char *name, int dir2,
				    const char *name2))
{
	struct place p, q;
	const char *name, *name2;
	int r = place_get_writable(c, 0, &p), dir, dir2;

	if (r < 0)
		return r;
	r = place_get_writable(c, 3, &q);
	if (r < 0)
		goto put_first;
	r = dir = place_open_parent(&p, &name);
	if (dir < 0)
		goto put_both;
	r = dir2 = place_open_parent(&q, &name2);
	if (dir2 >= 0) {
		r = check_directory(dir2);
		if (r == 0)
			r = fn(c, dir, name, dir2, name2) < 0 ? -errno : 0;
		close(dir2);
	}
	close(dir);
put_both:
	place_put(c, &q);
put_first:
	place_put(c, &p);
	return r;
}

static int do_rename(struct hostcall *c, int dir, const char *name, int dir2, const char *name2)
{
	return renameat2(dir, name, dir2, name2, (unsigned int)c->arg[6]);
}

s64 hc_rename(struct hostcall *c)
{
	if (c->arg[6] & ~RENAME_KNOWN)
		return -EINVAL;
	return in_two_parents(c, do_rename);
}

static int do_link(struct hostcall *c, int dir, const char *name, int dir2, const char *name2)
{
	(void)c;
	return linkat(dir, name, dir2, name2, 0);
}

s64 hc_link(struct hostcall *c)
{
	return in_two_parents(c, do_link);
}

s64 hc_setattr_call(struct hostcall *c)
{
	struct hc_setattr attr;
	struct place p;
	int r, fd;

	if (!HC_COPY_IN(c, &attr, c->arg[3]))
		return -EFAULT;
	r = place_get_writable(c, 0, &p);
	if (r < 0)
		return r;
	r = fd = place_open(&p);
	if (fd >= 0) {
		r = hc_apply_attr(c->m, fd, &attr);
		close(fd);
	}
	place_put(c, &p);
	return r;
}

s64 hc_statfs_call(struct hostcall *c)
{
	struct hc_statfs *out = HC_OUT(c, c->arg[1], struct hc_statfs);
	struct handle *h =
		handle_get(&c->m->handles, c->arg[0], HANDLE_PATH | HANDLE_DIR | HANDLE_FILE);
	struct statfs st;
	int r = 0;

	if (h && out)
		r = fstatfs(h->fd, &st) < 0 ? -errno : 0;
	handle_put(&c->m->handles, h);
	if (!h || !out)
		return h ? -EFAULT : -EBADF;
	if (r == 0)
		*out = (struct hc_statfs){
			.type = (u64)st.f_type,
			.bsize = (u64)st.f_bsize,
			.blocks = st.f_blocks,
			.bfree = st.f_bfree,
			.bavail = st.f_bavail,
			.files = st.f_files,
			.ffree = st.f_ffree,
			.namelen = (u64)st.f_namelen,
			.flags = (u64)st.f_flags,
		};
	return r;
}
