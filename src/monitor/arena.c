/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/checked.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010u
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

int error_set(struct rf_error *err, int code, const char *format, ...)
{
	va_list args;
	int n;

	if (!err)
		return code;
	err->code = code;
	va_start(args, format);
	n = vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	if (code < 0 && n > 0 && (size_t)n < sizeof(err->text))
		snprintf(err->text + n, sizeof(err->text) - (size_t)n, ": %s", strerror(-code));
	return code;
}

/* Kernels that may forbid executable memory files (vm.memfd_noexec) want to be told; older ones know no flag. */
static int arena_open_file(void)
{
	unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int fd = memfd_create("ringfence-arena", flags | MFD_EXEC);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("ringfence-arena", flags);
	return fd < 0 ? -errno : fd;
}

static int arena_map(struct arena *a, bool huge)
{
	void *want = (void *)RF_ARENA_BASE;
	void *p = mmap(want, a->size, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_NORESERVE | MAP_FIXED_NOREPLACE, a->fd, 0);

	if (p == MAP_FAILED)
		return -errno;
	if (p != want) { /* a kernel before 4.17 takes the address as a hint */
		munmap(p, a->size);
		return -EEXIST;
	}
	a->base = p;
	madvise(p, a->size, MADV_DONTFORK);
	madvise(p, a->size, MADV_DONTDUMP);
	if (huge)
		madvise(p, a->size, MADV_HUGEPAGE);
	return 0;
}

int arena_init(struct arena *a, u64 size, bool huge, struct rf_error *err)
{
	int r;

	*a = (struct arena){ .fd = -1, .size = size };
	if (!size || size > RF_ARENA_MAX || size % PAGE_SIZE)
		return error_set(err, -EINVAL, "the arena cannot have %lu bytes", size);
	a->fd = arena_open_file();
	if (a->fd < 0)
		return error_set(err, a->fd, "cannot make a memory file");
	if (ftruncate(a->fd, (off_t)size) < 0) {
		r = error_set(err, -errno, "cannot size the memory file to %lu bytes", size);
		goto out;
	}
	if (fcntl(a->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0) {
		r = error_set(err, -errno, "cannot seal the memory file");
		goto out;
	}
	r = arena_map(a, huge);
	if (r < 0)
		error_set(err, r, "cannot map %lu bytes of memory at %#lx", size, RF_ARENA_BASE);
out:
	if (r < 0)
		arena_done(a);
	return r;
}

void arena_done(struct arena *a)
{
	if (a->base)
		munmap(a->base, a->size);
	if (a->fd >= 0)
		close(a->fd);
	*a = (struct arena){ .fd = -1 };
}

bool arena_range_ok(const struct arena *a, u64 addr, u64 len, u64 from)
{
	u64 offset = addr - RF_ARENA_BASE;

	return addr >= RF_ARENA_BASE && offset >= from && range_within(offset, len, a->size);
}

int arena_discard(struct arena *a, u64 offset, u64 len)
{
	if (fallocate(a->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset,
		      (off_t)len) < 0)
		return -errno;
	return 0;
}

int arena_populate(struct arena *a, u64 offset, u64 len)
{
	if (madvise(a->base + offset, len, MADV_POPULATE_WRITE) == 0)
		return 0;
	if (errno != EINVAL)
		return -errno;
	return fallocate(a->fd, FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)len) < 0 ? -errno : 0;
}
