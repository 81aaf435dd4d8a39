/* SPDX-License-Identifier: Apache-2.0 */
/* mmap, munmap, mprotect and brk on an address space. */
#include "kernel/mm/internal.h"

#include "abi/linux/mman.h"
#include "abi/linux/resource.h"
#include "kernel/fs/vfs.h"
#include "kernel/mm/map.h"

int mm_may_grow(const struct mm *mm, u64 pages, bool data)
{
	if (mm->total_pages + pages > current_rlimit(RLIMIT_AS) >> PAGE_SHIFT)
		return -ENOMEM;
	if (data && mm->data_pages + pages > current_rlimit(RLIMIT_DATA) >> PAGE_SHIFT)
		return -ENOMEM;
	return 0;
}

/* proc(5), overcommit_memory: mode 0 refuses only what could never be had at once. */
int mm_overcommit(u64 pages, u32 flags)
{
	u64 total, avail;

	if (!(flags & VMA_F_WRITE) || (flags & (VMA_F_NORESERVE | VMA_F_SHARED)))
		return 0;
	page_stats(&total, &avail);
	return pages > total ? -ENOMEM : 0;
}

/* ---- unmap ---- */

/* The files go last: their release may take long, and everything else must be consistent by then. */
static void remove_vmas(struct mm *mm, uptr_t start, uptr_t end)
{
	struct vma *v, *tmp;
	LIST_HEAD(gone);

	while ((v = mm_find_vma(mm, start)) && v->start < end) {
		vma_remove(v);
		list_add_tail(&v->inode_link, &gone);
	}
	list_for_each_entry_safe(v, tmp, &gone, inode_link)
		vma_free(v);
}

int mm_unmap(struct mm *mm, uptr_t addr, u64 len)
{
	uptr_t end = addr + len;
	struct gather g;
	int r;

	if (mm_gap_free(mm, addr, len))
		return 0;
	r = mm_split_at(mm, addr);
	if (r == 0)
		r = mm_split_at(mm, end);
	if (r < 0)
		return r;
	gather_init(&g, mm);
	mm_zap(&g, addr, end);
	gather_finish(&g);
	remove_vmas(mm, addr, end);
	return 0;
}

/* ---- map ---- */

static uptr_t search_top(const struct mm *mm, u32 map_flags)
{
	return map_flags & MAP_32BIT ? 0x80000000ull : mm->mmap_base;
}

/* The place of a mapping, made free for MAP_FIXED. Address or -errno. */
static s64 choose_place(struct mm *mm, uptr_t addr, u64 len, u32 map_flags)
{
	uptr_t at;

	if (len > RF_MAX_USER_ADDRESS - RF_MIN_USER_ADDRESS)
		return -ENOMEM;
	if (map_flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
		if (addr > RF_MAX_USER_ADDRESS - len)
			return -ENOMEM;
		if (addr & PAGE_MASK)
			return -EINVAL;
		if (addr < RF_MIN_USER_ADDRESS)
			return -EPERM; /* vm.mmap_min_addr */
		if ((map_flags & MAP_FIXED_NOREPLACE) && !mm_gap_free(mm, addr, len))
			return -EEXIST;
		return (s64)addr;
	}
	addr = ALIGN_UP(addr, PAGE_SIZE);
	if (addr >= RF_MIN_USER_ADDRESS && addr <= RF_MAX_USER_ADDRESS - len &&
	    mm_gap_free(mm, addr, len))
		return (s64)addr;
	at = map_flags & MAP_32BIT ? mm_find_gap(mm, len, search_top(mm, map_flags))
				   : mm_find_gap(mm, len, mm->mmap_base);
	if (!at || ((map_flags & MAP_32BIT) && at + len > search_top(mm, map_flags)))
		return -ENOMEM;
	return (s64)at;
}

static u64 pages_mapped(struct mm *mm, uptr_t start, uptr_t end)
{
	u64 n = 0;

	for (struct vma *v = mm_find_vma(mm, start); v && v->start < end; v = vma_next(v))
		n += (MIN(end, v->end) - MAX(start, v->start)) >> PAGE_SHIFT;
	return n;
}

static u32 flags_of_mapping(const struct mm *mm, u32 prot, u32 map_flags, const struct file *f,
			    u32 vma_flags)
{
	u32 flags = (prot & VMA_F_ACCESS) | vma_flags | mm->def_flags;

	if ((map_flags & MAP_TYPE) != MAP_PRIVATE)
		flags |= VMA_F_SHARED;
	if (!(flags & VMA_F_SHARED) || !f || FMODE_WRITE(f))
		flags |= VMA_F_MAYWRITE;
	if (map_flags & MAP_GROWSDOWN)
		flags |= VMA_F_GROWSDOWN;
	if (map_flags & MAP_NORESERVE)
		flags |= VMA_F_NORESERVE;
	if (map_flags & MAP_LOCKED)
		flags |= VMA_F_LOCKED;
	if (vma_flags & (VMA_F_VDSO | VMA_F_VVAR))
		flags &= ~VMA_F_MAYWRITE;
	return flags;
}

static int attach_file(struct vma *v, struct file *f, u64 offset)
{
	if (!f)
		return 0;
	vma_set_file(v, f, offset >> PAGE_SHIFT);
	/* The file may put another in its place, or none: /dev/zero. */
	return f->ops->mmap ? f->ops->mmap(f, v) : 0;
}

s64 mm_map(struct mm *mm, uptr_t addr, u64 len, u32 prot, u32 map_flags, struct file *file,
	   u64 offset, u32 vma_flags)
{
	u32 flags = flags_of_mapping(mm, prot, map_flags, file, vma_flags);
	struct vma *v;
	s64 at;
	int r;

	len = ALIGN_UP(len, PAGE_SIZE);
	if (!len)
		return -ENOMEM;
	if (mm->nr_vmas >= MM_VMAS_MAX)
		return -ENOMEM;
	at = choose_place(mm, addr, len, map_flags);
	if (at < 0)
		return at;
	v = vma_new(mm, (uptr_t)at, (uptr_t)at + len, flags);
	if (!v)
		return -ENOMEM;
	r = mm_may_grow(mm, vma_pages(v) - pages_mapped(mm, v->start, v->end), vma_is_data(v));
	if (r == 0)
		r = mm_overcommit(vma_pages(v), flags);
	if (r == 0)
		r = attach_file(v, file, offset);
	if (r == 0 && (map_flags & MAP_FIXED))
		r = mm_unmap(mm, v->start, len);
	/* What came before may have slept, and another thread may have mapped something. */
	if (r == 0 && !mm_gap_free(mm, v->start, len))
		r = -ENOMEM;
	if (r < 0) {
		vma_free(v);
		return r;
	}
	vma_insert(v);
	vma_merge(v);
	return at;
}

/* ---- protect ---- */

static int protect_allowed(const struct vma *v, u32 prot)
{
	if ((prot & RF_WRITE) && !(v->flags & VMA_F_MAYWRITE))
		return -EACCES;
	if ((prot & RF_EXEC) && v->file && file_noexec(v->file))
		return -EACCES;
	if ((prot & RF_WRITE) && !vma_is_data(v) && !(v->flags & (VMA_F_SHARED | VMA_F_STACK))) {
		int r = mm_may_grow(v->mm, 0, true);

		return r < 0 ? r : mm_overcommit(vma_pages(v), v->flags | VMA_F_WRITE);
	}
	return 0;
}

/* Gives present pages what the VMA now allows them, instead of a fault for each. */
static void protect_raise(struct vma *v)
{
	struct mm *mm = v->mm;
	uptr_t at = v->start, va;
	u64 off;
	u32 prot;

	while (kplat->as_next(&mm->as, at, v->end, &va, &off, &prot)) {
		u32 want;

		at = va + PAGE_SIZE;
		want = vma_page_prot(v, frame_counted(off) ? page_from_offset(off) : NULL);
		/* Nothing is lost when this fails: the fault does it then. */
		if ((want & ~prot) && kplat->as_map(&mm->as, va, off, PAGE_SIZE, want | prot) < 0)
			return;
	}
}

static int protect_pages(struct vma *v, u32 old)
{
	struct mm *mm = v->mm;
	u32 now = v->flags & VMA_F_ACCESS;
	int r;

	if (!now)
		return mm_park(mm, v->start, v->end);
	if (!old) {
		r = mm_unpark(v, v->start, v->end);
		if (r < 0)
			return r;
	}
	if (old & ~now)
		kplat->as_protect(&mm->as, v->start, v->end - v->start, now | RF_READ);
	if (now & ~old)
		protect_raise(v);
	return 0;
}

/* mprotect(2): the VMAs up to the first error keep their new protection. */
int mm_protect(struct mm *mm, uptr_t addr, u64 len, u32 prot)
{
	uptr_t end = addr + len;
	struct vma *v;
	int r = 0;

	while (addr < end && r == 0) {
		u32 old;

		v = mm_find_vma(mm, addr);
		if (!v || v->start > addr) {
			r = -ENOMEM;
			break;
		}
		r = protect_allowed(v, prot);
		if (r == 0)
			r = mm_split_at(mm, addr);
		if (r == 0)
			r = mm_split_at(mm, end);
		if (r < 0)
			break;
		v = mm_find_vma(mm, addr);
		old = v->flags & VMA_F_ACCESS;
		addr = v->end;
		if (old == prot)
			continue;
		vma_set_flags(v, (v->flags & ~VMA_F_ACCESS) | prot);
		r = protect_pages(v, old);
		vma_merge(v);
	}
	kplat->as_flush(&mm->as);
	return r;
}

/* ---- brk ---- */

static bool brk_grow(struct mm *mm, uptr_t old_end, uptr_t new_end)
{
	u64 len = new_end - old_end, limit = current_rlimit(RLIMIT_DATA);
	struct vma *v;

	if (new_end - mm->brk_start > limit || mm->nr_vmas >= MM_VMAS_MAX)
		return false;
	v = mm_find_vma(mm, old_end);
	if (v && (v->start < new_end || vma_gap_start(v) < new_end))
		return false;
	if (mm_may_grow(mm, len >> PAGE_SHIFT, true) < 0 ||
	    mm_overcommit(len >> PAGE_SHIFT, VMA_F_WRITE) < 0)
		return false;
	v = vma_new(mm, old_end, new_end,
		    VMA_F_READ | VMA_F_WRITE | VMA_F_MAYWRITE | VMA_F_HEAP | mm->def_flags);
	if (!v)
		return false;
	vma_insert(v);
	vma_merge(v);
	return true;
}

uptr_t mm_brk(struct mm *mm, uptr_t want)
{
	uptr_t old_end = ALIGN_UP(mm->brk, PAGE_SIZE), new_end;

	if (want < mm->brk_start || want > RF_MAX_USER_ADDRESS - PAGE_SIZE)
		return mm->brk;
	new_end = ALIGN_UP(want, PAGE_SIZE);
	if (new_end < old_end && mm_unmap(mm, new_end, old_end - new_end) < 0)
		return mm->brk;
	if (new_end > old_end && !brk_grow(mm, old_end, new_end))
		return mm->brk;
	mm->brk = want;
	return want;
}
