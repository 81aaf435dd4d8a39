/* SPDX-License-Identifier: Apache-2.0 */
/* The fake platform: see fake.h. One lock for everything; speed does not matter here. */
#include "platform/fake/fake.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define FAKE_FPU_SIZE 576u

struct fake_machine {
	struct rf_machine base;
	bool owns_memory;
	u32 cpus;
	_Atomic u64 switches;
	_Atomic bool kicked[RF_MAX_CPUS];
};

/* Sorted by address. */
struct fake_page {
	struct fake_page *next;
	u64 addr, offset;
	u32 prot;
};

struct fake_address_space {
	struct rf_address_space base;
	struct fake_page *pages;
	u64 flushes;
};

struct fake_context {
	struct rf_context base;
	fake_program_fn *program;
	void *arg;
	_Atomic bool running, interrupted, preempted;
	u8 fpu[FAKE_FPU_SIZE];
};

static pthread_mutex_t fake_lock = PTHREAD_MUTEX_INITIALIZER;

static struct fake_machine *fake_machine(struct rf_machine *m)
{
	return container_of(m, struct fake_machine, base);
}

static struct fake_address_space *fake_as(struct rf_address_space *as)
{
	return container_of(as, struct fake_address_space, base);
}

static struct fake_context *fake_context(struct rf_context *c)
{
	return container_of(c, struct fake_context, base);
}

/* ---- machine ---- */

static int fake_machine_new(int device, const struct rf_options *opts, struct rf_machine **ret,
			    struct rf_error *err)
{
	struct fake_machine *m = calloc(1, sizeof(*m));

	if (!m)
		return rf_error_set(err, -ENOMEM, "no memory for a machine");
	m->base.platform = &fake_platform;
	m->base.memory = opts->memory;
	m->cpus = opts->cpus;
	if (!m->base.memory.gpa)
		m->base.memory.gpa = RF_ARENA_GPA;
	if (!m->base.memory.base) {
		m->base.memory.base = aligned_alloc(PAGE_SIZE, opts->memory.size);
		m->owns_memory = true;
		if (!m->base.memory.base) {
			free(m);
			return rf_error_set(err, -ENOMEM, "no memory for 0x%lx bytes",
					    opts->memory.size);
		}
		memset(m->base.memory.base, 0, opts->memory.size);
	}
	*ret = &m->base;
	return 0;
}

static void fake_machine_free(struct rf_machine *base)
{
	struct fake_machine *m = fake_machine(base);

	if (m->owns_memory)
		free(m->base.memory.base);
	free(m);
}

static void fake_machine_traits(const struct rf_machine *base, struct rf_traits *ret)
{
	*ret = (struct rf_traits){
		.supports_address_space_io = true,
		.has_cpu_numbers = true,
		.concurrency_count = ((const struct fake_machine *)base)->cpus,
		.min_user_address = RF_MIN_USER_ADDRESS,
		.max_user_address = RF_MAX_USER_ADDRESS,
	};
}

static void fake_machine_stats(const struct rf_machine *base, struct rf_stats *ret)
{
	ret->switches = ((const struct fake_machine *)base)->switches;
}

static int fake_memory_barrier(struct rf_machine *m)
{
	atomic_thread_fence(memory_order_seq_cst);
	return 0;
}

static void fake_interrupt_cpu(struct rf_machine *m, u32 cpu)
{
	if (cpu < fake_machine(m)->cpus)
		atomic_store(&fake_machine(m)->kicked[cpu], true);
}

/* ---- address spaces ---- */

static int fake_as_new(struct rf_machine *m, struct rf_address_space **ret)
{
	struct fake_address_space *as = calloc(1, sizeof(*as));

	if (!as)
		return -ENOMEM;
	as->base.machine = m;
	*ret = &as->base;
	return 0;
}

/* The link that points to the first page at or after @addr. */
static struct fake_page **find(struct fake_address_space *as, u64 addr)
{
	struct fake_page **link = &as->pages;

	while (*link && (*link)->addr < addr)
		link = &(*link)->next;
	return link;
}

static void remove_range(struct fake_address_space *as, u64 addr, u64 len)
{
	struct fake_page **link = find(as, addr);

	while (*link && (*link)->addr < addr + len) {
		struct fake_page *page = *link;

		*link = page->next;
		free(page);
	}
}

static int insert_range(struct fake_address_space *as, u64 addr, u64 offset, u64 len, u32 prot)
{
	struct fake_page **link = find(as, addr);

	for (u64 at = 0; at < len; at += PAGE_SIZE) {
		struct fake_page *page = malloc(sizeof(*page));

		if (!page)
			return -ENOMEM;
		*page = (struct fake_page){ *link, addr + at, offset + at, prot };
		*link = page;
		link = &page->next;
	}
	return 0;
}

static int fake_map_file(struct rf_address_space *as, u64 addr, u64 offset, u64 len, u32 prot,
			 bool precommit)
{
	int r;

	pthread_mutex_lock(&fake_lock);
	remove_range(fake_as(as), addr, len);
	r = insert_range(fake_as(as), addr, offset, len, prot | RF_READ);
	pthread_mutex_unlock(&fake_lock);
	return r;
}

static int fake_unmap(struct rf_address_space *as, u64 addr, u64 len)
{
	pthread_mutex_lock(&fake_lock);
	remove_range(fake_as(as), addr, len);
	pthread_mutex_unlock(&fake_lock);
	return 0;
}

static int fake_protect(struct rf_address_space *as, u64 addr, u64 len, u32 mask)
{
	struct fake_page **link;

	pthread_mutex_lock(&fake_lock);
	link = find(fake_as(as), addr);
	while (*link && (*link)->addr < addr + len) {
		struct fake_page *page = *link;

		page->prot &= mask;
		if (page->prot) {
			link = &page->next;
			continue;
		}
		*link = page->next;
		free(page);
	}
	pthread_mutex_unlock(&fake_lock);
	return 0;
}

static int fake_next(struct rf_address_space *as, u64 addr, u64 end, u64 *ret_addr, u64 *ret_offset,
		     u32 *ret_prot)
{
	struct fake_page *page;
	int found;

	pthread_mutex_lock(&fake_lock);
	page = *find(fake_as(as), addr);
	found = page && page->addr < end;
	if (found) {
		*ret_addr = page->addr;
		*ret_offset = page->offset;
		*ret_prot = page->prot;
	}
	pthread_mutex_unlock(&fake_lock);
	return found;
}

static int fake_flush(struct rf_address_space *as)
{
	fake_as(as)->flushes++;
	return 0;
}

u64 fake_flush_count(const struct rf_address_space *as)
{
	return ((const struct fake_address_space *)as)->flushes;
}

static void fake_as_free(struct rf_address_space *as)
{
	remove_range(fake_as(as), 0, RF_MAX_USER_ADDRESS);
	free(fake_as(as));
}

/* ---- contexts ---- */

static int fake_fpu_reset(struct rf_context *base)
{
	static const u16 fcw = 0x37f;
	static const u32 mxcsr = 0x1f80;
	struct fake_context *c = fake_context(base);

	memset(c->fpu, 0, sizeof(c->fpu));
	memcpy(c->fpu, &fcw, sizeof(fcw));
	memcpy(c->fpu + 24, &mxcsr, sizeof(mxcsr));
	return 0;
}

static int fake_context_new(struct rf_machine *m, struct rf_context **ret)
{
	struct fake_context *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->base.machine = m;
	fake_fpu_reset(&c->base);
	*ret = &c->base;
	return 0;
}

static void fake_context_free(struct rf_context *c)
{
	free(fake_context(c));
}

void fake_context_set_program(struct rf_context *c, fake_program_fn *program, void *arg)
{
	fake_context(c)->program = program;
	fake_context(c)->arg = arg;
}

static bool requested(struct fake_context *c, u32 cpu, struct rf_trap *t)
{
	if (atomic_exchange(&c->interrupted, false) ||
	    atomic_exchange(&fake_machine(c->base.machine)->kicked[cpu], false))
		t->kind = RF_TRAP_INTERRUPT;
	else if (atomic_exchange(&c->preempted, false))
		t->kind = RF_TRAP_PREEMPT;
	return t->kind != RF_TRAP_NONE;
}

static int fake_switch(struct rf_context *base, struct rf_address_space *as, struct rf_regs *regs,
		       u32 cpu, struct rf_trap *ret)
{
	struct fake_context *c = fake_context(base);
	struct fake_machine *m = fake_machine(base->machine);

	if (cpu >= m->cpus)
		return -EINVAL;
	*ret = (struct rf_trap){ .cpu = cpu };
	regs->orig_rax = ~0ull;
	m->switches++;
	atomic_store(&c->preempted, false);
	atomic_store(&c->running, true);
	while (!requested(c, cpu, ret) && ret->kind == RF_TRAP_NONE) {
		if (!c->program) {
			ret->kind = RF_TRAP_ERROR;
			ret->code = -ENOEXEC;
			break;
		}
		c->program(c->arg, as, regs, ret);
		if (ret->kind == RF_TRAP_SYSCALL)
			regs->orig_rax = regs->rax;
		if (ret->kind != RF_TRAP_NONE)
			break;
	}
	atomic_store(&c->running, false);
	return 0;
}

static void fake_interrupt(struct rf_context *c)
{
	atomic_store(&fake_context(c)->interrupted, true);
}

static void fake_preempt(struct rf_context *c)
{
	if (atomic_load(&fake_context(c)->running))
		atomic_store(&fake_context(c)->preempted, true);
}

static size_t fake_fpu_size(const struct rf_machine *m)
{
	return FAKE_FPU_SIZE;
}

static int fake_fpu_get(struct rf_context *c, void *buf, size_t size)
{
	memcpy(buf, fake_context(c)->fpu, FAKE_FPU_SIZE);
	return 0;
}

static int fake_fpu_set(struct rf_context *c, const void *buf, size_t size)
{
	memcpy(fake_context(c)->fpu, buf, FAKE_FPU_SIZE);
	return 0;
}

const struct rf_platform fake_platform = {
	.name = "fake",
	.machine_new = fake_machine_new,
	.machine_free = fake_machine_free,
	.machine_traits = fake_machine_traits,
	.machine_stats = fake_machine_stats,
	.machine_memory_barrier = fake_memory_barrier,
	.machine_interrupt_cpu = fake_interrupt_cpu,
	.as_new = fake_as_new,
	.as_free = fake_as_free,
	.as_map_file = fake_map_file,
	.as_unmap = fake_unmap,
	.as_protect = fake_protect,
	.as_next = fake_next,
	.as_flush = fake_flush,
	.context_new = fake_context_new,
	.context_free = fake_context_free,
	.context_switch = fake_switch,
	.context_interrupt = fake_interrupt,
	.context_preempt = fake_preempt,
	.fpu_size = fake_fpu_size,
	.context_get_fpu = fake_fpu_get,
	.context_set_fpu = fake_fpu_set,
	.context_reset_fpu = fake_fpu_reset,
};
