/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/mm/vdso.h"

#include "abi/linux/mman.h"
#include "kernel/mm/internal.h"
#include "kernel/vdso/vvar.h"

extern const unsigned char vdso_image_start[], vdso_image_end[]; /* vdso_image.S */

static union {
	struct vvar data;
	u8 page[VVAR_SIZE];
} vvar __aligned(4096);

/* Copies the monitor's parameters when it is not just writing them; next time is soon enough. */
void vvar_update(void)
{
	const struct time_params *from = &boot_info()->time;
	struct time_params *to = &vvar.data.time, copy;
	u32 seq = __atomic_load_n(&from->seq, __ATOMIC_ACQUIRE);

	if ((seq & 1) || (seq == to->seq && to->mult))
		return;
	copy = *from;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (READ_ONCE(from->seq) != seq)
		return;
	__atomic_store_n(&to->seq, to->seq | 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	copy.seq = seq | 1;
	*to = copy;
	__atomic_store_n(&to->seq, seq, __ATOMIC_RELEASE);
}

static u64 image_offset(const void *p)
{
	return (u64)p - RF_ARENA_BASE;
}

int vdso_fault(struct vma *v, uptr_t va)
{
	u64 off = (v->pgoff << PAGE_SHIFT) + (va - v->start);
	u64 base = v->flags & VMA_F_VVAR ? image_offset(&vvar) : image_offset(vdso_image_start);

	return kplat->as_map(&v->mm->as, va, base + off, PAGE_SIZE, v->flags & VMA_F_ACCESS);
}

int vdso_map(struct mm *mm)
{
	u64 size = (u64)(vdso_image_end - vdso_image_start);
	s64 at;
	int r;

	vvar_update();
	if (boot_info()->residency == RF_RESIDENCY_GUEST)
		vvar.data.cpu_selector = VVAR_CPU_SELECTOR;
	at = mm_map(mm, 0, VVAR_SIZE + size, RF_READ, MAP_PRIVATE, NULL, 0, VMA_F_VVAR);
	if (at < 0)
		return (int)at;
	r = mm_unmap(mm, (uptr_t)at + VVAR_SIZE, size);
	if (r == 0) {
		mm->vdso = (uptr_t)at + VVAR_SIZE;
		at = mm_map(mm, mm->vdso, size, RF_READ | RF_EXEC, MAP_PRIVATE | MAP_FIXED, NULL, 0,
			    VMA_F_VDSO);
		r = at < 0 ? (int)at : 0;
	}
	if (r == 0)
		r = mm_populate(mm, mm->vdso - VVAR_SIZE, mm->vdso + size, RF_READ);
	return r;
}
