/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The public functions: check arguments once for every platform, then call through its table.
 */
#include "platform/platform.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "platform/guard.h"

#define CALL(object, op, ...) ((object)->op ? (object)->op(__VA_ARGS__) : -ENOSYS)

int rf_error_set(struct rf_error *err, int code, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return code;
	err->code = code;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return code;
}

uint32_t rf_platform_version(void)
{
	return RF_PLATFORM_VERSION;
}

/* ---- construction ---- */

int rf_platform_open_device(const struct rf_platform *p, const char *path, int *ret_fd,
			    struct rf_error *err)
{
	if (!p->open_device) {
		*ret_fd = -1;
		return 0;
	}
	return p->open_device(path && path[0] ? path : NULL, ret_fd, err);
}

void rf_platform_requirements(const struct rf_platform *p, struct rf_requirements *ret)
{
	*ret = p->requirements;
}

size_t rf_platform_host_filter(const struct rf_platform *p, const struct rf_host_call **ret)
{
	*ret = p->host_filter;
	return p->host_filter_count;
}

int rf_platform_probe(const struct rf_platform *p, int device, struct rf_probe *ret,
		      struct rf_error *err)
{
	*ret = (struct rf_probe){ 0 };
	if (!p->probe)
		return rf_error_set(err, -ENOSYS, "platform %s has no probe", p->name);
	return p->probe(device, ret, err);
}

static int options_check(const struct rf_options *o, struct rf_error *err)
{
	const struct rf_memory *mem = &o->memory;

	if (o->cpus < 1 || o->cpus > RF_MAX_CPUS)
		return rf_error_set(err, -EINVAL, "%u CPUs: must be 1 to %u", o->cpus, RF_MAX_CPUS);
	if (o->residency != RF_RESIDENCY_HOST && o->residency != RF_RESIDENCY_GUEST)
		return rf_error_set(err, -EINVAL, "unknown residency %u",
				    (unsigned int)o->residency);
	if (!mem->size || mem->size % PAGE_SIZE || mem->size > RF_ARENA_MAX)
		return rf_error_set(err, -EINVAL,
				    "memory of 0x%lx bytes: must be a multiple of 4096 up to 0x%lx",
				    mem->size, RF_ARENA_MAX);
	if ((u64)(uintptr_t)mem->base % PAGE_SIZE || mem->gpa % PAGE_SIZE ||
	    (mem->gpa && mem->gpa < RF_ARENA_GPA) || mem->gpa > RF_ARENA_MAX)
		return rf_error_set(err, -EINVAL, "memory at %p, guest-physical 0x%lx: bad address",
				    mem->base, mem->gpa);
	return 0;
}

int rf_machine_new(const struct rf_platform *p, int device, const struct rf_options *opts,
		   struct rf_machine **ret, struct rf_error *err)
{
	int r = options_check(opts, err);

	if (!r && !p->machine_new)
		r = rf_error_set(err, -ENOSYS, "platform %s makes no machines", p->name);
	if (!r) {
		r = guard_init();
		if (r)
			rf_error_set(err, r, "a handler for SIGBUS: %s", strerror(-r));
	}
	if (r) {
		if (device >= 0)
			close(device);
		return r;
	}
	return p->machine_new(device, opts, ret, err);
}

void rf_machine_free(struct rf_machine *m)
{
	if (m)
		m->platform->machine_free(m);
}

void rf_machine_traits(const struct rf_machine *m, struct rf_traits *ret)
{
	*ret = (struct rf_traits){ 0 };
	m->platform->machine_traits(m, ret);
}

const struct rf_memory *rf_machine_memory(const struct rf_machine *m)
{
	return &m->memory;
}

int rf_machine_memory_barrier(struct rf_machine *m)
{
	return CALL(m->platform, machine_memory_barrier, m);
}

void rf_machine_stats(const struct rf_machine *m, struct rf_stats *ret)
{
	*ret = (struct rf_stats){ 0 };
	if (m->platform->machine_stats)
		m->platform->machine_stats(m, ret);
}

void rf_machine_interrupt_cpu(struct rf_machine *m, uint32_t cpu)
{
	if (m->platform->machine_interrupt_cpu)
		m->platform->machine_interrupt_cpu(m, cpu);
}

int rf_machine_dump_cpu(struct rf_machine *m, uint32_t cpu, struct rf_regs *ret_regs, char *buf,
			size_t size)
{
	return CALL(m->platform, machine_dump_cpu, m, cpu, ret_regs, buf, size);
}

uint64_t rf_machine_xcr0(const struct rf_machine *m)
{
	return m->platform->machine_xcr0 ? m->platform->machine_xcr0(m) : 3;
}

int rf_machine_inject(struct rf_machine *m, u32 cpu, enum rf_inject what)
{
	return m->platform->machine_inject ? m->platform->machine_inject(m, cpu, what) : -ENOSYS;
}

uint32_t rf_machine_boot_features(const struct rf_machine *m)
{
	return m->platform->machine_boot_features ? m->platform->machine_boot_features(m) : 0;
}

/* ---- address spaces ---- */

static bool user_range_ok(u64 addr, u64 len)
{
	return len && !(addr % PAGE_SIZE) && !(len % PAGE_SIZE) && addr >= RF_MIN_USER_ADDRESS &&
	       addr < RF_MAX_USER_ADDRESS && len <= RF_MAX_USER_ADDRESS - addr;
}

static bool memory_range_ok(const struct rf_memory *mem, u64 offset, u64 len)
{
	return !(offset % PAGE_SIZE) && offset <= mem->size && len <= mem->size - offset;
}

int rf_address_space_new(struct rf_machine *m, struct rf_address_space **ret)
{
	return CALL(m->platform, as_new, m, ret);
}

void rf_address_space_free(struct rf_address_space *as)
{
	if (as)
		as->machine->platform->as_free(as);
}

int rf_address_space_map_file(struct rf_address_space *as, uint64_t addr, uint64_t offset,
			      uint64_t len, uint32_t prot, bool precommit)
{
	if (!user_range_ok(addr, len) || !memory_range_ok(&as->machine->memory, offset, len))
		return -EINVAL;
	if (!prot || prot & ~(RF_READ | RF_WRITE | RF_EXEC))
		return -EINVAL;
	return as->machine->platform->as_map_file(as, addr, offset, len, prot, precommit);
}

int rf_address_space_unmap(struct rf_address_space *as, uint64_t addr, uint64_t len)
{
	if (!user_range_ok(addr, len))
		return -EINVAL;
	return as->machine->platform->as_unmap(as, addr, len);
}

int rf_address_space_protect(struct rf_address_space *as, uint64_t addr, uint64_t len,
			     uint32_t mask)
{
	if (!user_range_ok(addr, len))
		return -EINVAL;
	if (!(mask & (RF_READ | RF_WRITE | RF_EXEC)))
		return as->machine->platform->as_unmap(as, addr, len);
	return as->machine->platform->as_protect(as, addr, len, mask);
}

int rf_address_space_next(struct rf_address_space *as, uint64_t addr, uint64_t end,
			  uint64_t *ret_addr, uint64_t *ret_offset, uint32_t *ret_prot)
{
	end = MIN(end, RF_MAX_USER_ADDRESS);
	if (addr >= end)
		return 0;
	return as->machine->platform->as_next(as, ALIGN_DOWN(addr, PAGE_SIZE), end, ret_addr,
					      ret_offset, ret_prot);
}

int rf_address_space_flush(struct rf_address_space *as)
{
	return CALL(as->machine->platform, as_flush, as);
}

int rf_address_space_pre_fork(struct rf_address_space *as)
{
	return 0; /* no platform needs to prepare */
}

void rf_address_space_post_fork(struct rf_address_space *as)
{
}

/* ---- contexts ---- */

int rf_context_new(struct rf_machine *m, struct rf_context **ret)
{
	return CALL(m->platform, context_new, m, ret);
}

void rf_context_free(struct rf_context *c)
{
	if (c)
		c->machine->platform->context_free(c);
}

int rf_context_switch(struct rf_context *c, struct rf_address_space *as, struct rf_regs *regs,
		      uint32_t cpu, struct rf_trap *ret)
{
	if (c->machine != as->machine)
		return -EXDEV;
	return CALL(c->machine->platform, context_switch, c, as, regs, cpu, ret);
}

void rf_context_interrupt(struct rf_context *c)
{
	c->machine->platform->context_interrupt(c);
}

void rf_context_preempt(struct rf_context *c)
{
	c->machine->platform->context_preempt(c);
}

int rf_context_detect_preemption(struct rf_context *c, bool on)
{
	return CALL(c->machine->platform, context_detect_preemption, c, on);
}

size_t rf_context_fpu_size(const struct rf_machine *m)
{
	return m->platform->fpu_size ? m->platform->fpu_size(m) : 0;
}

int rf_context_get_fpu(struct rf_context *c, void *buf, size_t size)
{
	if (size < rf_context_fpu_size(c->machine))
		return -EINVAL;
	return CALL(c->machine->platform, context_get_fpu, c, buf, size);
}

int rf_context_set_fpu(struct rf_context *c, const void *buf, size_t size)
{
	if (size < rf_context_fpu_size(c->machine))
		return -EINVAL;
	return CALL(c->machine->platform, context_set_fpu, c, buf, size);
}

int rf_context_reset_fpu(struct rf_context *c)
{
	return CALL(c->machine->platform, context_reset_fpu, c);
}

/* ---- boot ---- */

int rf_machine_boot_cpu(struct rf_machine *m, uint32_t cpu, const struct rf_boot_cpu *state,
			struct rf_error *err)
{
	if (!m->platform->boot_cpu)
		return rf_error_set(err, -ENOSYS, "platform %s cannot boot a kernel",
				    m->platform->name);
	return m->platform->boot_cpu(m, cpu, state, err);
}

int rf_machine_run_cpu(struct rf_machine *m, uint32_t cpu, enum rf_exit_kind *ret, char *dump,
		       size_t dump_size)
{
	return CALL(m->platform, run_cpu, m, cpu, ret, dump, dump_size);
}
