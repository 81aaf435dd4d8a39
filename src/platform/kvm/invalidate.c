/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dropping translations that the tables no longer have.
 *
 * KVM_INVALIDATE_SLOTS: a KVM that shadows guest page tables and does not notice the host's stores
 * to them. A slot flip drops every shadow page of the machine, after which every page in use is
 * faulted in again; so when only a few frames are concerned we drop the host's page-table entries
 * of these frames (MADV_DONTNEED on a shared mapping loses no data), of which KVM is notified and
 * drops what maps them. Tables taken out of use may be reused only after a flip, whoever asked for
 * it.
 *
 * KVM_INVALIDATE_CR3: nested paging. Each vCPU that may have the root cached reloads CR3 at its
 * next entry; one that is inside is brought out first.
 *
 * Both are deferred until the next entry or rf_address_space_flush(), so that many changes cost
 * one.
 */
#include "platform/kvm/kvm.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>

/* Tables of freed address spaces kept until a flip happens anyway. */
#define DEAD_TABLES_MAX 512u

static bool by_slots(const struct kvm_machine *m)
{
	return m->behaviour.invalidation == KVM_INVALIDATE_SLOTS;
}

/* ---- what to drop ---- */

static bool add_frames(struct kvm_address_space *as, gpa_t gpa, u64 len)
{
	struct kvm_frames *last = as->frames_count ? &as->frames[as->frames_count - 1] : NULL;

	as->frames_pages += len / PAGE_SIZE;
	if (as->frames_pages > KVM_FRAMES_PAGES)
		return false;
	if (last && last->gpa + last->len == gpa) {
		last->len += len;
		return true;
	}
	if (as->frames_count == KVM_FRAMES_MAX)
		return false;
	as->frames[as->frames_count++] = (struct kvm_frames){ gpa, len };
	return true;
}

static bool too_many(const struct kvm_address_space *as)
{
	return as->frames_pages > KVM_FRAMES_PAGES;
}

void kvm_invalidate_collect(struct kvm_address_space *as, u64 addr, u64 len)
{
	u64 end = addr + len;
	struct pt_mapping map;

	if (!by_slots(kvm_as_machine(as)))
		return;
	/* Nothing is cached yet, unless it first runs before the change is done: kvm_invalidate_unneeded() says. */
	if (!atomic_load(&as->ran)) {
		as->frames_pages = KVM_FRAMES_PAGES + 1;
		return;
	}
	while (addr < end && !too_many(as) && pt_next(&as->pt, addr, end, &map)) {
		u64 start = MAX(map.va, addr), stop = MIN(map.va + map.size, end);

		if (!add_frames(as, pt_mapping_gpa(&map, start), stop - start))
			as->frames_pages = KVM_FRAMES_PAGES + 1;
		addr = stop;
	}
}

static void forget_frames(struct kvm_address_space *as)
{
	as->frames_count = 0;
	as->frames_pages = 0;
}

void kvm_invalidate_unneeded(struct kvm_address_space *as)
{
	forget_frames(as);
	pt_freelist_release(&as->freed, &kvm_table_ops, kvm_as_machine(as));
}

static int drop_frames(struct kvm_machine *m, const struct kvm_address_space *as)
{
	for (u32 i = 0; i < as->frames_count; i++) {
		void *host = kvm_machine_gpa_to_host(m, as->frames[i].gpa);

		if (madvise(host, as->frames[i].len, MADV_DONTNEED))
			return -errno;
	}
	return 0;
}

/* ---- slots ---- */

static void release_dead(struct kvm_machine *m)
{
	pt_freelist_release(&m->dead, &kvm_table_ops, m);
}

/* flip_lock held. */
static int flip_locked(struct kvm_machine *m)
{
	int r;

	m->flip_gen++; /* first: what becomes stale from now on is not covered */
	r = kvm_memslot_flip(m);
	if (!r)
		release_dead(m);
	return r;
}

/*
 * Moves the tables @as no longer uses to the machine's list: they wait for a flip. flip_lock held.
 */
static void bury_freed(struct kvm_machine *m, struct kvm_address_space *as)
{
	while (as->freed.first) {
		void *table = as->freed.first;

		as->freed.first = *(void **)table;
		*(void **)table = m->dead.first;
		m->dead.first = table;
		m->dead.count++;
	}
	as->freed.count = 0;
}

/* as->lock and flip_lock held. */
static int drop_stale_slots(struct kvm_machine *m, struct kvm_address_space *as)
{
	int r = 0;

	if (as->stale_gen == m->flip_gen) {
		bool flip = too_many(as) || m->dead.count + as->freed.count > DEAD_TABLES_MAX;

		bury_freed(m, as);
		atomic_fetch_add(&m->invalidations, 1);
		if (flip || drop_frames(m, as)) /* fails on locked memory, for one */
			r = flip_locked(m);
	}
	return r;
}

static int invalidate_slots(struct kvm_address_space *as)
{
	struct kvm_machine *m = kvm_as_machine(as);
	int r = 0;

	pthread_mutex_lock(&as->lock);
	if (atomic_load(&as->stale)) {
		pthread_mutex_lock(&m->flip_lock);
		r = drop_stale_slots(m, as);
		if (!r) {
			forget_frames(as);
			atomic_store(&as->stale, false);
		}
		pthread_mutex_unlock(&m->flip_lock);
	}
	pthread_mutex_unlock(&as->lock);
	return r;
}

/* ---- CR3 ---- */

/* Waits until @v is outside KVM_RUN or has entered it anew, with its flush flag seen. */
static void kick_out(struct kvm_vcpu *v)
{
	u64 before = atomic_load(&v->entries);
	unsigned int spins = 0;

	if (!(before & 1))
		return;
	while (atomic_load(&v->entries) == before) {
		pid_t tid = atomic_load(&v->tid);

		if (tid && spins++ % 4096 == 0)
			kvm_signal_send(tid);
		sched_yield();
	}
}

static int invalidate_cr3(struct kvm_address_space *as)
{
	struct kvm_machine *m = kvm_as_machine(as);

	pthread_mutex_lock(&as->lock);
	if (atomic_load(&as->stale)) {
		atomic_fetch_add(&m->invalidations, 1);
		for (u32 i = 0; i < m->cpus; i++)
			if (atomic_load(&m->vcpus[i].loaded) == as)
				atomic_store(&m->vcpus[i].flush, true);
		for (u32 i = 0; i < m->cpus; i++)
			if (atomic_load(&m->vcpus[i].running) == as)
				kick_out(&m->vcpus[i]);
		pt_freelist_release(&as->freed, &kvm_table_ops, m);
		atomic_store(&as->stale, false);
	}
	pthread_mutex_unlock(&as->lock);
	return 0;
}

/* ---- interface ---- */

void kvm_invalidate_later(struct kvm_address_space *as)
{
	struct kvm_machine *m = kvm_as_machine(as);

	pthread_mutex_lock(&m->flip_lock);
	as->stale_gen = m->flip_gen;
	atomic_store(&as->stale, true);
	pthread_mutex_unlock(&m->flip_lock);
}

int kvm_invalidate_now(struct kvm_address_space *as)
{
	if (!atomic_load(&as->stale))
		return 0;
	return by_slots(kvm_as_machine(as)) ? invalidate_slots(as) : invalidate_cr3(as);
}

int kvm_invalidate_before_entry(struct kvm_address_space *as, struct kvm_vcpu *v)
{
	return kvm_invalidate_now(as);
}

int kvm_invalidate_all(struct kvm_machine *m)
{
	int r;

	pthread_mutex_lock(&m->flip_lock);
	r = m->dead.first ? flip_locked(m) : -ENOMEM;
	pthread_mutex_unlock(&m->flip_lock);
	return r;
}

/* free_table() of an address space that has run: to the machine's list instead of the pool. */
static void dead_free(void *ctx, void *table)
{
	struct kvm_machine *m = ctx;

	*(void **)table = m->dead.first;
	m->dead.first = table;
	m->dead.count++;
}

void kvm_invalidate_bury(struct kvm_address_space *as)
{
	struct kvm_machine *m = kvm_as_machine(as);
	struct pt_alloc_ops ops = kvm_table_ops;

	pthread_mutex_lock(&m->flip_lock);
	if (atomic_load(&as->ran) && by_slots(m)) {
		ops.free_table = dead_free;
		bury_freed(m, as);
	} else {
		pt_freelist_release(&as->freed, &kvm_table_ops, m);
	}
	as->pt.ops = &ops;
	pt_done(&as->pt);
	if (m->dead.count > 4 * DEAD_TABLES_MAX)
		flip_locked(m);
	pthread_mutex_unlock(&m->flip_lock);
}
