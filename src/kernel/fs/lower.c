/* SPDX-License-Identifier: Apache-2.0 */
/* Host objects by (root handle, path). Hostcalls used here don't give the kernel lock away, so static buffers are safe. */
#include "kernel/fs/fnode.h"

#include "abi/linux/kdev.h"
#include "kernel/fs/internal.h"

#define LIST_BUFFER 32768u
/* Descriptors left to the monitor when it has fewer than we use: it needs some for each call. */
#define HOST_MARGIN 8u

static LIST_HEAD(open_lowers); /* youngest first */
static unsigned nr_open, open_max = LOWER_HANDLES_MAX;
static char path_buffer[2][HC_PATH_MAX + 1];

void lower_init_root(struct lower *l, u64 root)
{
	*l = (struct lower){ .present = true, .root = root };
	list_init(&l->lru);
}

int lower_init_child(struct lower *l, struct lower *parent, const char *name, size_t len)
{
	char *copy = kstrndup(name, len);

	if (!copy)
		return -ENOMEM;
	*l = (struct lower){
		.present = true, .root = parent->root, .parent = parent, .name = copy
	};
	list_init(&l->lru);
	return 0;
}

void lower_close(struct lower *l)
{
	if (!l->open)
		return;
	l->open = l->writable = false;
	list_del(&l->lru);
	nr_open--;
	hc(HC_CLOSE, l->handle);
}

void lower_done(struct lower *l)
{
	lower_close(l);
	kfree(l->name);
	*l = (struct lower){ 0 };
}

int lower_path(const struct lower *l, const char *child, size_t len, unsigned which,
	       const char **ret)
{
	char *buf = path_buffer[which], *end = buf + HC_PATH_MAX, *at = end;

	while (child || l->parent) {
		if (!child) {
			child = l->name;
			len = strlen(child);
			l = l->parent;
		}
		if ((size_t)(at - buf) < len + 1)
			return -ENAMETOOLONG;
		if (at != end)
			*--at = '/';
		at -= len;
		memcpy(at, child, len);
		child = NULL;
	}
	*ret = at;
	return (int)(end - at);
}

/*
 * After a hostcall failed with @error: the host has no descriptor left for us, but we can do with fewer. Returns true when it is
 * worth trying again.
 */
static bool lower_make_room(s64 error)
{
	if ((error != -EMFILE && error != -ENFILE) || !nr_open)
		return false;
	open_max = nr_open > 2 * HOST_MARGIN ? nr_open - HOST_MARGIN : nr_open / 2;
	open_max = MAX(open_max, 1u);
	while (nr_open >= open_max && nr_open)
		lower_close(list_last_entry(&open_lowers, struct lower, lru));
	return true;
}

/* HC_OPEN without HC_O_CREAT. Without descriptors on the host it is the system that has too many. */
static s64 host_open(u64 root, const char *path, int n, u64 flags)
{
	s64 h;

	do
		h = hc(HC_OPEN, root, path, n, flags, 0, 0);
	while (h < 0 && lower_make_room(h));
	return h == -EMFILE ? -ENFILE : h;
}

int lower_stat(struct lower *l, const char *child, size_t len, struct hc_stat *ret)
{
	const char *path;
	int n = lower_path(l, child, len, 0, &path);
	s64 r;

	if (n < 0)
		return n;
	do
		r = hc(HC_STAT, l->root, path, n, ret);
	while (r < 0 && lower_make_room(r));
	return (int)r;
}

int lower_open(struct lower *l, bool write)
{
	const char *path;
	s64 h;
	int n;

	if (l->open && (!write || l->writable)) {
		list_move(&l->lru, &open_lowers);
		return 0;
	}
	lower_close(l);
	n = lower_path(l, NULL, 0, 0, &path);
	if (n < 0)
		return n;
	h = host_open(l->root, path, n, write ? HC_O_READ | HC_O_WRITE : HC_O_READ);
	if (h == -EACCES && write)
		h = host_open(l->root, path, n, HC_O_WRITE);
	if (h < 0)
		return (int)h;
	if (nr_open >= open_max)
		lower_close(list_last_entry(&open_lowers, struct lower, lru));
	l->handle = (u64)h;
	l->open = true;
	l->writable = write;
	list_add(&l->lru, &open_lowers);
	nr_open++;
	return 0;
}

int lower_fstat(struct lower *l, struct hc_stat *ret)
{
	int r = lower_open(l, false);

	return r < 0 ? r : (int)hc(HC_FSTAT, l->handle, ret);
}

s64 lower_pread(struct lower *l, void *buf, size_t n, u64 off)
{
	size_t done = 0;
	int r = lower_open(l, false);

	if (r < 0)
		return r;
	while (done < n) {
		s64 got = hc(HC_PREAD, l->handle, (u8 *)buf + done,
			     MIN(n - done, (size_t)HC_IO_MAX), off + done);

		if (got < 0)
			return got;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (s64)done;
}

/* Reading ended early, at @end: the host's file has become shorter. Its times tell the rest later. */
static void lower_cut(struct lower *l, u64 end)
{
	struct hc_stat st;

	l->size = lower_fstat(l, &st) == 0 ? MIN(st.size, end) : end;
}

/*
 * Pages for the cache: what lies beyond the lower's data reads as zeros. @l->size is smaller afterwards when the host's
 * file is.
 */
int lower_fill(struct lower *l, u64 index, unsigned n, void *buf)
{
	u64 off = index << PAGE_SHIFT, len = (u64)n << PAGE_SHIFT, want = 0;
	s64 got = 0;

	if (l->present && off < l->size) {
		want = MIN(len, l->size - off);
		got = lower_pread(l, buf, want, off);
		if (got < 0)
			return (int)got;
		if ((u64)got < want)
			lower_cut(l, off + (u64)got);
	}
	memset((u8 *)buf + got, 0, len - (u64)got);
	return 0;
}

s64 lower_readlink(struct lower *l, char *buf, size_t n)
{
	const char *path;
	int len = lower_path(l, NULL, 0, 0, &path);

	return len < 0 ? len : hc(HC_READLINK, l->root, path, len, buf, n);
}

static int lower_list_buffer(const u8 *buf, size_t n,
			     int (*fn)(void *, const struct linux_dirent64 *), void *arg)
{
	for (size_t off = 0; off + offsetof(struct linux_dirent64, d_name) < n;) {
		const struct linux_dirent64 *e = (const void *)(buf + off);
		int r;

		if (e->d_reclen <= offsetof(struct linux_dirent64, d_name) || e->d_reclen > n - off)
			return -EIO;
		if (!str_equal(e->d_name, ".") && !str_equal(e->d_name, "..")) {
			r = fn(arg, e);
			if (r < 0)
				return r;
		}
		off += e->d_reclen;
	}
	return 0;
}

int lower_list(struct lower *l, int (*fn)(void *arg, const struct linux_dirent64 *e), void *arg)
{
	const char *path;
	int n = lower_path(l, NULL, 0, 0, &path), r = 0;
	u8 *buf = kmalloc(LIST_BUFFER);
	s64 h, got;

	if (!buf || n < 0) {
		kfree(buf);
		return n < 0 ? n : -ENOMEM;
	}
	h = host_open(l->root, path, n, HC_O_READ | HC_O_DIRECTORY);
	if (h < 0) {
		kfree(buf);
		return (int)h;
	}
	do {
		got = hc(HC_GETDENTS, h, buf, LIST_BUFFER);
		r = got > 0 ? lower_list_buffer(buf, (size_t)got, fn, arg) : (int)got;
	} while (r == 0 && got > 0);
	hc(HC_CLOSE, h);
	kfree(buf);
	return r;
}

static u64 host_dev(u64 dev)
{
	return kdev_make((u32)(dev >> 32), (u32)dev);
}

void lower_fill_inode(struct inode *i, const struct hc_stat *st)
{
	i->dev = host_dev(st->dev);
	i->ino = st->ino;
	i->rdev = host_dev(st->rdev);
	i->mode = st->mode;
	i->nlink = st->nlink;
	i->uid = st->uid;
	i->gid = st->gid;
	i->size = st->size;
	i->blocks = st->blocks;
	i->blksize = (u32)st->blksize;
	i->atime_s = st->atime_s, i->atime_ns = st->atime_ns;
	i->mtime_s = st->mtime_s, i->mtime_ns = st->mtime_ns;
	i->ctime_s = st->ctime_s, i->ctime_ns = st->ctime_ns;
	i->btime_s = st->btime_s, i->btime_ns = st->btime_ns;
}

bool lower_changed(const struct lower *l, const struct hc_stat *st)
{
	return l->host_size != st->size || l->mtime_s != st->mtime_s || l->mtime_ns != st->mtime_ns;
}

void lower_note(struct lower *l, const struct hc_stat *st)
{
	l->size = S_ISREG(st->mode) ? st->size : 0;
	l->host_size = st->size;
	l->mtime_s = st->mtime_s;
	l->mtime_ns = st->mtime_ns;
}

int lower_statfs(u64 root, struct linux_statfs *ret)
{
	struct hc_statfs s;
	s64 r = hc(HC_STATFS, root, &s);

	if (r < 0)
		return (int)r;
	*ret = (struct linux_statfs){
		.f_type = (s64)s.type,
		.f_bsize = (s64)s.bsize,
		.f_blocks = (s64)s.blocks,
		.f_bfree = (s64)s.bfree,
		.f_bavail = (s64)s.bavail,
		.f_files = (s64)s.files,
		.f_ffree = (s64)s.ffree,
		.f_namelen = (s64)s.namelen,
		.f_frsize = (s64)s.bsize,
		.f_flags = (s64)s.flags,
	};
	return 0;
}
