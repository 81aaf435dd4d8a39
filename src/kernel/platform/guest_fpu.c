/* SPDX-License-Identifier: Apache-2.0 */
/* FPU state in residency guest: saved when a task is switched away from, loaded when it next runs user code, unless it is still there. */
#include "kernel/platform/fpu.h"

#include "abi/linux/errno.h"
#include "base/bug.h"
#include "base/string.h"
#include "kernel/core/internal.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/platform/guest.h"
#include "kernel/proc/task.h"

static bool use_xsave, use_xsaveopt;
static u32 xcr0_lo, xcr0_hi;

void guest_fpu_init(void)
{
	const struct boot_info *b = boot_info();

	use_xsave = b->boot_features & RF_BOOT_F_XSAVE;
	use_xsaveopt = b->boot_features & RF_BOOT_F_XSAVEOPT;
	xcr0_lo = (u32)b->xcr0;
	xcr0_hi = (u32)(b->xcr0 >> 32);
}

static __hot void fpu_save(void *area)
{
	if (use_xsaveopt)
		__asm__ volatile("xsaveopt64 (%0)"
				 :
				 : "r"(area), "a"(xcr0_lo), "d"(xcr0_hi)
				 : "memory");
	else if (use_xsave)
		__asm__ volatile("xsave64 (%0)"
				 :
				 : "r"(area), "a"(xcr0_lo), "d"(xcr0_hi)
				 : "memory");
	else
		__asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory");
}

__hot void guest_fpu_load(struct cpu *c, struct task *t)
{
	if (use_xsave)
		__asm__ volatile("xrstor64 (%0)"
				 :
				 : "r"(t->fpu), "a"(xcr0_lo), "d"(xcr0_hi)
				 : "memory");
	else
		__asm__ volatile("fxrstor64 (%0)" : : "r"(t->fpu) : "memory");
	c->fpu_owner = t;
	t->fpu_cpu = (u32)c->id;
}

static void fpu_sync(struct task *t)
{
	if (t->fpu_valid)
		return;
	/* Only this CPU's registers can be newer than the area: a switch saves them. */
	BUG_ON(this_cpu()->fpu_owner != t);
	fpu_save(t->fpu);
	t->fpu_valid = true;
}

/* The area was written: whatever registers hold of it is old. */
static void fpu_area_changed(struct task *t)
{
	t->fpu_valid = true;
	t->fpu_cpu = ~0u;
}

void guest_fpu_get(struct task *t, void *buf)
{
	fpu_sync(t);
	memcpy(buf, t->fpu, boot_info()->xsave_size);
	fpu_image_complete(buf);
}

void guest_fpu_set(struct task *t, const void *buf)
{
	memcpy(t->fpu, buf, boot_info()->xsave_size);
	fpu_sanitize(t->fpu);
	fpu_area_changed(t);
}

void guest_fpu_reset(struct task *t)
{
	fpu_image_init(t->fpu);
	fpu_area_changed(t);
}

/* A size whose blocks are aligned to 64: powers of two are. */
static size_t fpu_area_size(void)
{
	size_t n = 1024;

	while (n < boot_info()->xsave_size)
		n *= 2;
	return n;
}

int guest_task_init(struct task *t)
{
	t->fpu = kmalloc(fpu_area_size());
	if (!t->fpu)
		return -ENOMEM;
	guest_fpu_reset(t);
	return 0;
}

void guest_task_done(struct task *t)
{
	for (unsigned i = 0; i < nr_cpus; i++) {
		struct task *gone = t;

		/* In one step: the other CPU may be loading another task's state, without the lock. */
		__atomic_compare_exchange_n(&cpus[i].fpu_owner, &gone, NULL, false,
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	}
	kfree(t->fpu);
	t->fpu = NULL;
}

__hot void guest_task_switched(struct task *prev, struct task *next)
{
	if (prev->fpu && this_cpu()->fpu_owner == prev)
		fpu_sync(prev);
}
