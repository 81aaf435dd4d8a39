/* SPDX-License-Identifier: Apache-2.0 */
/* User memory of the current task: the platform's fast copy, and mm_fault() where it stops. */
#include "kernel/mm/uaccess.h"

#include "abi/linux/limits.h"
#include "kernel/mm/internal.h"
#include "kernel/proc/task.h"

#define STRING_CHUNK 256u
#define STALLS_MAX \
	64u /* faults in a row that resolve without letting a byte through: memory is thrashing */

__hot bool user_range_ok(uptr_t addr, size_t n)
{
	return addr <= RF_MAX_USER_ADDRESS && n <= RF_MAX_USER_ADDRESS - addr;
}

enum copy_kind { COPY_IN, COPY_OUT, COPY_ZERO };

static __hot size_t copy_fast(struct mm *mm, enum copy_kind kind, u8 *buf, uptr_t user, size_t n)
{
	switch (kind) {
	case COPY_IN:
		return kplat->copy_in(&mm->as, buf, user, n);
	case COPY_OUT:
		return kplat->copy_out(&mm->as, user, buf, n);
	default:
		return kplat->zero_out(&mm->as, user, n);
	}
}

/* Bytes done. */
static size_t copy_loop(enum copy_kind kind, u8 *buf, uptr_t user, size_t n)
{
	struct mm *mm = current->mm;
	size_t done = 0;
	unsigned stalls = 0;

	if (!mm || !user_range_ok(user, n))
		return 0;
	while (done < n) {
		size_t got = copy_fast(mm, kind, buf + done, user + done, n - done);

		done += got;
		if (done == n)
			break;
		stalls = got ? 0 : stalls + 1;
		if (stalls > STALLS_MAX ||
		    mm_fault(mm, user + done, kind == COPY_IN ? RF_READ : RF_WRITE) < 0)
			break;
	}
	return done;
}

__hot size_t copy_from_user_partial(void *dst, uptr_t src, size_t n)
{
	return copy_loop(COPY_IN, dst, src, n);
}

__hot size_t copy_to_user_partial(uptr_t dst, const void *src, size_t n)
{
	return copy_loop(COPY_OUT, (u8 *)(uintptr_t)src, dst, n);
}

int copy_from_user(void *dst, uptr_t src, size_t n)
{
	return copy_from_user_partial(dst, src, n) == n ? 0 : -EFAULT;
}

int copy_to_user(uptr_t dst, const void *src, size_t n)
{
	return copy_to_user_partial(dst, src, n) == n ? 0 : -EFAULT;
}

int clear_user(uptr_t dst, size_t n)
{
	return copy_loop(COPY_ZERO, NULL, dst, n) == n ? 0 : -EFAULT;
}

s64 strncpy_from_user(char *dst, uptr_t src, size_t size)
{
	size_t done = 0;

	while (done < size) {
		size_t n = MIN(size - done, PAGE_SIZE - ((src + done) & PAGE_MASK));
		const char *nul;

		n = MIN(n, (size_t)STRING_CHUNK);
		if (copy_from_user(dst + done, src + done, n) < 0)
			return -EFAULT;
		nul = memchr(dst + done, 0, n);
		if (nul)
			return nul - dst;
		done += n;
	}
	return -ENAMETOOLONG;
}

int path_from_user(char **ret, uptr_t src)
{
	char head[STRING_CHUNK], *path;
	s64 n = strncpy_from_user(head, src, sizeof(head));

	if (n < 0 && n != -ENAMETOOLONG)
		return (int)n;
	path = kmalloc(n < 0 ? PATH_MAX : (size_t)n + 1);
	if (!path)
		return -ENOMEM;
	if (n >= 0) {
		memcpy(path, head, (size_t)n + 1);
	} else {
		n = strncpy_from_user(path, src, PATH_MAX);
		if (n < 0) {
			kfree(path);
			return (int)n;
		}
	}
	*ret = path;
	return 0;
}

int get_user_u32(u32 *ret, uptr_t src)
{
	return copy_from_user(ret, src, sizeof(*ret));
}

int get_user_u64(u64 *ret, uptr_t src)
{
	return copy_from_user(ret, src, sizeof(*ret));
}

int put_user_u32(uptr_t dst, u32 v)
{
	return copy_to_user(dst, &v, sizeof(v));
}

int put_user_u64(uptr_t dst, u64 v)
{
	return copy_to_user(dst, &v, sizeof(v));
}

int user_cmpxchg_u32(uptr_t addr, u32 old, u32 new, u32 *ret_old)
{
	struct mm *mm = current->mm;
	unsigned stalls = 0;

	if (!mm || !user_range_ok(addr, sizeof(u32)) || (addr & 3))
		return -EFAULT;
	while (kplat->cas_u32(&mm->as, addr, old, new, ret_old) < 0)
		if (++stalls > STALLS_MAX || mm_fault(mm, addr, RF_READ | RF_WRITE) < 0)
			return -EFAULT;
	return 0;
}

/* ---- another process's memory ---- */

static u8 *page_for_access(struct mm *mm, uptr_t va, u32 access)
{
	for (unsigned tries = 0; tries < STALLS_MAX; tries++) {
		uptr_t at;
		u64 off;
		u32 prot;

		if (kplat->as_next(&mm->as, va, va + PAGE_SIZE, &at, &off, &prot) &&
		    (prot & access) == access)
			return (u8 *)(RF_ARENA_BASE + off);
		if (mm_fault(mm, va, access) < 0)
			return NULL;
	}
	return NULL;
}

static s64 mm_access(struct mm *mm, uptr_t user, u8 *buf, size_t n, u32 access)
{
	size_t done = 0;

	if (!user_range_ok(user, n))
		return -EFAULT;
	while (done < n) {
		size_t off = (user + done) & PAGE_MASK, run = MIN(PAGE_SIZE - off, n - done);
		u8 *page = page_for_access(mm, user + done - off, access);

		if (!page)
			break;
		if (access & RF_WRITE)
			memcpy(page + off, buf + done, run);
		else
			memcpy(buf + done, page + off, run);
		done += run;
	}
	return done || !n ? (s64)done : -EFAULT;
}

s64 mm_read(struct mm *mm, uptr_t src, void *dst, size_t n)
{
	return mm_access(mm, src, dst, n, RF_READ);
}

s64 mm_write(struct mm *mm, uptr_t dst, const void *src, size_t n)
{
	return mm_access(mm, dst, (u8 *)(uintptr_t)src, n, RF_WRITE);
}
