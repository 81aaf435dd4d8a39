/* SPDX-License-Identifier: Apache-2.0 */
/* System calls on the address space: mmap(2) and its family. madvise(2) and what asks about pages: sys_mm_advise.c. */
#include "kernel/sys/syscall.h"

#include "abi/linux/capability.h"
#include "abi/linux/fcntl.h"
#include "abi/linux/mman.h"
#include "abi/linux/resource.h"
#include "kernel/mm/internal.h"
#include "kernel/mm/map.h"
#include "kernel/proc/task.h"

#define MAP_KNOWN                                                                                \
	(MAP_SHARED | MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_DENYWRITE | MAP_EXECUTABLE | \
	 MAP_UNINITIALIZED | MAP_GROWSDOWN | MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE |         \
	 MAP_NONBLOCK | MAP_STACK | MAP_HUGETLB | MAP_32BIT | MAP_FIXED_NOREPLACE)

/* Page-aligned range of a call: the end rounded up. -EINVAL for an odd address or a wrap. */
static int page_range(uptr_t addr, u64 len, uptr_t *ret_end)
{
	u64 size = ALIGN_UP(len, PAGE_SIZE);

	if ((addr & PAGE_MASK) || (len && !size) || addr + size < addr)
		return -EINVAL;
	*ret_end = addr + size;
	return 0;
}

/* ---- mmap ---- */

static int check_file_mapping(const struct file *f, u32 prot, u32 flags)
{
	u32 type = flags & MAP_TYPE;

	if (type == MAP_SHARED_VALIDATE && (flags & ~(u32)MAP_KNOWN & ~(u32)MAP_TYPE))
		return -EOPNOTSUPP;
	if (type != MAP_PRIVATE && type != MAP_SHARED && type != MAP_SHARED_VALIDATE)
		return -EINVAL;
	if (type != MAP_PRIVATE && (prot & PROT_WRITE) && !FMODE_WRITE(f))
		return -EACCES;
	if (!FMODE_READ(f))
		return -EACCES;
	if ((prot & PROT_EXEC) && file_noexec(f))
		return -EPERM;
	if (!f->ops->fault_page && !f->ops->mmap)
		return -ENODEV;
	return flags & MAP_GROWSDOWN ? -EINVAL : 0;
}

static s64 map_file(u64 addr, u64 len, u32 prot, u32 flags, int fd, u64 off)
{
	struct file *f = fd_get(fd);
	s64 r;

	if (!f)
		return -EBADF;
	r = f->flags & O_PATH ? -EBADF : 0;
	if (r == 0 && (flags & MAP_HUGETLB))
		r = -EINVAL;
	if (r == 0)
		r = check_file_mapping(f, prot, flags);
	if (r == 0)
		r = mm_map(current->mm, addr, len, prot, flags, f, off, 0);
	file_unref(f);
	return r;
}

static s64 map_anonymous(u64 addr, u64 len, u32 prot, u32 flags)
{
	u32 type = flags & MAP_TYPE;
	struct file *f;
	u64 total, avail;
	s64 r;

	if (flags & MAP_HUGETLB)
		return -ENOMEM; /* a pool of no huge pages */
	if (type == MAP_PRIVATE)
		return mm_map(current->mm, addr, len, prot, flags, NULL, 0, 0);
	if (type != MAP_SHARED || (flags & MAP_GROWSDOWN))
		return -EINVAL;
	page_stats(&total, &avail);
	if (!(flags & MAP_NORESERVE) && len >> PAGE_SHIFT > total)
		return -ENOMEM;
	r = memfs_new_file("zero", ALIGN_UP(len, PAGE_SIZE), O_RDWR, &f);
	if (r < 0)
		return r;
	r = mm_map(current->mm, addr, len, prot, flags, f, 0, 0);
	file_unref(f);
	return r;
}

static int check_locked(u32 flags, u64 len)
{
	u64 limit = current_rlimit(RLIMIT_MEMLOCK);

	if (!(flags & MAP_LOCKED) || cred_capable(current->cred, CAP_IPC_LOCK))
		return 0;
	if (!limit)
		return -EPERM;
	return current->mm->locked_pages + (len >> PAGE_SHIFT) > limit >> PAGE_SHIFT ? -EAGAIN : 0;
}

sysret_t sys_mmap(const struct sysargs *a)
{
	u64 addr = arg_u64(a, 0), len = arg_u64(a, 1), off = arg_u64(a, 5);
	/* mmap ignores protection bits it doesn't know; mprotect doesn't. */
	u32 prot = arg_u32(a, 2) & (PROT_READ | PROT_WRITE | PROT_EXEC), flags = arg_u32(a, 3);
	s64 r;

	if (off & PAGE_MASK || !len)
		return -EINVAL;
	if (!ALIGN_UP(len, PAGE_SIZE) || len > RF_MAX_USER_ADDRESS)
		return -ENOMEM;
	if ((off >> PAGE_SHIFT) + (ALIGN_UP(len, PAGE_SIZE) >> PAGE_SHIFT) > ~0ull >> PAGE_SHIFT)
		return -EOVERFLOW;
	r = check_locked(flags, len);
	if (r < 0)
		return r;
	if (flags & MAP_ANONYMOUS)
		r = map_anonymous(addr, len, prot, flags);
	else
		r = map_file(addr, len, prot, flags, arg_int(a, 4), off);
	/* A failure to bring pages in now is none of mmap's: mmap(2), MAP_POPULATE. */
	if (r > 0 &&
	    ((flags & (MAP_POPULATE | MAP_NONBLOCK)) == MAP_POPULATE || (flags & MAP_LOCKED)) &&
	    prot)
		(void)mm_populate(current->mm, (uptr_t)r, (uptr_t)r + ALIGN_UP(len, PAGE_SIZE),
				  (flags & MAP_TYPE) == MAP_PRIVATE && (prot & PROT_WRITE)
					  ? RF_WRITE
					  : RF_READ);
	return r;
}

sysret_t sys_munmap(const struct sysargs *a)
{
	uptr_t addr = arg_ptr(a, 0), end;

	if (page_range(addr, arg_u64(a, 1), &end) < 0 || addr == end || end > RF_MAX_USER_ADDRESS)
		return -EINVAL;
	return mm_unmap(current->mm, addr, end - addr);
}

static int protect(uptr_t addr, u64 len, u32 prot)
{
	u32 known = PROT_READ | PROT_WRITE | PROT_EXEC | PROT_SEM,
	    grows = prot & (PROT_GROWSDOWN | PROT_GROWSUP);
	uptr_t end;
	struct vma *v;

	prot &= ~(u32)(PROT_GROWSDOWN | PROT_GROWSUP);
	if (grows == (PROT_GROWSDOWN | PROT_GROWSUP) || (addr & PAGE_MASK))
		return -EINVAL;
	if (!len)
		return 0;
	if (page_range(addr, len, &end) < 0 || end > RF_MAX_USER_ADDRESS)
		return -ENOMEM;
	if (prot & ~known)
		return -EINVAL;
	if (grows) {
		v = mm_find_vma(current->mm, addr);
		if (!v || v->start >= end)
			return -ENOMEM;
		if (grows == PROT_GROWSUP || !(v->flags & VMA_F_GROWSDOWN))
			return -EINVAL;
		addr = v->start;
	}
	return mm_protect(current->mm, addr, end - addr, prot & VMA_F_ACCESS);
}

sysret_t sys_mprotect(const struct sysargs *a)
{
	return protect(arg_ptr(a, 0), arg_u64(a, 1), arg_u32(a, 2));
}

sysret_t sys_pkey_mprotect(const struct sysargs *a)
{
	/* Without protection keys only the default key -1 exists: pkey_mprotect(2). */
	return arg_int(a, 3) == -1 ? protect(arg_ptr(a, 0), arg_u64(a, 1), arg_u32(a, 2)) : -EINVAL;
}

sysret_t sys_pkey_alloc(const struct sysargs *a)
{
	return a->v[0] || (a->v[1] & ~(u64)PKEY_ACCESS_MASK) ? -EINVAL : -ENOSPC;
}

sysret_t sys_pkey_free(const struct sysargs *a)
{
	(void)a;
	return -EINVAL;
}

sysret_t sys_brk(const struct sysargs *a)
{
	return (sysret_t)mm_brk(current->mm, arg_ptr(a, 0));
}

sysret_t sys_mremap(const struct sysargs *a)
{
	uptr_t addr = arg_ptr(a, 0);
	u64 old_len = ALIGN_UP(arg_u64(a, 1), PAGE_SIZE),
	    new_len = ALIGN_UP(arg_u64(a, 2), PAGE_SIZE);
	u32 flags = arg_u32(a, 3);

	if (flags & ~(u32)(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP))
		return -EINVAL;
	if ((flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) && !(flags & MREMAP_MAYMOVE))
		return -EINVAL;
	if ((flags & MREMAP_DONTUNMAP) && old_len != new_len)
		return -EINVAL;
	if ((addr & PAGE_MASK) || !new_len)
		return -EINVAL;
	return mm_remap(current->mm, addr, old_len, new_len, flags, arg_ptr(a, 4));
}

/* ---- mlock: accounting, and pages brought in; nothing is ever swapped ---- */

static int may_lock(u64 pages)
{
	u64 limit = current_rlimit(RLIMIT_MEMLOCK);

	if (cred_capable(current->cred, CAP_IPC_LOCK))
		return 0;
	if (!limit)
		return -EPERM;
	return current->mm->locked_pages + pages > limit >> PAGE_SHIFT ? -ENOMEM : 0;
}

/* Sets or clears VMA_F_LOCKED on [addr, end); -ENOMEM at a hole. */
static int set_locked(struct mm *mm, uptr_t addr, uptr_t end, bool lock)
{
	while (addr < end) {
		struct vma *v = mm_find_vma(mm, addr);
		int r;

		if (!v || v->start > addr)
			return -ENOMEM;
		r = mm_split_at(mm, addr);
		if (r == 0)
			r = mm_split_at(mm, end);
		if (r < 0)
			return r;
		v = mm_find_vma(mm, addr);
		addr = v->end;
		vma_set_flags(v, lock ? v->flags | VMA_F_LOCKED : v->flags & ~VMA_F_LOCKED);
		vma_merge(v);
	}
	return 0;
}

static void populate_locked(struct mm *mm, uptr_t addr, uptr_t end)
{
	uptr_t at = addr;
	struct vma *v;

	while (at < end && (v = mm_find_vma(mm, at)) && v->start < end) {
		uptr_t from = MAX(at, v->start), to = MIN(end, v->end);
		u32 access = (v->flags & (VMA_F_WRITE | VMA_F_SHARED)) == VMA_F_WRITE ? RF_WRITE
										      : RF_READ;

		at = to;
		if (v->flags & VMA_F_ACCESS)
			(void)mm_populate(mm, from, to, access);
	}
}

static int lock_range(uptr_t addr, u64 len, bool populate)
{
	uptr_t start = ALIGN_DOWN(addr, PAGE_SIZE), end = ALIGN_UP(addr + len, PAGE_SIZE);
	int r;

	/* A length that wraps to nothing is nothing, as in Linux. */
	if (end < start)
		return -EINVAL;
	r = may_lock((end - start) >> PAGE_SHIFT);
	if (r == 0)
		r = set_locked(current->mm, start, end, true);
	if (r == 0 && populate)
		populate_locked(current->mm, start, end);
	return r;
}

sysret_t sys_mlock(const struct sysargs *a)
{
	return lock_range(arg_ptr(a, 0), arg_u64(a, 1), true);
}

sysret_t sys_mlock2(const struct sysargs *a)
{
	if (arg_u32(a, 2) & ~(u32)MLOCK_ONFAULT)
		return -EINVAL;
	return lock_range(arg_ptr(a, 0), arg_u64(a, 1), !arg_u32(a, 2));
}

sysret_t sys_munlock(const struct sysargs *a)
{
	uptr_t addr = arg_ptr(a, 0), start = ALIGN_DOWN(addr, PAGE_SIZE),
	       end = ALIGN_UP(addr + arg_u64(a, 1), PAGE_SIZE);

	return end < start ? -EINVAL : set_locked(current->mm, start, end, false);
}

sysret_t sys_mlockall(const struct sysargs *a)
{
	u32 flags = arg_u32(a, 0);
	struct mm *mm = current->mm;
	int r;

	if (!flags || flags == MCL_ONFAULT ||
	    (flags & ~(u32)(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)))
		return -EINVAL;
	r = may_lock(flags & MCL_CURRENT ? mm->total_pages - mm->locked_pages : 0);
	if (r < 0)
		return r;
	mm->def_flags = flags & MCL_FUTURE ? VMA_F_LOCKED : 0;
	for (struct vma *v = flags & MCL_CURRENT ? mm_first_vma(mm) : NULL; v; v = vma_next(v))
		vma_set_flags(v, v->flags | VMA_F_LOCKED);
	return 0;
}

sysret_t sys_munlockall(const struct sysargs *a)
{
	struct mm *mm = current->mm;

	(void)a;
	mm->def_flags = 0;
	for (struct vma *v = mm_first_vma(mm); v; v = vma_next(v))
		vma_set_flags(v, v->flags & ~VMA_F_LOCKED);
	return 0;
}
