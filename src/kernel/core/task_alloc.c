/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of tasks: struct task, kernel stacks, platform part. */
#include "base/bug.h"
#include "base/string.h"
#include "kernel/core/cpu.h"
#include "kernel/core/host.h"
#include "kernel/core/internal.h"
#include "kernel/core/sched.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/platform/kplat.h"
#include "kernel/proc/task.h"

#define KSTACK_CANARY 0x6b636174734b6652ull

/* Stacks ever used are [0, used); free ones are linked through their lowest word above the canary, last in first out. */
static struct {
	u64 base, limit; /* arena addresses */
	u64 used;        /* slots */
	void *free;
} kstacks;

void kstack_init(void)
{
	const struct boot_info *b = boot_info();

	kstacks.base = RF_ARENA_BASE + b->stacks_start;
	kstacks.limit = (b->arena_size - b->stacks_start) / KSTACK_SLOT;
}

void *kstack_alloc(void)
{
	u64 *stack = kstacks.free;
	u64 slot;

	if (stack) {
		kstacks.free = (void *)stack[1];
		return stack;
	}
	if (kstacks.used == kstacks.limit)
		return NULL;
	slot = kstacks.base + kstacks.used++ * KSTACK_SLOT;
	/* In residency guest the monitor's page tables decide; there the canary has to do. */
	if (boot_info()->residency == RF_RESIDENCY_HOST &&
	    hc(HC_GUARD, slot - RF_ARENA_BASE, PAGE_SIZE) < 0)
		klog(1, "no guard page for kernel stack %lu", kstacks.used);
	stack = (u64 *)(slot + PAGE_SIZE);
	stack[0] = KSTACK_CANARY;
	return stack;
}

void kstack_free(void *stack)
{
	if (!stack)
		return;
	BUG_ON(*(u64 *)stack != KSTACK_CANARY);
	((u64 *)stack)[1] = (u64)kstacks.free;
	kstacks.free = stack;
}

void kstack_check(const struct task *t)
{
	if (t->kstack && unlikely(*(const u64 *)t->kstack != KSTACK_CANARY))
		panic("kernel stack overflow in task %d (%s), call %lu", t->tid, t->comm,
		      t->syscall_nr);
}

struct task *task_alloc(void)
{
	struct task *t = kzalloc(sizeof(*t));

	if (!t)
		return NULL;
	t->refs = 1;
	t->cpu_mask = ~0ull;
	t->cpu = (u32)this_cpu()->id;
	list_init(&t->run_node);
	list_init(&t->thread_node);
	list_init(&t->tid_hash);
	list_init(&t->pending.queue);
	t->kstack = kstack_alloc();
	if (!t->kstack)
		goto fail;
	if (kplat->task_init(t) < 0)
		goto fail;
	return t;
fail:
	kstack_free(t->kstack);
	kfree(t);
	return NULL;
}

void task_free(struct task *t)
{
	BUG_ON(t->on_cpu || t->on_runqueue);
	if (t->kstack) {
		kplat->task_done(t);
		kstack_free(t->kstack);
	}
	kfree(t);
}
