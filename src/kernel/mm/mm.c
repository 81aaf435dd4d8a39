/* SPDX-License-Identifier: Apache-2.0 */
/* Address spaces: life, fork. */
#include "kernel/mm/internal.h"

#include "abi/linux/prctl.h"
#include "kernel/core/random.h"
#include "kernel/fs/vfs.h"
#include "kernel/proc/task.h"

#define STACK_RANDOM_PAGES (1ull << 22) /* 16 GiB, as on Linux x86-64 */
#define MMAP_RANDOM_PAGES  (1ull << 28) /* 1 TiB */
#define FORK_COPY_PAGES    64u          /* fork_copies_page() */
#define FORK_STACK_BELOW   (2 * PAGE_SIZE)
#define FORK_STACK_ABOVE   (4 * PAGE_SIZE)
#define MMAP_GAP_MIN       (128ul << 20)
#define MMAP_GAP_MAX       (RF_MAX_USER_ADDRESS / 6 * 5) /* u64 */

u64 current_rlimit(unsigned which)
{
	struct task *t = current;

	return t && t->proc ? task_rlimit(t, which) : RLIM_INFINITY;
}

u64 mm_random_offset(u64 limit)
{
	struct task *t = current;

	if (t && (t->personality & ADDR_NO_RANDOMIZE))
		return 0;
	return (random_u64() & (limit - 1)) << PAGE_SHIFT;
}

/* Stack at the top, below it the gap it may grow into, below that mmap_base. */
static void mm_choose_layout(struct mm *mm)
{
	u64 gap = current_rlimit(RLIMIT_STACK);

	gap = MAX(gap, MMAP_GAP_MIN);
	gap = MIN(gap, MMAP_GAP_MAX);
	gap = ALIGN_UP(gap, PAGE_SIZE) + STACK_GUARD_GAP + STACK_RANDOM_PAGES * PAGE_SIZE;
	gap = MIN(gap, MMAP_GAP_MAX);
	mm->stack_top = RF_MAX_USER_ADDRESS - PAGE_SIZE - mm_random_offset(STACK_RANDOM_PAGES);
	mm->mmap_base = RF_MAX_USER_ADDRESS - PAGE_SIZE - gap - mm_random_offset(MMAP_RANDOM_PAGES);
}

static struct mm *mm_alloc(void)
{
	struct mm *mm = kzalloc(sizeof(*mm));

	if (!mm)
		return NULL;
	mm->users = 1;
	rb_init(&mm->vmas);
	if (kplat->as_new(&mm->as) < 0) {
		kfree(mm);
		return NULL;
	}
	return mm;
}

int mm_new(struct mm **ret)
{
	struct mm *mm = mm_alloc();

	if (!mm)
		return -ENOMEM;
	mm_choose_layout(mm);
	*ret = mm;
	return 0;
}

struct mm *mm_ref(struct mm *mm)
{
	mm->users++;
	return mm;
}

static void mm_free_vmas(struct mm *mm)
{
	struct vma *v;

	while ((v = mm_first_vma(mm))) {
		vma_remove(v);
		vma_free(v);
	}
}

void mm_set_exe(struct mm *mm, struct file *f)
{
	struct file *old = mm->exe;

	if (f)
		f->inode->exec_count++;
	mm->exe = f ? file_ref(f) : NULL;
	if (old)
		old->inode->exec_count--;
	file_unref(old);
}

void mm_unref(struct mm *mm)
{
	if (!mm)
		return;
	BUG_ON(mm->users == 0);
	if (--mm->users)
		return;
	mm_zap_all(mm);
	kplat->as_free(&mm->as);
	mm_free_vmas(mm);
	mm_set_exe(mm, NULL);
	kfree(mm);
}

void mm_switch(struct mm *mm)
{
	struct task *t = current;

	/* The platform compares t->mm with what the CPU has loaded. */
	if (t->mm == mm)
		kplat->task_switched(t, t);
}

/* ---- fork ---- */

static int fork_page(struct vma *v, struct mm *mm, uptr_t va, u64 off, u32 prot)
{
	int r;

	if (!(v->flags & VMA_F_SHARED))
		prot &= ~RF_WRITE;
	r = kplat->as_map(&mm->as, va, off, PAGE_SIZE, prot);
	if (r < 0)
		return r;
	if (frame_counted(off)) {
		page_ref(page_from_offset(off));
		mm->rss++;
	}
	return 0;
}

/*
 * Pages of a file can be faulted in again. With the kernel in ring 0 that is cheaper than copying entries the child may never use;
 * where a fault is an exit it isn't.
 */
static bool fork_wants_page(u64 off)
{
	if (kplat == &kplat_host || !frame_counted(off))
		return true;
	return page_from_offset(off)->flags & PAGE_F_ANON;
}

/*
 * Pages that parent and child will write soon: the small areas of a program's data, and the stack around its pointer. Where a fault is an
 * exit and a changed entry an invalidation, a copy now is far cheaper than two copy-on-write faults later.
 */
static bool fork_copies_page(const struct vma *v, uptr_t va, u64 off, u32 prot)
{
	uptr_t sp = current->regs.rsp;

	if (kplat != &kplat_host || !(prot & RF_WRITE) || (v->flags & VMA_F_SHARED) ||
	    !frame_counted(off))
		return false;
	if (v->flags & VMA_F_GROWSDOWN)
		return va + FORK_STACK_BELOW >= sp && va < sp + FORK_STACK_ABOVE;
	return vma_pages(v) <= FORK_COPY_PAGES;
}

/* False: no memory to spare, share it. */
static bool fork_copy(struct mm *mm, uptr_t va, u64 off, u32 prot)
{
	struct page *p = page_alloc(0, ALLOC_NORETRY);

	if (!p)
		return false;
	memcpy(page_address(p), (const void *)(RF_ARENA_BASE + off), PAGE_SIZE);
	p->flags |= PAGE_F_ANON;
	if (kplat->as_map(&mm->as, va, page_offset(p), PAGE_SIZE, prot) < 0) {
		page_unref(p);
		return false;
	}
	mm->rss++;
	return true;
}

static int fork_mapped(struct vma *v, struct mm *mm)
{
	struct mm *old = v->mm;
	uptr_t at = v->start, va, low = v->end,
	       high = v->start; /* of shared pages the parent may write */
	u64 off;
	u32 prot;
	int r = 0;

	while (r == 0 && kplat->as_next(&old->as, at, v->end, &va, &off, &prot)) {
		at = va + PAGE_SIZE;
		if (fork_copies_page(v, va, off, prot) && fork_copy(mm, va, off, prot))
			continue;
		if (prot & RF_WRITE) {
			low = MIN(low, va);
			high = at;
		}
		if (fork_wants_page(off))
			r = fork_page(v, mm, va, off, prot);
	}
	if (low < high && !(v->flags & VMA_F_SHARED))
		kplat->as_protect(&old->as, low, high - low, RF_READ | RF_EXEC);
	return r;
}

static int fork_parked(struct vma *v, struct mm *mm)
{
	struct radix *from = &v->mm->parked;
	u64 index = v->start >> PAGE_SHIFT;
	struct page *p;

	if (!from->count)
		return 0;
	while ((p = radix_next(from, &index)) && index < v->end >> PAGE_SHIFT) {
		int r = radix_set(&mm->parked, index++, p);

		if (r < 0)
			return r;
		page_ref(p);
		mm->rss++;
	}
	return 0;
}

static int fork_vma(struct vma *v, struct mm *mm)
{
	struct vma *n;
	int r;

	if (v->flags & VMA_F_DONTFORK)
		return 0;
	n = vma_new(mm, v->start, v->end, v->flags & ~VMA_F_LOCKED);
	if (!n)
		return -ENOMEM;
	vma_set_file(n, v->file, v->pgoff);
	vma_insert(n);
	if (v->flags & VMA_F_WIPEONFORK)
		return 0;
	r = fork_mapped(v, mm);
	return r < 0 ? r : fork_parked(v, mm);
}

static void mm_copy_layout(struct mm *mm, const struct mm *old)
{
	mm->mmap_base = old->mmap_base;
	mm->brk_start = old->brk_start;
	mm->brk = old->brk;
	mm->stack_top = old->stack_top;
	mm->arg_start = old->arg_start;
	mm->arg_end = old->arg_end;
	mm->env_start = old->env_start;
	mm->env_end = old->env_end;
	mm->code_start = old->code_start;
	mm->code_end = old->code_end;
	mm->data_start = old->data_start;
	mm->data_end = old->data_end;
	mm->vdso = old->vdso;
	memcpy(mm->auxv, old->auxv, sizeof(mm->auxv));
	mm->auxv_len = old->auxv_len;
	mm_set_exe(mm, old->exe);
}

int mm_fork(struct mm *old, struct mm **ret)
{
	struct mm *mm = mm_alloc();
	int r = 0;

	if (!mm)
		return -ENOMEM;
	mm_copy_layout(mm, old);
	for (struct vma *v = mm_first_vma(old); v && r == 0; v = vma_next(v))
		r = fork_vma(v, mm);
	kplat->as_flush(&old->as);
	if (r < 0) {
		mm_unref(mm);
		return r;
	}
	*ret = mm;
	return 0;
}

/* ---- mappings of an inode ---- */

/* The file's own pages only: copies made on write stay the process's. */
static void zap_cached(struct mm *mm, uptr_t at, uptr_t end)
{
	struct gather g;
	uptr_t va;
	u64 off;
	u32 prot;

	gather_init(&g, mm);
	while (kplat->as_next(&mm->as, at, end, &va, &off, &prot)) {
		at = va + PAGE_SIZE;
		if (!frame_counted(off) || (page_from_offset(off)->flags & PAGE_F_ANON))
			continue;
		kplat->as_unmap(&mm->as, va, PAGE_SIZE);
		mm->rss--;
		gather_add(&g, page_from_offset(off));
	}
	gather_finish(&g);
}

void mm_unmap_inode(struct inode *inode, u64 from)
{
	struct vma *v;

	list_for_each_entry(v, &inode->vmas, inode_link) {
		uptr_t start = v->start;

		v->mm->gen++; /* a fault in progress must not bring the page back */
		if (from >= v->pgoff + vma_pages(v))
			continue;
		if (from > v->pgoff)
			start += (from - v->pgoff) << PAGE_SHIFT;
		zap_cached(v->mm, start, v->end);
	}
}

void mm_clean_inode_page(struct inode *inode, u64 index)
{
	struct vma *v;

	list_for_each_entry(v, &inode->vmas, inode_link) {
		uptr_t va = v->start + ((index - v->pgoff) << PAGE_SHIFT);

		if (!(v->flags & VMA_F_SHARED) || index < v->pgoff ||
		    index >= v->pgoff + vma_pages(v))
			continue;
		v->mm->gen++;
		kplat->as_protect(&v->mm->as, va, PAGE_SIZE, RF_READ | RF_EXEC);
		kplat->as_flush(&v->mm->as);
	}
}
