/* SPDX-License-Identifier: Apache-2.0 */
/* The tree of VMAs of an address space: lookup, split, merge, search for gaps. No page tables here; builds hosted. */
#include "kernel/mm/internal.h"

#include "kernel/fs/vfs.h"

static struct vma *vma_of(struct rb_node *n)
{
	return rb_entry_or_null(n, struct vma, node);
}

struct vma *mm_find_vma(struct mm *mm, uptr_t addr)
{
	struct rb_node *n = mm->vmas.node;
	struct vma *best = NULL;

	while (n) {
		struct vma *v = rb_entry(n, struct vma, node);

		if (v->end > addr) {
			best = v;
			n = n->left;
		} else {
			n = n->right;
		}
	}
	return best;
}

struct vma *mm_first_vma(struct mm *mm)
{
	return vma_of(rb_first(&mm->vmas));
}

struct vma *mm_last_vma(struct mm *mm)
{
	return vma_of(rb_last(&mm->vmas));
}

struct vma *vma_next(struct vma *v)
{
	return vma_of(rb_next(&v->node));
}

struct vma *vma_prev(struct vma *v)
{
	return vma_of(rb_prev(&v->node));
}

struct vma *vma_new(struct mm *mm, uptr_t start, uptr_t end, u32 flags)
{
	struct vma *v = kzalloc(sizeof(*v));

	if (!v)
		return NULL;
	rb_node_init(&v->node);
	list_init(&v->inode_link);
	v->mm = mm;
	v->start = start;
	v->end = end;
	v->flags = flags;
	return v;
}

void vma_set_file(struct vma *v, struct file *f, u64 pgoff)
{
	v->file = f ? file_ref(f) : NULL;
	v->pgoff = pgoff;
}

void vma_free(struct vma *v)
{
	file_unref(v->file);
	kfree(v);
}

static void mm_account(struct vma *v, s64 sign)
{
	struct mm *mm = v->mm;
	u64 n = vma_pages(v) * (u64)sign;

	mm->gen++;
	mm->total_pages += n;
	if (vma_is_data(v))
		mm->data_pages += n;
	if (v->flags & VMA_F_LOCKED)
		mm->locked_pages += n;
}

void vma_insert(struct vma *v)
{
	struct rb_node **link = &v->mm->vmas.node, *parent = NULL;

	while (*link) {
		struct vma *at = rb_entry(*link, struct vma, node);

		parent = *link;
		link = v->start < at->start ? &parent->left : &parent->right;
	}
	rb_insert(&v->mm->vmas, &v->node, parent, link);
	v->mm->nr_vmas++;
	mm_account(v, 1);
	if (v->file)
		list_add_tail(&v->inode_link, &v->file->inode->vmas);
}

void vma_remove(struct vma *v)
{
	mm_account(v, -1);
	list_del(&v->inode_link);
	rb_erase(&v->mm->vmas, &v->node);
	v->mm->nr_vmas--;
}

void vma_set_flags(struct vma *v, u32 flags)
{
	mm_account(v, -1);
	v->flags = flags;
	mm_account(v, 1);
}

void vma_resize(struct vma *v, uptr_t start, uptr_t end)
{
	mm_account(v, -1);
	v->pgoff += (start - v->start) >> PAGE_SHIFT; /* may go down: wraps as meant */
	v->start = start;
	v->end = end;
	mm_account(v, 1);
}

int mm_split_at(struct mm *mm, uptr_t at)
{
	struct vma *v = mm_find_vma(mm, at), *upper;

	if (!v || v->start >= at)
		return 0;
	if (mm->nr_vmas >= MM_VMAS_MAX)
		return -ENOMEM;
	upper = vma_new(mm, at, v->end, v->flags);
	if (!upper)
		return -ENOMEM;
	vma_set_file(upper, v->file, v->pgoff + ((at - v->start) >> PAGE_SHIFT));
	vma_resize(v, v->start, at);
	vma_insert(upper);
	return 0;
}

static bool vma_continues(const struct vma *a, const struct vma *b)
{
	if (a->end != b->start || a->flags != b->flags || a->file != b->file)
		return false;
	if (a->flags & (VMA_F_GROWSDOWN | VMA_F_VDSO | VMA_F_VVAR))
		return false;
	return !a->file || a->pgoff + vma_pages(a) == b->pgoff;
}

static void vma_absorb(struct vma *v, struct vma *next)
{
	uptr_t end = next->end;

	vma_remove(next);
	vma_free(next);
	vma_resize(v, v->start, end);
}

struct vma *vma_merge(struct vma *v)
{
	struct vma *prev = vma_prev(v), *next = vma_next(v);

	if (next && vma_continues(v, next))
		vma_absorb(v, next);
	if (prev && vma_continues(prev, v)) {
		prev->fault_lo = v->fault_lo;
		prev->fault_hi = v->fault_hi;
		prev->fault_window = v->fault_window;
		prev->fault_run = v->fault_run;
		vma_absorb(prev, v);
		v = prev;
	}
	return v;
}

bool mm_range_mapped(struct mm *mm, uptr_t start, uptr_t end)
{
	struct vma *v = mm_find_vma(mm, start);

	for (; v && v->start <= start; v = vma_next(v)) {
		start = v->end;
		if (start >= end)
			return true;
	}
	return start >= end;
}

uptr_t vma_gap_start(const struct vma *v)
{
	if (!(v->flags & VMA_F_GROWSDOWN))
		return v->start;
	return v->start > STACK_GUARD_GAP ? v->start - STACK_GUARD_GAP : 0;
}

bool mm_gap_free(struct mm *mm, uptr_t start, u64 len)
{
	struct vma *v = mm_find_vma(mm, start);

	return !v || v->start >= start + len;
}

/* Top-down: below `top`, between neighbours, from the highest. */
static uptr_t gap_below(struct mm *mm, u64 len, uptr_t top)
{
	struct vma *v = mm_find_vma(mm, top);
	uptr_t end = v ? MIN(top, vma_gap_start(v)) : top;

	v = v ? vma_prev(v) : mm_last_vma(mm);
	for (;;) {
		uptr_t low = v ? v->end : RF_MIN_USER_ADDRESS * 16;

		if (end > low && end - low >= len)
			return end - len;
		if (!v)
			return 0;
		end = MIN(end, vma_gap_start(v));
		v = vma_prev(v);
	}
}

uptr_t mm_find_gap(struct mm *mm, u64 len, uptr_t top)
{
	uptr_t at = gap_below(mm, len, top);

	return at ? at : gap_below(mm, len, RF_MAX_USER_ADDRESS - PAGE_SIZE);
}
