/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Page faults: demand zero, file pages, copy-on-write, stack growth.
 *
 * Where the kernel is not resident every fault is an exit, and where it is, a sequence of them still costs more than zeroing the
 * pages: so a fault brings in neighbours, more of them the longer faults follow each other.
 */
#include "kernel/mm/internal.h"

#include "abi/linux/resource.h"
#include "kernel/fs/pcache.h"
#include "kernel/fs/vfs.h"
#include "kernel/mm/vdso.h"

#define FAULT_WINDOW_MAX   16u /* pages brought in by a write fault that follows others */
#define FAULT_WINDOW_HOST  4u  /* by the first one, where faults are exits */
#define FAULT_AROUND_PAGES 16u /* cached pages of a file mapped together, aligned */
#define FAULT_AROUND_HOST  64u /* the same, where faults are exits */
#define HUGE_ORDER         9u  /* of frames in 2 MiB */
#define COPY_EARLY_PAGES \
	256u /* private writable file mappings up to this size are copied when first read (exits) */

struct fault {
	struct mm *mm;
	struct vma *vma;
	uptr_t va; /* of the page */
	u32 access;
};

static bool faults_are_exits(void)
{
	return kplat == &kplat_host;
}

u32 vma_page_prot(const struct vma *v, const struct page *p)
{
	u32 prot = (v->flags & VMA_F_ACCESS) | RF_READ;

	if (!p || (v->flags & VMA_F_SHARED) || !(p->flags & PAGE_F_ANON) || p->refs != 1)
		prot &= ~RF_WRITE;
	return prot;
}

static bool page_present(struct mm *mm, uptr_t va)
{
	uptr_t at;
	u64 off;
	u32 prot;

	return kplat->as_next(&mm->as, va, va + PAGE_SIZE, &at, &off, &prot);
}

/* First mapped page in [va, end), or end. */
static uptr_t next_present(struct mm *mm, uptr_t va, uptr_t end)
{
	uptr_t at;
	u64 off;
	u32 prot;

	return va < end && kplat->as_next(&mm->as, va, end, &at, &off, &prot) ? at : end;
}

/* Maps p, whose reference goes to the mapping. */
static __hot int map_page(struct mm *mm, uptr_t va, struct page *p, u32 prot)
{
	int r = kplat->as_map(&mm->as, va, page_offset(p), PAGE_SIZE, prot);

	if (r < 0)
		page_unref(p);
	else
		mm->rss++;
	return r;
}

/* ---- how much at once ---- */

/*
 * 2 MiB at once: where the program asked for it (MADV_HUGEPAGE), or where it has filled 2 MiB page by page and goes on with the next: so
 * at most a part of what it uses is given in vain.
 */
static bool huge_wanted(const struct fault *f)
{
	const struct vma *v = f->vma;
	uptr_t start = ALIGN_DOWN(f->va, PT_SIZE_2M);

	if (!kplat->as_map_2m || (v->flags & (VMA_F_NOHUGE | VMA_F_SHARED | VMA_F_GROWSDOWN)) ||
	    start < v->start || v->end - start < PT_SIZE_2M)
		return false;
	if (v->flags & VMA_F_HUGE)
		return true;
	return f->va == start && f->va == v->fault_hi && v->fault_run >= PT_SIZE_2M / PAGE_SIZE;
}

/* False: not to be had; single pages do. */
static bool map_huge(const struct fault *f)
{
	const u64 count = PT_SIZE_2M / PAGE_SIZE;
	uptr_t va = ALIGN_DOWN(f->va, PT_SIZE_2M);
	u64 index = va >> PAGE_SHIFT;
	struct page *p;

	if (next_present(f->mm, va, va + PT_SIZE_2M) < va + PT_SIZE_2M ||
	    (radix_next(&f->mm->parked, &index) && index < (va >> PAGE_SHIFT) + count))
		return false;
	p = page_alloc(HUGE_ORDER, ALLOC_ZERO | ALLOC_NORETRY);
	if (!p)
		return false;
	if (kplat->as_map_2m(&f->mm->as, va, page_offset(p),
			     (f->vma->flags & VMA_F_ACCESS) | RF_READ) < 0) {
		page_unref(p);
		return false;
	}
	p->flags |= PAGE_F_ANON;
	page_split(p);
	f->mm->rss += count;
	f->vma->fault_hi = va + PT_SIZE_2M;
	return true;
}

static void window_choose(const struct fault *f, uptr_t *ret_lo, uptr_t *ret_hi)
{
	struct vma *v = f->vma;
	bool down = f->va + PAGE_SIZE == v->fault_lo;
	u32 w = faults_are_exits() ? FAULT_WINDOW_HOST : 1;
	uptr_t lo, at;

	if (down || f->va == v->fault_hi)
		w = MIN(MAX(v->fault_window, w) * 2, FAULT_WINDOW_MAX);
	else
		v->fault_run = 0;
	v->fault_window = w;
	lo = MAX(ALIGN_DOWN(f->va, (uptr_t)w * PAGE_SIZE), v->start);
	*ret_hi = MIN(ALIGN_DOWN(f->va, (uptr_t)w * PAGE_SIZE) + w * PAGE_SIZE, v->end);
	*ret_hi = next_present(f->mm, f->va + PAGE_SIZE, *ret_hi);
	if (!down && !(v->flags & VMA_F_GROWSDOWN))
		lo = f->va;
	while (lo < f->va && (at = next_present(f->mm, lo, f->va)) < f->va)
		lo = at + PAGE_SIZE;
	*ret_lo = lo;
	v->fault_lo = lo;
	v->fault_hi = *ret_hi;
	v->fault_run += (u32)((*ret_hi - lo) >> PAGE_SHIFT);
}

/* ---- anonymous memory ---- */

static __hot int map_zeroed(const struct fault *f, uptr_t va, unsigned flags)
{
	struct page *p = page_alloc(0, ALLOC_ZERO | flags);

	if (!p)
		return -ENOMEM;
	p->flags |= PAGE_F_ANON;
	return map_page(f->mm, va, p, (f->vma->flags & VMA_F_ACCESS) | RF_READ);
}

static __hot int fault_anon(const struct fault *f)
{
	uptr_t lo, hi;
	int r;

	/* The zero page, where replacing it later is cheap. */
	if (!(f->access & RF_WRITE) && (!faults_are_exits() || !(f->vma->flags & VMA_F_WRITE)))
		return kplat->as_map(&f->mm->as, f->va, page_offset(zero_page), PAGE_SIZE,
				     vma_page_prot(f->vma, NULL));
	if ((f->access & RF_WRITE) && huge_wanted(f) && map_huge(f))
		return 0;
	r = map_zeroed(f, f->va, 0);
	if (r < 0 || !(f->access & RF_WRITE))
		return r;
	window_choose(f, &lo, &hi);
	for (uptr_t va = f->va + PAGE_SIZE; va < hi; va += PAGE_SIZE)
		if (map_zeroed(f, va, ALLOC_NORETRY) < 0)
			return 0;
	for (uptr_t va = f->va; va > lo; va -= PAGE_SIZE)
		if (map_zeroed(f, va - PAGE_SIZE, ALLOC_NORETRY) < 0)
			return 0;
	return 0;
}

/* ---- files ---- */

static u64 vma_index(const struct vma *v, uptr_t va)
{
	return v->pgoff + ((va - v->start) >> PAGE_SHIFT);
}

/*
 * The file's page, with a new reference. The call may sleep: 1 = f->vma may be gone or the page mapped meanwhile, look again.
 */
static int file_page_get(const struct fault *f, bool write, struct page **ret)
{
	struct file *file = file_ref(f->vma->file);
	u64 gen = f->mm->gen;
	int r = -EIO;

	if (file->ops->fault_page)
		r = file->ops->fault_page(file, vma_index(f->vma, f->va), write, ret);
	if (r == 0 && f->mm->gen != gen) {
		page_unref(*ret);
		r = 1;
	}
	file_unref(file);
	return r < 0 && r != -ENOMEM && r != -EINTR ? -EIO : r;
}

/* A private copy of src, writable. */
static int map_copy(const struct fault *f, uptr_t va, const struct page *src, unsigned flags)
{
	struct page *p = page_alloc(0, flags);

	if (!p)
		return -ENOMEM;
	memcpy(page_address(p), page_address(src), PAGE_SIZE);
	p->flags |= PAGE_F_ANON;
	return map_page(f->mm, va, p, (f->vma->flags & VMA_F_ACCESS) | RF_READ);
}

/* A page of the file that is in the cache and may be mapped as it is. */
static struct page *cached_page(const struct vma *v, uptr_t va)
{
	struct inode *i = v->file->inode;
	u64 index = vma_index(v, va);
	struct page *p;

	if (!i->pcache || index >= ALIGN_UP(i->size, PAGE_SIZE) >> PAGE_SHIFT)
		return NULL;
	p = pcache_find(i, index);
	return p && !(p->flags & PAGE_F_LOCKED) ? p : NULL;
}

/* Neighbours that are cached already; nothing here may fail loudly or sleep. */
static void fault_around(const struct fault *f, bool copy)
{
	struct vma *v = f->vma;
	const uptr_t span =
		(faults_are_exits() ? FAULT_AROUND_HOST : FAULT_AROUND_PAGES) * PAGE_SIZE;
	uptr_t at = MAX(ALIGN_DOWN(f->va, span), v->start),
	       end = MIN(ALIGN_DOWN(f->va, span) + span, v->end);
	int r = 0;

	while (at < end && r == 0) {
		uptr_t stop = next_present(f->mm, at, end);

		for (; at < stop && r == 0; at += PAGE_SIZE) {
			struct page *p = cached_page(v, at);

			if (!p)
				continue;
			if (copy) {
				r = map_copy(f, at, p, ALLOC_NORETRY);
				continue;
			}
			page_ref(p);
			r = map_page(f->mm, at, p, vma_page_prot(v, p));
		}
		at = stop + PAGE_SIZE;
	}
}

static int fault_file(const struct fault *f)
{
	struct vma *v = f->vma;
	bool shared = v->flags & VMA_F_SHARED, write = f->access & RF_WRITE, early;
	struct page *p;
	u32 prot;
	int r = file_page_get(f, shared && write, &p);

	if (r != 0)
		return r < 0 ? r : 0;
	if (page_present(f->mm, f->va)) {
		page_unref(p); /* another thread was faster */
		return 0;
	}
	early = !shared && (v->flags & VMA_F_WRITE) && faults_are_exits() &&
		vma_pages(v) <= COPY_EARLY_PAGES;
	if (!shared && (write || early)) {
		r = map_copy(f, f->va, p, 0);
		page_unref(p);
	} else {
		prot = vma_page_prot(v, p) | (write ? RF_WRITE : 0);
		r = map_page(f->mm, f->va, p, prot);
	}
	if (r == 0 && (!write || early))
		fault_around(f, early);
	return r;
}

/* ---- present pages ---- */

/* Puts p in the place of what is mapped at f->va. */
static int replace_page(const struct fault *f, struct page *old, struct page *p, u32 prot)
{
	struct gather g;
	int r;

	gather_init(&g, f->mm);
	r = map_page(f->mm, f->va, p, prot);
	if (r == 0 && old) {
		f->mm->rss--;
		gather_add(&g, old);
	}
	gather_finish(&g);
	return r;
}

static int fault_shared_write(const struct fault *f, struct page *old, u64 off)
{
	struct page *p;
	int r = file_page_get(f, true, &p);
	uptr_t va;
	u64 now;
	u32 prot;

	if (r != 0)
		return r < 0 ? r : 0;
	if (!kplat->as_next(&f->mm->as, f->va, f->va + PAGE_SIZE, &va, &now, &prot) || now != off) {
		page_unref(p);
		return 0;
	}
	prot = vma_page_prot(f->vma, p) | RF_WRITE;
	if (p != old)
		return replace_page(f, old, p, prot);
	page_unref(p); /* the mapping has its own reference */
	return kplat->as_map(&f->mm->as, f->va, off, PAGE_SIZE, prot);
}

static int fault_copy_on_write(const struct fault *f, struct page *old)
{
	u32 prot = (f->vma->flags & VMA_F_ACCESS) | RF_READ;
	struct page *p;

	if (old && (old->flags & PAGE_F_ANON) && old->refs == 1)
		return kplat->as_map(&f->mm->as, f->va, page_offset(old), PAGE_SIZE, prot);
	p = page_alloc(0, old ? 0 : ALLOC_ZERO);
	if (!p)
		return -ENOMEM;
	if (old)
		memcpy(page_address(p), page_address(old), PAGE_SIZE);
	p->flags |= PAGE_F_ANON;
	return replace_page(f, old, p, prot);
}

static int fault_present(const struct fault *f, u64 off, u32 prot)
{
	struct page *p = frame_counted(off) ? page_from_offset(off) : NULL;

	if ((prot & f->access) == f->access) {
		kplat->as_flush(&f->mm->as); /* a stale translation, or somebody was faster */
		return 0;
	}
	if (!(f->access & RF_WRITE))
		return kplat->as_map(&f->mm->as, f->va, off, PAGE_SIZE,
				     prot | vma_page_prot(f->vma, p));
	if (f->vma->flags & VMA_F_SHARED)
		return fault_shared_write(f, p, off);
	return fault_copy_on_write(f, p);
}

/* ---- entry ---- */

static bool guard_gap_ok(struct vma *v, uptr_t addr)
{
	struct vma *prev = vma_prev(v);

	if (addr < RF_MIN_USER_ADDRESS + STACK_GUARD_GAP)
		return false;
	if (!prev)
		return true;
	if (prev->end > addr)
		return false;
	return !(prev->flags & VMA_F_ACCESS) || (prev->flags & VMA_F_GROWSDOWN) ||
	       addr - prev->end >= STACK_GUARD_GAP;
}

int vma_grow_down(struct vma *v, uptr_t addr)
{
	addr = ALIGN_DOWN(addr, PAGE_SIZE);
	if (v->end - addr > current_rlimit(RLIMIT_STACK) || !guard_gap_ok(v, addr))
		return -EFAULT;
	if (mm_may_grow(v->mm, (v->start - addr) >> PAGE_SHIFT, false) < 0)
		return -EFAULT;
	vma_resize(v, addr, v->end);
	return 0;
}

static int find_vma_for_fault(struct mm *mm, uptr_t addr, u32 access, struct vma **ret)
{
	struct vma *v = addr < RF_MAX_USER_ADDRESS ? mm_find_vma(mm, addr) : NULL;
	u32 need = access & (RF_WRITE | RF_EXEC);
	int r;

	if (!v)
		return -EFAULT;
	if (addr < v->start) {
		r = v->flags & VMA_F_GROWSDOWN ? vma_grow_down(v, addr) : -EFAULT;
		if (r < 0)
			return r;
	}
	/* Whatever is accessible at all is readable: x86 has no write-only or (without protection keys) execute-only pages. */
	if ((v->flags & need) != need || !(v->flags & VMA_F_ACCESS))
		return -EACCES;
	*ret = v;
	return 0;
}

__hot int mm_fault(struct mm *mm, uptr_t addr, u32 access)
{
	struct fault f = { .mm = mm, .va = ALIGN_DOWN(addr, PAGE_SIZE), .access = access };
	uptr_t va;
	u64 off;
	u32 prot;
	int r = find_vma_for_fault(mm, addr, access, &f.vma);

	if (r < 0)
		return r;
	if (kplat->as_next(&mm->as, f.va, f.va + PAGE_SIZE, &va, &off, &prot))
		return fault_present(&f, off, prot);
	if (mm->parked.count && radix_get(&mm->parked, f.va >> PAGE_SHIFT))
		return mm_unpark(f.vma, f.va, f.va + PAGE_SIZE);
	if (f.vma->file)
		return fault_file(&f);
	if (vma_is_anon(f.vma))
		return fault_anon(&f);
	return vdso_fault(f.vma, f.va);
}

int mm_populate(struct mm *mm, uptr_t start, uptr_t end, u32 access)
{
	for (uptr_t at = start; at < end;) {
		uptr_t va;
		u64 off;
		u32 prot;
		int r;

		if (kplat->as_next(&mm->as, at, at + PAGE_SIZE, &va, &off, &prot) &&
		    (prot & access) == access) {
			at += PAGE_SIZE;
			continue;
		}
		r = mm_fault(mm, at, access);
		if (r < 0)
			return r;
	}
	return 0;
}
