/* SPDX-License-Identifier: Apache-2.0 */
/* Address spaces: a page table each, with the shared slot installed. */
#include "platform/kvm/kvm.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ  22
#define MADV_POPULATE_WRITE 23
#endif

static struct kvm_address_space *kvm_as(struct rf_address_space *as)
{
	return container_of(as, struct kvm_address_space, base);
}

struct kvm_machine *kvm_as_machine(struct kvm_address_space *as)
{
	return kvm_machine(as->base.machine);
}

/* ---- tables ---- */

static void *table_alloc(void *ctx)
{
	struct kvm_machine *m = ctx;
	void *page = kvm_pool_alloc(&m->pool);

	/* The last resort: tables of address spaces that are gone wait for an invalidation. */
	if (!page && !kvm_invalidate_all(m))
		page = kvm_pool_alloc(&m->pool);
	return page;
}

static void table_free(void *ctx, void *table)
{
	struct kvm_machine *m = ctx;

	kvm_pool_free(&m->pool, table);
}

static u64 table_gpa(void *ctx, const void *table)
{
	struct kvm_machine *m = ctx;

	return kvm_pool_gpa(&m->pool, table);
}

static void *table_virt(void *ctx, u64 gpa)
{
	struct kvm_machine *m = ctx;

	return kvm_pool_virt(&m->pool, gpa);
}

const struct pt_alloc_ops kvm_table_ops = {
	.alloc_table = table_alloc,
	.free_table = table_free,
	.virt_to_gpa = table_gpa,
	.gpa_to_virt = table_virt,
};

/* ---- life ---- */

int kvm_as_new(struct rf_machine *base, struct rf_address_space **ret)
{
	struct kvm_machine *m = kvm_machine(base);
	struct kvm_address_space *as;
	int r;

	if (atomic_fetch_add(&m->spaces, 1) >= RF_MAX_ADDRESS_SPACES) {
		atomic_fetch_sub(&m->spaces, 1);
		return -ENOSPC;
	}
	as = calloc(1, sizeof(*as));
	if (!as) {
		atomic_fetch_sub(&m->spaces, 1);
		return -ENOMEM;
	}
	as->base.machine = base;
	r = pt_init(&as->pt, &kvm_table_ops, m);
	if (!r) {
		r = pt_install_shared(&as->pt, KVM_SHARED_PML4_SLOT,
				      pt_slot_entry(&m->shared, KVM_SHARED_PML4_SLOT));
		if (r)
			pt_done(&as->pt);
	}
	if (r) {
		atomic_fetch_sub(&m->spaces, 1);
		free(as);
		return r;
	}
	pthread_mutex_init(&as->lock, NULL);
	*ret = &as->base;
	return 0;
}

/* A vCPU that has this root loaded must not take a later one at the same place for it. */
static void forget_root(struct kvm_machine *m, struct kvm_address_space *as)
{
	for (u32 i = 0; i < m->cpus; i++) {
		struct kvm_address_space *expected = as;

		if (atomic_compare_exchange_strong(&m->vcpus[i].loaded, &expected, NULL))
			atomic_store(&m->vcpus[i].flush, true);
	}
}

void kvm_as_free(struct rf_address_space *base)
{
	struct kvm_address_space *as = kvm_as(base);
	struct kvm_machine *m = kvm_as_machine(as);

	forget_root(m, as);
	kvm_invalidate_bury(as);
	pthread_mutex_destroy(&as->lock);
	free(as);
	atomic_fetch_sub(&m->spaces, 1);
}

/* ---- mappings ---- */

/* Must be called with as->lock held, after every change. */
static void note_change(struct kvm_address_space *as, const struct pt_change *change)
{
	if (atomic_load(&as->ran)) {
		if (change->present_changed || as->freed.first)
			kvm_invalidate_later(as);
	} else {
		kvm_invalidate_unneeded(as);
	}
}

/*
 * Has the host find memory now instead of at the first touch. A hint: what cannot be had is left to
 * that touch, and so is all on Linux before 5.14.
 */
static void precommit_file(struct rf_machine *m, u64 offset, u64 len, u32 prot)
{
	madvise((u8 *)m->memory.base + offset, len,
		prot & RF_WRITE ? MADV_POPULATE_WRITE : MADV_POPULATE_READ);
}

int kvm_as_map_file(struct rf_address_space *base, u64 addr, u64 offset, u64 len, u32 prot,
		    bool precommit)
{
	struct kvm_address_space *as = kvm_as(base);
	u32 flags = PT_USER | PT_ACCESSED | (prot & RF_WRITE ? PT_DIRTY : 0);
	bool large = kvm_as_machine(as)->boot_features & RF_BOOT_F_1G;
	struct pt_change change;
	int r;

	if (precommit)
		precommit_file(base->machine, offset, len, prot);
	pt_change_init(&change);
	pthread_mutex_lock(&as->lock);
	kvm_invalidate_collect(as, addr, len);
	r = pt_map(&as->pt, addr, base->machine->memory.gpa + offset, len, prot | flags,
		   large ? PT_SIZE_1G : PT_SIZE_2M, &as->freed, &change);
	note_change(as, &change);
	pthread_mutex_unlock(&as->lock);
	return r;
}

int kvm_as_unmap(struct rf_address_space *base, u64 addr, u64 len)
{
	struct kvm_address_space *as = kvm_as(base);
	struct pt_change change;
	int r;

	pt_change_init(&change);
	pthread_mutex_lock(&as->lock);
	kvm_invalidate_collect(as, addr, len);
	r = pt_unmap(&as->pt, addr, len, &as->freed, &change);
	note_change(as, &change);
	pthread_mutex_unlock(&as->lock);
	return r;
}

/*
 * Takes the permissions not in @mask from one run of pages with equal permissions. @ret_end: where
 * it ended. The range is walked mapping by mapping, as pt_protect() gives one permission to all.
 */
static int protect_run(struct kvm_address_space *as, u64 addr, u64 end, u32 mask,
		       struct pt_change *change, u64 *ret_end)
{
	const u32 all = PT_READ | PT_WRITE | PT_EXEC;
	struct pt_mapping first, next;
	u64 start, stop;
	u32 prot;

	*ret_end = end;
	if (!pt_next(&as->pt, addr, end, &first))
		return 0;
	start = MAX(first.va, addr);
	stop = MIN(first.va + first.size, end);
	while (stop < end && pt_next(&as->pt, stop, end, &next) && next.va == stop &&
	       (next.prot & all) == (first.prot & all))
		stop = MIN(next.va + next.size, end);
	*ret_end = stop;
	prot = first.prot & mask & all;
	if (prot == (first.prot & all))
		return 0;
	if (!prot)
		return pt_unmap(&as->pt, start, stop - start, &as->freed, change);
	return pt_protect(&as->pt, start, stop - start, prot | PT_USER, change);
}

int kvm_as_protect(struct rf_address_space *base, u64 addr, u64 len, u32 mask)
{
	struct kvm_address_space *as = kvm_as(base);
	struct pt_change change;
	u64 at = addr, end = addr + len;
	int r = 0;

	pt_change_init(&change);
	pthread_mutex_lock(&as->lock);
	kvm_invalidate_collect(as, addr, len);
	while (!r && at < end)
		r = protect_run(as, at, end, mask, &change, &at);
	note_change(as, &change);
	pthread_mutex_unlock(&as->lock);
	return r;
}

int kvm_as_next(struct rf_address_space *base, u64 addr, u64 end, u64 *ret_addr, u64 *ret_offset,
		u32 *ret_prot)
{
	struct kvm_address_space *as = kvm_as(base);
	struct pt_mapping map;
	bool found;
	u64 at;

	pthread_mutex_lock(&as->lock);
	found = pt_next(&as->pt, addr, end, &map);
	pthread_mutex_unlock(&as->lock);
	if (!found)
		return 0;
	at = MAX(map.va, addr);
	*ret_addr = at;
	*ret_offset = pt_mapping_gpa(&map, at) - base->machine->memory.gpa;
	*ret_prot = map.prot & (PT_READ | PT_WRITE | PT_EXEC);
	return 1;
}

int kvm_as_flush(struct rf_address_space *base)
{
	return kvm_invalidate_now(kvm_as(base));
}
