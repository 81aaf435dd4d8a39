/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptor tables. */
#include "kernel/fs/internal.h"

#include "abi/linux/resource.h"
#include "base/bitmap.h"
#include "base/nospec.h"

#define FDTABLE_FIRST 64u

static int fdtable_alloc_slots(struct fdtable *t, u32 size)
{
	struct file **files = kcalloc(size, sizeof(*files));
	u64 *used = kcalloc(BITMAP_WORDS(size), sizeof(u64)),
	    *cloexec = kcalloc(BITMAP_WORDS(size), sizeof(u64));

	if (!files || !used || !cloexec) {
		kfree(files);
		kfree(used);
		kfree(cloexec);
		return -ENOMEM;
	}
	if (t->size) {
		memcpy(files, t->files, t->size * sizeof(*files));
		memcpy(used, t->used, BITMAP_WORDS(t->size) * sizeof(u64));
		memcpy(cloexec, t->cloexec, BITMAP_WORDS(t->size) * sizeof(u64));
	}
	kfree(t->files);
	kfree(t->used);
	kfree(t->cloexec);
	t->files = files;
	t->used = used;
	t->cloexec = cloexec;
	t->size = size;
	return 0;
}

static struct fdtable *fdtable_new_sized(u32 size)
{
	struct fdtable *t = kzalloc(sizeof(*t));

	if (!t)
		return NULL;
	t->refs = 1;
	if (fdtable_alloc_slots(t, size) < 0) {
		kfree(t);
		return NULL;
	}
	return t;
}

struct fdtable *fdtable_new(void)
{
	return fdtable_new_sized(FDTABLE_FIRST);
}

struct fdtable *fdtable_ref(struct fdtable *t)
{
	t->refs++;
	return t;
}

void fdtable_unref(struct fdtable *t)
{
	if (!t || --t->refs)
		return;
	for (u32 fd = 0; fd < t->size; fd++) {
		struct file *f = t->files[fd];

		if (!f)
			continue;
		t->files[fd] = NULL;
		file_close(f, t);
	}
	kfree(t->files);
	kfree(t->used);
	kfree(t->cloexec);
	kfree(t);
}

int fdtable_dup(struct fdtable *old, struct fdtable **ret)
{
	struct fdtable *t = fdtable_new_sized(old->size);

	if (!t)
		return -ENOMEM;
	for (u32 fd = 0; fd < old->size; fd++) {
		if (!old->files[fd])
			continue; /* free, or reserved by another thread's open */
		t->files[fd] = file_ref(old->files[fd]);
		bitmap_set(t->used, fd);
		bitmap_assign(t->cloexec, fd, bitmap_test(old->cloexec, fd));
	}
	t->next_fd = 0;
	*ret = t;
	return 0;
}

static struct file *fdtable_take(struct fdtable *t, u32 fd)
{
	struct file *f = t->files[fd];

	t->files[fd] = NULL;
	bitmap_clear(t->used, fd);
	bitmap_clear(t->cloexec, fd);
	t->next_fd = MIN(t->next_fd, fd);
	return f;
}

int fdtable_unshare(struct fdtable **slot)
{
	struct fdtable *own;
	int r;

	if ((*slot)->refs == 1)
		return 0;
	r = fdtable_dup(*slot, &own);
	if (r < 0)
		return r;
	fdtable_unref(*slot);
	*slot = own;
	return 0;
}

void fdtable_close_on_exec(struct fdtable *t)
{
	size_t fd;

	for (fd = bitmap_find_next_set(t->cloexec, t->size, 0); fd < t->size;
	     fd = bitmap_find_next_set(t->cloexec, t->size, fd + 1))
		if (t->files[fd])
			file_close(fdtable_take(t, (u32)fd), t);
}

static u32 fd_limit(void)
{
	u64 limit = task_rlimit(current, RLIMIT_NOFILE);

	return limit < FDTABLE_MAX ? (u32)limit : FDTABLE_MAX;
}

int fdtable_ensure(struct fdtable *t, u32 fd)
{
	u32 size = t->size;

	while (size <= fd)
		size *= 2;
	return size == t->size ? 0 : fdtable_alloc_slots(t, MIN(size, FDTABLE_MAX));
}

int fd_reserve(u32 from)
{
	struct fdtable *t = current->files;
	u32 limit = fd_limit(), start = MAX(from, t->next_fd);
	size_t fd = start < t->size ? bitmap_find_next_zero(t->used, t->size, start) : start;

	if (fd >= limit)
		return -EMFILE;
	if (fdtable_ensure(t, (u32)fd) < 0)
		return -ENOMEM;
	bitmap_set(t->used, fd);
	bitmap_clear(t->cloexec, fd);
	if (start == t->next_fd)
		t->next_fd = (u32)fd + 1;
	return (int)fd;
}

void fd_set_reserved(int fd, struct file *f, bool cloexec)
{
	struct fdtable *t = current->files;

	t->files[fd] = f;
	bitmap_assign(t->cloexec, (size_t)fd, cloexec);
}

void fd_release_reserved(int fd)
{
	fdtable_take(current->files, (u32)fd);
}

int fd_install(struct file *f, u32 fd_flags, u32 from)
{
	int fd = fd_reserve(from);

	if (fd >= 0)
		fd_set_reserved(fd, f, fd_flags & O_CLOEXEC);
	return fd;
}

struct file *fd_get_from(struct fdtable *t, int fd)
{
	u64 i = (u32)fd;

	if (fd < 0 || i >= t->size)
		return NULL;
	i = array_index_nospec(i, t->size);
	return t->files[i] ? file_ref(t->files[i]) : NULL;
}

struct file *fd_get(int fd)
{
	return current->files ? fd_get_from(current->files, fd) : NULL;
}

__hot int fd_get_io(int fd, struct file **ret)
{
	struct file *f = fd_get(fd);

	if (!f)
		return -EBADF;
	if (f->flags & O_PATH) {
		file_unref(f);
		return -EBADF;
	}
	*ret = f;
	return 0;
}

int fd_close(int fd)
{
	struct fdtable *t = current->files;

	if (fd < 0 || (u32)fd >= t->size)
		return -EBADF;
	fd = (int)array_index_nospec((u32)fd, t->size);
	return t->files[fd] ? file_close(fdtable_take(t, (u32)fd), t) : -EBADF;
}
