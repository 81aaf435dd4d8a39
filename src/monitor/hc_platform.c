/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostcalls of residency host: the platform library's operations, by id.
 *
 * The kernel runs in this process here and is trusted with the platform as much as with our memory; ids and
 * buffers are checked all the same, so that a mistake of the kernel's is an error and not a wild pointer.
 */
#include <errno.h>

#include "monitor/hostcalls.h"

static struct rf_address_space *as_get(struct hostcall *c, u64 id)
{
	return id_table_get(&c->m->spaces, id);
}

static struct rf_context *ctx_get(struct hostcall *c, u64 id)
{
	return id_table_get(&c->m->contexts, id);
}

s64 hc_plat_as_new(struct hostcall *c)
{
	struct rf_address_space *as;
	int r = rf_address_space_new(c->m->machine, &as);
	s64 id;

	if (r < 0)
		return r;
	id = id_table_add(&c->m->spaces, as);
	if (id < 0)
		rf_address_space_free(as);
	return id;
}

s64 hc_plat_as_free(struct hostcall *c)
{
	struct rf_address_space *as = id_table_take(&c->m->spaces, c->arg[0]);

	if (!as)
		return -EBADF;
	rf_address_space_free(as);
	return 0;
}

s64 hc_plat_as_map(struct hostcall *c)
{
	struct rf_address_space *as = as_get(c, c->arg[0]);

	if (!as)
		return -EBADF;
	/* The kernel maps image pages too (the vDSO), never the boot area. */
	if (!arena_range_ok(&c->m->arena, RF_ARENA_BASE + c->arg[2], c->arg[3], KERNEL_IMAGE_OFF))
		return -EINVAL;
	return rf_address_space_map_file(as, c->arg[1], c->arg[2], c->arg[3], (u32)c->arg[4],
					 false);
}

s64 hc_plat_as_unmap(struct hostcall *c)
{
	struct rf_address_space *as = as_get(c, c->arg[0]);

	return as ? rf_address_space_unmap(as, c->arg[1], c->arg[2]) : -EBADF;
}

s64 hc_plat_as_protect(struct hostcall *c)
{
	struct rf_address_space *as = as_get(c, c->arg[0]);

	return as ? rf_address_space_protect(as, c->arg[1], c->arg[2], (u32)c->arg[3]) : -EBADF;
}

s64 hc_plat_as_next(struct hostcall *c)
{
	struct rf_address_space *as = as_get(c, c->arg[0]);
	struct hc_as_entry *out = HC_OUT(c, c->arg[3], struct hc_as_entry);
	struct hc_as_entry e = { 0 };
	int r;

	if (!as || !out)
		return as ? -EFAULT : -EBADF;
	r = rf_address_space_next(as, c->arg[1], c->arg[2], &e.addr, &e.offset, &e.prot);
	if (r > 0)
		*out = e;
	return r;
}

s64 hc_plat_as_flush(struct hostcall *c)
{
	struct rf_address_space *as = as_get(c, c->arg[0]);

	return as ? rf_address_space_flush(as) : -EBADF;
}

s64 hc_plat_copy_in(struct hostcall *c)
{
	struct rf_address_space *as = as_get(c, c->arg[0]);
	void *buf = hc_out(c, c->arg[1], c->arg[3]);

	if (!as || !buf)
		return as ? -EFAULT : -EBADF;
	return (s64)rf_address_space_copy_in(as, buf, c->arg[2], c->arg[3]);
}

s64 hc_plat_copy_out(struct hostcall *c)
{
	struct rf_address_space *as = as_get(c, c->arg[0]);
	const void *buf = hc_in(c, c->arg[2], c->arg[3]);

	if (!as || !buf)
		return as ? -EFAULT : -EBADF;
	return (s64)rf_address_space_copy_out(as, c->arg[1], buf, c->arg[3]);
}

s64 hc_plat_zero_out(struct hostcall *c)
{
	struct rf_address_space *as = as_get(c, c->arg[0]);

	return as ? (s64)rf_address_space_zero_out(as, c->arg[1], c->arg[2]) : -EBADF;
}

s64 hc_plat_cas_u32(struct hostcall *c)
{
	struct rf_address_space *as = as_get(c, c->arg[0]);
	u32 *out = HC_OUT(c, c->arg[4], u32), old = 0;
	int r;

	if (!as || !out)
		return as ? -EFAULT : -EBADF;
	r = rf_address_space_cas_u32(as, c->arg[1], (u32)c->arg[2], (u32)c->arg[3], &old);
	if (r == 0)
		*out = old;
	return r;
}

s64 hc_plat_ctx_new(struct hostcall *c)
{
	struct rf_context *ctx;
	int r = rf_context_new(c->m->machine, &ctx);
	s64 id;

	if (r < 0)
		return r;
	id = id_table_add(&c->m->contexts, ctx);
	if (id < 0)
		rf_context_free(ctx);
	return id;
}

s64 hc_plat_ctx_free(struct hostcall *c)
{
	struct rf_context *ctx = id_table_take(&c->m->contexts, c->arg[0]);

	if (!ctx)
		return -EBADF;
	rf_context_free(ctx);
	return 0;
}

s64 hc_plat_switch(struct hostcall *c)
{
	struct rf_context *ctx = ctx_get(c, c->arg[0]);
	struct rf_address_space *as = as_get(c, c->arg[1]);
	struct rf_regs *regs = HC_OUT(c, c->arg[2], struct rf_regs);
	struct rf_trap *trap = HC_OUT(c, c->arg[3], struct rf_trap);

	if (!ctx || !as)
		return -EBADF;
	if (!regs || !trap)
		return -EFAULT;
	return rf_context_switch(ctx, as, regs, c->cpu, trap);
}

s64 hc_plat_fpu_get(struct hostcall *c)
{
	struct rf_context *ctx = ctx_get(c, c->arg[0]);
	void *buf = hc_out(c, c->arg[1], c->arg[2]);

	if (!ctx || !buf)
		return ctx ? -EFAULT : -EBADF;
	return rf_context_get_fpu(ctx, buf, c->arg[2]);
}

s64 hc_plat_fpu_set(struct hostcall *c)
{
	struct rf_context *ctx = ctx_get(c, c->arg[0]);
	const void *buf = hc_in(c, c->arg[1], c->arg[2]);

	if (!ctx || !buf)
		return ctx ? -EFAULT : -EBADF;
	return rf_context_set_fpu(ctx, buf, c->arg[2]);
}

s64 hc_plat_fpu_reset(struct hostcall *c)
{
	struct rf_context *ctx = ctx_get(c, c->arg[0]);

	return ctx ? rf_context_reset_fpu(ctx) : -EBADF;
}
