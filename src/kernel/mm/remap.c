/* SPDX-License-Identifier: Apache-2.0 */
/* mremap(2). */
#include "kernel/mm/internal.h"

#include "abi/linux/capability.h"
#include "abi/linux/mman.h"
#include "abi/linux/resource.h"
#include "kernel/proc/task.h"

/* The VMA that holds the whole old range. */
static int remap_source(struct mm *mm, uptr_t addr, u64 old_len, u64 new_len, struct vma **ret)
{
	struct vma *v = mm_find_vma(mm, addr);

	if (!v || v->start > addr || old_len > v->end - addr)
		return -EFAULT;
	/* Old length 0 makes a second mapping of the same pages, which private memory can't have. */
	if (!old_len && !(v->flags & VMA_F_SHARED))
		return -EINVAL;
	if (v->flags & (VMA_F_VDSO | VMA_F_VVAR) && new_len > old_len)
		return -EFAULT;
	if (new_len > old_len && v->file &&
	    v->pgoff + ((addr - v->start + new_len) >> PAGE_SHIFT) < v->pgoff)
		return -EINVAL;
	*ret = v;
	return 0;
}

static bool grow_in_place(struct mm *mm, struct vma *v, u64 more)
{
	if (v->end > RF_MAX_USER_ADDRESS - PAGE_SIZE - more || !mm_gap_free(mm, v->end, more))
		return false;
	vma_resize(v, v->start, v->end + more);
	vma_merge(v);
	return true;
}

/* Page table entries and parked pages go to the new place; frames keep their references. */
static int move_pages(struct mm *mm, uptr_t from, uptr_t to, u64 len)
{
	uptr_t at = from, va;
	u64 off, index = from >> PAGE_SHIFT, last = (from + len) >> PAGE_SHIFT;
	u32 prot;
	struct page *p;
	int r = 0;

	while (r == 0 && kplat->as_next(&mm->as, at, from + len, &va, &off, &prot)) {
		r = kplat->as_map(&mm->as, to + (va - from), off, PAGE_SIZE, prot);
		if (r == 0)
			kplat->as_unmap(&mm->as, va, PAGE_SIZE);
		at = va + PAGE_SIZE;
	}
	while (r == 0 && (p = radix_next(&mm->parked, &index)) && index < last) {
		r = radix_set(&mm->parked, ((to - from) >> PAGE_SHIFT) + index, p);
		if (r == 0)
			radix_clear(&mm->parked, index);
		index++;
	}
	kplat->as_flush(&mm->as);
	return r;
}

/* [addr, addr + old_len) of v becomes [to, to + new_len), where nothing is mapped. */
static s64 move_vma(struct mm *mm, struct vma *v, uptr_t addr, u64 old_len, uptr_t to, u64 new_len,
		    u32 flags)
{
	struct vma *n;
	int r;

	if (mm->nr_vmas + 3 > MM_VMAS_MAX)
		return -ENOMEM;
	n = vma_new(mm, to, to + new_len, v->flags);
	if (!n)
		return -ENOMEM;
	vma_set_file(n, v->file, v->pgoff + ((addr - v->start) >> PAGE_SHIFT));
	vma_insert(n);
	r = move_pages(mm, addr, to, MIN(old_len, new_len));
	if (r < 0) {
		/* Out of memory for page tables: whatever moved goes back, over entries that exist. */
		if (move_pages(mm, to, addr, MIN(old_len, new_len)) == 0)
			mm_unmap(mm, to, new_len);
		return r;
	}
	if (old_len && (v->flags & (VMA_F_VDSO)))
		mm->vdso = to + (mm->vdso - addr);
	vma_merge(n);
	if (old_len && !(flags & MREMAP_DONTUNMAP))
		r = mm_unmap(mm, addr, old_len);
	return r < 0 ? r : (s64)to;
}

static int check_growth(struct mm *mm, const struct vma *v, u64 old_len, u64 new_len)
{
	u64 more = new_len > old_len ? (new_len - old_len) >> PAGE_SHIFT : 0;

	int r;

	if ((v->flags & VMA_F_LOCKED) && !cred_capable(current->cred, CAP_IPC_LOCK) &&
	    mm->locked_pages + more > current_rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT)
		return -EAGAIN;
	r = mm_may_grow(mm, more, vma_is_data(v));
	return r < 0 ? r : mm_overcommit(more, v->flags);
}

static s64 remap_to(struct mm *mm, uptr_t addr, u64 old_len, u64 new_len, u32 flags, uptr_t to)
{
	struct vma *v;
	int r;

	if ((to & PAGE_MASK) || !user_range_ok(to, new_len) || to < RF_MIN_USER_ADDRESS)
		return -EINVAL;
	if (addr + old_len > to && to + new_len > addr)
		return -EINVAL;
	/* The part of the old range that is to go can't be unmapped; or there is nothing at its start. */
	if (!user_range_ok(addr, old_len))
		return addr < RF_MAX_USER_ADDRESS ? -EINVAL : -EFAULT;
	r = mm_unmap(mm, to, new_len);
	if (r == 0 && old_len > new_len && !(flags & MREMAP_DONTUNMAP)) {
		r = mm_unmap(mm, addr + new_len, old_len - new_len);
		old_len = new_len;
	}
	if (r == 0)
		r = remap_source(mm, addr, old_len, new_len, &v);
	if (r == 0)
		r = check_growth(mm, v, old_len, new_len);
	return r < 0 ? r : move_vma(mm, v, addr, old_len, to, new_len, flags);
}

s64 mm_remap(struct mm *mm, uptr_t addr, u64 old_len, u64 new_len, u32 flags, uptr_t new_addr)
{
	struct vma *v;
	uptr_t to;
	int r;

	if (new_len > RF_MAX_USER_ADDRESS)
		return -EINVAL;
	if (flags & MREMAP_FIXED)
		return remap_to(mm, addr, old_len, new_len, flags, new_addr);
	if (!user_range_ok(addr, old_len))
		return -EFAULT;
	r = remap_source(mm, addr, MIN(old_len, new_len), new_len, &v);
	if (r < 0)
		return r;
	if ((flags & MREMAP_DONTUNMAP) && (v->flags & VMA_F_SHARED) && !v->file)
		return -EINVAL;
	if (old_len >= new_len && old_len && !(flags & MREMAP_DONTUNMAP)) {
		r = old_len > new_len ? mm_unmap(mm, addr + new_len, old_len - new_len) : 0;
		return r < 0 ? r : (s64)addr;
	}
	r = remap_source(mm, addr, old_len, new_len, &v);
	if (r == 0)
		r = check_growth(mm, v, old_len, new_len);
	if (r < 0)
		return r;
	if (old_len && addr + old_len == v->end && !(flags & MREMAP_DONTUNMAP) &&
	    grow_in_place(mm, v, new_len - old_len))
		return (s64)addr;
	if (!(flags & MREMAP_MAYMOVE))
		return -ENOMEM;
	to = mm_find_gap(mm, new_len, mm->mmap_base);
	return to ? move_vma(mm, v, addr, old_len, to, new_len, flags) : -ENOMEM;
}
