/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The monitor's mounts. A file system in memory, the base, is put over the root directory:
 *
 *	/empty		what the monitor's root directory will be
 *	/void		an empty file
 *	/fd		/proc/self/fd
 *	/views/0 …	host directories and files
 *
 * Views are copies of the host's mount trees, made first, so that they do not contain the base. Absolute paths still start at
 * the host's root, below the base, until cage_enter_root() makes the base the root and unmounts everything else. A view's ".." ends
 * in the base.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cage/cage.h"
#include "platform/platform.h"

#define INERT    (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)
#define HOSTNAME "ringfence"

/*
 * A host path, in this mount namespace. Only directories and regular files can be views. What is hidden in it was found by this
 * path, so nobody may have put a symbolic link into it since.
 */
static int view_open(struct cage_view *v, struct rf_error *err)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS };
	struct stat st;
	int fd = (int)syscall(SYS_openat2, AT_FDCWD, v->path, &how, sizeof(how));

	if (fd < 0)
		return rf_error_set(err, -errno, "cannot open %s: %s", v->path, strerror(errno));
	if (fstat(fd, &st) < 0 || (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))) {
		close(fd);
		return rf_error_set(
			err, -EINVAL,
			"cannot bind %s: only directories and regular files can be bound", v->path);
	}
	v->is_file = S_ISREG(st.st_mode);
	return fd;
}

static int set_attributes(int tree, u64 attributes, unsigned int flags)
{
	struct mount_attr attr = { .attr_set = attributes };

	return mount_setattr(tree, "", AT_EMPTY_PATH | flags, &attr, sizeof(attr)) < 0 ? -errno : 0;
}

/* A copy of the mounts at and below @dir/@path, not attached anywhere. */
static int copy_tree(int dir, const char *path, unsigned int flags)
{
	int fd = open_tree(dir, path,
			   OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
				   (*path ? flags : flags | AT_EMPTY_PATH));

	return fd < 0 ? -errno : fd;
}

static int view_copy(struct cage_view *v, struct rf_error *err)
{
	int fd = view_open(v, err), r;

	if (fd < 0)
		return fd;
	v->fd = r = copy_tree(fd, "", AT_RECURSIVE);
	close(fd);
	if (r < 0)
		return rf_error_set(err, r, "cannot copy the mounts of %s: %s", v->path,
				    strerror(-r));
	r = set_attributes(v->fd, INERT | (v->writable ? 0 : MOUNT_ATTR_RDONLY), AT_RECURSIVE);
	if (r < 0)
		return rf_error_set(err, r, "cannot make the mounts of %s %s: %s", v->path,
				    v->writable ? "inert" : "read-only", strerror(-r));
	return 0;
}

/* ---- the base ---- */

static int make_file(int dir, const char *name)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int make_dir(int dir, const char *name)
{
	return mkdirat(dir, name, 0555) < 0 ? -errno : 0;
}

/* The file system, with nothing in it. */
static int base_make(void)
{
	int fs = fsopen("tmpfs", FSOPEN_CLOEXEC), fd = -1, r;

	if (fs < 0)
		return -errno;
	if (fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0755", 0) == 0 &&
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		fd = fsmount(fs, FSMOUNT_CLOEXEC, INERT);
	r = fd < 0 ? -errno : fd;
	close(fs);
	return r;
}

static void view_name(char name[32], size_t n)
{
	snprintf(name, 32, "views/%zu", n);
}

static int base_fill(int base, const struct cage_view *views, size_t count)
{
	char name[32];
	int r = make_dir(base, "empty");

	if (r == 0)
		r = make_file(base, "void");
	if (r == 0)
		r = make_dir(base, "fd");
	if (r == 0)
		r = mkdirat(base, "views", 0755) < 0 ? -errno : 0;
	for (size_t i = 0; i < count && r == 0; i++) {
		view_name(name, i);
		r = views[i].is_file ? make_file(base, name) : make_dir(base, name);
	}
	return r < 0 ? r : set_attributes(base, MOUNT_ATTR_RDONLY, 0);
}

static int attach(int tree, int dir, const char *path)
{
	int flags = MOVE_MOUNT_F_EMPTY_PATH | (*path ? 0 : MOVE_MOUNT_T_EMPTY_PATH);

	return move_mount(tree, "", dir, path, (unsigned int)flags) < 0 ? -errno : 0;
}

static int base_attach_views(int base, const struct cage_view *views, size_t count)
{
	char name[32];
	int r = attach(base, AT_FDCWD, "/");

	for (size_t i = 0; i < count && r == 0; i++) {
		view_name(name, i);
		r = attach(views[i].fd, base, name);
	}
	return r;
}

/* Alone: with a handle of /proc/self/fd in the host's own mount, ".." would be the host's processes. */
static int base_attach_proc(struct cage *c)
{
	int fd = copy_tree(AT_FDCWD, "/proc/self/fd", 0), r;

	if (fd < 0)
		return fd;
	c->proc = fd;
	r = set_attributes(fd, INERT | MOUNT_ATTR_RDONLY, 0);
	return r < 0 ? r : attach(fd, c->base, "fd");
}

/* ---- hidden paths ---- */

/* O_PATH of what is to be covered. Symlinks are followed, but not out of the view. */
static int open_hidden(const struct cage_view *v, const char *below)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_NO_MAGICLINKS |
			   (strcmp(v->path, "/") == 0 ? RESOLVE_IN_ROOT : RESOLVE_BENEATH),
	};
	long fd;

	for (int tries = 0; tries < 16; tries++) {
		fd = syscall(SYS_openat2, v->fd, below, &how, sizeof(how));
		if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
			break;
	}
	return fd < 0 ? -errno : (int)fd;
}

static int cover_with(int base, int at)
{
	struct stat st;
	int fd, r;

	if (fstat(at, &st) < 0)
		return -errno;
	fd = copy_tree(base, S_ISDIR(st.st_mode) ? "empty" : "void", 0);
	if (fd < 0)
		return fd;
	r = attach(fd, at, "");
	close(fd);
	return r;
}

/* The part of @path below @dir; NULL: it is not strictly below. */
static const char *path_below(const char *dir, const char *path)
{
	size_t len = strlen(dir);

	while (len && dir[len - 1] == '/')
		len--;
	if (strncmp(path, dir, len) != 0 || path[len] != '/')
		return NULL;
	path += len + strspn(path + len, "/");
	return *path ? path : NULL;
}

/* What is not there, or behind a directory that the caller may not search, is out of the monitor's reach without a cover. */
static bool out_of_reach(int error)
{
	return error == -ENOENT || error == -ENOTDIR || error == -EACCES;
}

static int view_cover(const struct cage *c, const struct cage_view *v, struct rf_error *err)
{
	for (size_t i = 0; i < v->hidden_count; i++) {
		const char *below = path_below(v->path, v->hidden[i]);
		int fd = below ? open_hidden(v, below) : -EINVAL, r;

		if (below && out_of_reach(fd))
			continue;
		r = fd < 0 ? fd : cover_with(c->base, fd);
		if (fd >= 0)
			close(fd);
		if (r < 0)
			return rf_error_set(err, r, "cannot hide %s in the view of %s: %s",
					    v->hidden[i], v->path, strerror(-r));
	}
	return 0;
}

/* ---- all of it ---- */

/* Without mounts of our own: the host's. */
static int open_plainly(struct cage *c, struct cage_view *views, size_t count, struct rf_error *err)
{
	for (size_t i = 0; i < count; i++) {
		views[i].fd = view_open(&views[i], err);
		if (views[i].fd < 0)
			return views[i].fd;
	}
	c->proc = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (c->proc < 0)
		return rf_error_set(err, -errno,
				    "cannot open /proc/self/fd (is /proc mounted?): %s",
				    strerror(errno));
	return 0;
}

static int build(struct cage *c, struct cage_view *views, size_t count, struct rf_error *err)
{
	int r;

	/* Nothing of ours goes out, and nothing that the host mounts later comes in without our attributes. */
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return rf_error_set(err, -errno, "cannot make mounts private: %s", strerror(errno));
	for (size_t i = 0; i < count; i++) {
		r = view_copy(&views[i], err);
		if (r < 0)
			return r;
	}
	r = c->base = base_make();
	if (r >= 0)
		r = base_fill(c->base, views, count);
	if (r == 0)
		r = base_attach_views(c->base, views, count);
	if (r < 0)
		return rf_error_set(err, r, "cannot build the monitor's mounts: %s", strerror(-r));
	r = base_attach_proc(c);
	if (r < 0)
		return rf_error_set(err, r, "cannot bind /proc/self/fd (is /proc mounted?): %s",
				    strerror(-r));
	for (size_t i = 0; i < count; i++) {
		r = view_cover(c, &views[i], err);
		if (r < 0)
			return r;
	}
	return 0;
}

static void close_views(struct cage *c, struct cage_view *views, size_t count)
{
	int *fds[] = { &c->base, &c->proc };

	for (size_t i = 0; i < count; i++) {
		if (views[i].fd >= 0)
			close(views[i].fd);
		views[i].fd = -1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
}

/* Wrong paths are reported as such, whatever else is wrong. */
static int check_paths(struct cage_view *views, size_t count, struct rf_error *err)
{
	for (size_t i = 0; i < count; i++) {
		int fd = view_open(&views[i], err);

		if (fd < 0)
			return fd;
		close(fd);
	}
	return 0;
}

int cage_views(struct cage *c, struct cage_view *views, size_t count, struct rf_error *err)
{
	struct rf_error why = { 0 };
	int r = check_paths(views, count, err);

	for (size_t i = 0; i < count; i++)
		views[i].fd = -1;
	if (r < 0 || !cage_has(c, CAGE_MOUNT))
		return r < 0 ? r : open_plainly(c, views, count, err);
	r = build(c, views, count, &why);
	if (r == 0) {
		cage_stands(c, CAGE_VIEWS);
		return 0;
	}
	close_views(c, views, count);
	r = cage_missing(c, CAGE_VIEWS, r, why.text, err);
	return r < 0 ? r : open_plainly(c, views, count, err);
}

/*
 * The base becomes the root of this mount namespace and what was there goes away. On an initramfs, which pivot_root(2) does not
 * move, it stays below the base, where no path leads.
 */
static int change_root(int base)
{
	if (fchdir(base) < 0)
		return -errno;
	if (syscall(SYS_pivot_root, ".", ".") == 0)
		return umount2(".", MNT_DETACH) < 0 ? -errno : 0;
	return errno != EINVAL || chroot(".") < 0 ? -errno : 0;
}

int cage_enter_root(struct cage *c, struct rf_error *err)
{
	int r;

	if (cage_has(c, CAGE_UTS) && sethostname(HOSTNAME, strlen(HOSTNAME)) < 0)
		return cage_missing(c, CAGE_UTS, -errno, "sethostname", err);
	if (c->base < 0)
		return cage_missing(c, CAGE_ROOT, -EPERM, "no views", err);
	r = change_root(c->base);
	if (r == 0)
		r = chroot("empty") < 0 || chdir("/") < 0 ? -errno : 0;
	close(c->base);
	c->base = -1;
	if (r < 0)
		return cage_missing(c, CAGE_ROOT, r, "pivot_root and chroot", err);
	cage_stands(c, CAGE_ROOT);
	return 0;
}
