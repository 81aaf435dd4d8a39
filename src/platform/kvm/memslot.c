/* SPDX-License-Identifier: Apache-2.0 */
/* Guest memory: slots, and the pool the platform's own tables come from. */
#include "platform/kvm/kvm.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

int kvm_memslot_set(struct kvm_machine *m, u32 slot, gpa_t gpa, void *host, u64 size)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (u64)(uintptr_t)host,
	};

	return kvm_ioctl(m->fd, KVM_SET_USER_MEMORY_REGION, &region);
}

/*
 * Makes KVM drop every shadow page: deleting any slot does. Costs tens of microseconds and nothing
 * else, as the slot is a page nobody refers to.
 */
int kvm_memslot_flip(struct kvm_machine *m)
{
	int r = kvm_memslot_set(m, KVM_SLOT_FLIP, KVM_FLIP_GPA, m->pool.base, PAGE_SIZE);

	return r ? r : kvm_memslot_set(m, KVM_SLOT_FLIP, KVM_FLIP_GPA, m->pool.base, 0);
}

void *kvm_machine_gpa_to_host(struct kvm_machine *m, gpa_t gpa)
{
	const struct rf_memory *mem = &m->base.memory;

	if (gpa >= KVM_POOL_GPA && gpa - KVM_POOL_GPA < m->pool.size)
		return kvm_pool_virt(&m->pool, gpa);
	if (gpa >= mem->gpa && gpa - mem->gpa < mem->size)
		return (u8 *)mem->base + (gpa - mem->gpa);
	return NULL;
}

/* ---- the pool ---- */

int kvm_pool_init(struct kvm_pool *pool, u64 size)
{
	void *base = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (base == MAP_FAILED)
		return -errno;
	/* Pages come and go one by one: a huge page would make an idle sandbox pay for 2 MiB. */
	madvise(base, size, MADV_NOHUGEPAGE);
	madvise(base, size, MADV_DONTFORK);
	*pool = (struct kvm_pool){ .base = base, .size = size };
	pthread_mutex_init(&pool->lock, NULL);
	return 0;
}

void kvm_pool_done(struct kvm_pool *pool)
{
	if (!pool->base)
		return;
	munmap(pool->base, pool->size);
	pthread_mutex_destroy(&pool->lock);
	pool->base = NULL;
}

void *kvm_pool_alloc(struct kvm_pool *pool)
{
	void *page = NULL;
	bool recycled = false;

	pthread_mutex_lock(&pool->lock);
	if (pool->free) {
		page = pool->free;
		pool->free = *(void **)page;
		pool->free_count--;
		recycled = true;
	} else if (pool->used < pool->size) {
		page = pool->base + pool->used;
		pool->used += PAGE_SIZE;
	}
	pthread_mutex_unlock(&pool->lock);
	if (recycled)
		memset(page, 0, PAGE_SIZE);
	return page;
}

void kvm_pool_free(struct kvm_pool *pool, void *page)
{
	pthread_mutex_lock(&pool->lock);
	*(void **)page = pool->free;
	pool->free = page;
	pool->free_count++;
	pthread_mutex_unlock(&pool->lock);
}

gpa_t kvm_pool_gpa(const struct kvm_pool *pool, const void *page)
{
	return KVM_POOL_GPA + (u64)((const u8 *)page - pool->base);
}

void *kvm_pool_virt(const struct kvm_pool *pool, gpa_t gpa)
{
	return pool->base + (gpa - KVM_POOL_GPA);
}
