/* SPDX-License-Identifier: Apache-2.0 */
/* The platform in residency host: each operation is a hostcall that the monitor's platform library serves. */
#include "abi/linux/errno.h"
#include "kernel/core/cpu.h"
#include "kernel/core/host.h"
#include "kernel/mm/mm.h"
#include "kernel/platform/kplat.h"
#include "kernel/proc/task.h"

static int host_as_new(struct kas *as)
{
	s64 id = hc(HC_PLAT_AS_NEW);

	*as = (struct kas){ 0 };
	if (id < 0)
		return (int)id;
	as->id = (u64)id;
	return 0;
}

static void host_as_free(struct kas *as)
{
	hc(HC_PLAT_AS_FREE, as->id);
}

static int host_as_map(struct kas *as, uptr_t va, u64 offset, u64 len, u32 prot)
{
	as->stale = true;
	return (int)hc(HC_PLAT_AS_MAP, as->id, va, offset, len, prot);
}

/* Removing must not fail: what stays mapped would be somebody else's memory soon. */
static void must(s64 r, const char *what)
{
	if (r < 0)
		panic("%s failed on the host: %ld", what, (long)r);
}

static void host_as_unmap(struct kas *as, uptr_t va, u64 len)
{
	if (!len)
		return;
	as->stale = true;
	must(hc(HC_PLAT_AS_UNMAP, as->id, va, len), "unmap");
}

static void host_as_protect(struct kas *as, uptr_t va, u64 len, u32 mask)
{
	if (!len)
		return;
	as->stale = true;
	must(hc(HC_PLAT_AS_PROTECT, as->id, va, len, mask), "protect");
}

static bool host_as_next(struct kas *as, uptr_t va, uptr_t end, uptr_t *ret_va, u64 *ret_offset,
			 u32 *ret_prot)
{
	struct hc_as_entry e;

	if (hc(HC_PLAT_AS_NEXT, as->id, va, end, &e) != 1)
		return false;
	*ret_va = e.addr;
	*ret_offset = e.offset;
	*ret_prot = e.prot;
	return true;
}

static void host_as_flush(struct kas *as)
{
	if (!as->stale)
		return;
	must(hc(HC_PLAT_AS_FLUSH, as->id), "flush");
	as->stale = false;
}

/* Bytes done; a refusal of the whole range counts as none. */
static size_t bytes_done(s64 r, size_t n)
{
	return r < 0 ? 0 : MIN((size_t)r, n);
}

static size_t host_copy_in(struct kas *as, void *dst, uptr_t src, size_t n)
{
	return bytes_done(hc(HC_PLAT_COPY_IN, as->id, dst, src, n), n);
}

static size_t host_copy_out(struct kas *as, uptr_t dst, const void *src, size_t n)
{
	return bytes_done(hc(HC_PLAT_COPY_OUT, as->id, dst, src, n), n);
}

static size_t host_zero_out(struct kas *as, uptr_t dst, size_t n)
{
	return bytes_done(hc(HC_PLAT_ZERO_OUT, as->id, dst, n), n);
}

static int host_cas_u32(struct kas *as, uptr_t addr, u32 old, u32 new, u32 *ret_old)
{
	return hc(HC_PLAT_CAS_U32, as->id, addr, old, new, ret_old) < 0 ? -EFAULT : 0;
}

static int host_task_init(struct task *t)
{
	s64 id = hc(HC_PLAT_CTX_NEW);

	if (id < 0)
		return (int)id;
	t->plat_ctx = (u64)id;
	return 0;
}

static void host_task_done(struct task *t)
{
	hc(HC_PLAT_CTX_FREE, t->plat_ctx);
}

static void host_run_user(struct task *t, struct rf_trap *trap)
{
	struct cpu_shared *s = this_cpu()->shared;
	s64 r;

	__atomic_exchange_n(&s->in_user, 1, __ATOMIC_SEQ_CST);
	if (READ_ONCE(s->kick)) {
		WRITE_ONCE(s->in_user, 0);
		trap->kind = RF_TRAP_INTERRUPT;
		return;
	}
	r = hc(HC_PLAT_SWITCH, t->plat_ctx, t->mm->as.id, &t->regs, trap);
	WRITE_ONCE(s->in_user, 0);
	if (r < 0)
		*trap = (struct rf_trap){ .kind = RF_TRAP_ERROR, .code = (s32)r };
	/* The platform leaves orig_rax alone at other traps; a stale number would look like a call to restart. */
	if (trap->kind != RF_TRAP_SYSCALL)
		t->regs.orig_rax = ~0ull;
}

static void host_fpu_get(struct task *t, void *buf)
{
	must(hc(HC_PLAT_FPU_GET, t->plat_ctx, buf, boot_info()->xsave_size), "reading FPU state");
}

static void host_fpu_set(struct task *t, const void *buf)
{
	must(hc(HC_PLAT_FPU_SET, t->plat_ctx, buf, boot_info()->xsave_size), "writing FPU state");
}

static void host_fpu_reset(struct task *t)
{
	must(hc(HC_PLAT_FPU_RESET, t->plat_ctx), "resetting FPU state");
}

static void host_task_switched(struct task *prev, struct task *next)
{
}

const struct kplat_ops kplat_host = {
	.name = "host",
	.as_new = host_as_new,
	.as_free = host_as_free,
	.as_map = host_as_map,
	.as_unmap = host_as_unmap,
	.as_protect = host_as_protect,
	.as_next = host_as_next,
	.as_flush = host_as_flush,
	.copy_in = host_copy_in,
	.copy_out = host_copy_out,
	.zero_out = host_zero_out,
	.cas_u32 = host_cas_u32,
	.task_init = host_task_init,
	.task_done = host_task_done,
	.run_user = host_run_user,
	.fpu_get = host_fpu_get,
	.fpu_set = host_fpu_set,
	.fpu_reset = host_fpu_reset,
	.task_switched = host_task_switched,
};
