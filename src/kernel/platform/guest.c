/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The platform in residency guest: ring 0 does it itself. This file runs user code and reaches user memory; the rest is in
 * guest_roots.c, guest_tables.c and guest_fpu.c.
 */
#include "abi/linux/errno.h"
#include "abi/linux/signal.h"
#include "base/nospec.h"
#include "kernel/arch/arch.h"
#include "kernel/arch/asm_offsets.h"
#include "kernel/core/host.h"
#include "kernel/core/internal.h"
#include "kernel/mm/mm.h"
#include "kernel/platform/guest.h"
#include "kernel/proc/task.h"

/* What a program may have in RFLAGS: CF PF AF ZF SF TF DF OF RF AC ID; IF and bit 1 are always set. */
#define RFLAGS_USER  0x250dd5ull
#define RFLAGS_FIXED 0x202ull

void kplat_guest_init(void)
{
	guest_roots_init();
	guest_fpu_init();
}

/* ---- user memory ---- */

/* The part of [va, va + n) below the user limit, from its start. */
static size_t user_clip(uptr_t va, size_t n)
{
	return min_nospec(n, RF_MAX_USER_ADDRESS - min_nospec(va, RF_MAX_USER_ADDRESS));
}

/* A user address, or 0: the arena begins where user addresses end, and a wrong path must not reach it either. */
static uptr_t user_address(uptr_t va)
{
	return va & nospec_mask(va, RF_MAX_USER_ADDRESS);
}

static __hot size_t guest_copy_in(struct kas *as, void *dst, uptr_t src, size_t n)
{
	n = user_clip(src, n);
	guest_as_activate(this_cpu(), as);
	return n - user_copy(dst, (const void *)user_address(src), n);
}

static __hot size_t guest_copy_out(struct kas *as, uptr_t dst, const void *src, size_t n)
{
	n = user_clip(dst, n);
	guest_as_activate(this_cpu(), as);
	return n - user_copy((void *)user_address(dst), src, n);
}

static size_t guest_zero_out(struct kas *as, uptr_t dst, size_t n)
{
	n = user_clip(dst, n);
	guest_as_activate(this_cpu(), as);
	return n - user_zero((void *)user_address(dst), n);
}

static int guest_cas_u32(struct kas *as, uptr_t addr, u32 old, u32 new, u32 *ret_old)
{
	if (user_clip(addr, 4) < 4)
		return -EFAULT;
	guest_as_activate(this_cpu(), as);
	return user_cas_u32((u32 *)user_address(addr), old, new, ret_old);
}

/* ---- user code ---- */

static bool is_canonical(u64 va)
{
	return (u64)((s64)(va << 16) >> 16) == va;
}

/* After this no instruction on the way out can fault. False: the program asked for a state that no CPU accepts. */
static bool user_regs_sanitise(struct rf_regs *r)
{
	r->rflags = (r->rflags & RFLAGS_USER) | RFLAGS_FIXED;
	r->cs = SEL_USER_CS;
	r->ss = SEL_USER_SS;
	return likely(r->rip < RF_MAX_USER_ADDRESS && is_canonical(r->fs_base) &&
		      is_canonical(r->gs_base));
}

/* Linux signal of a vector (arch/x86/kernel/traps.c's effects as documented in signal(7) and sigaction(2)). */
static const struct {
	u8 signo, code;
} vector_signal[32] = {
	[0] = { SIGFPE, FPE_INTDIV },    [1] = { SIGTRAP, TRAP_TRACE },
	[3] = { SIGTRAP, SI_KERNEL },    [4] = { SIGSEGV, SI_KERNEL },
	[5] = { SIGSEGV, SI_KERNEL },    [6] = { SIGILL, ILL_ILLOPN },
	[10] = { SIGSEGV, SI_KERNEL },   [11] = { SIGBUS, SI_KERNEL },
	[12] = { SIGBUS, SI_KERNEL },    [13] = { SIGSEGV, SI_KERNEL },
	[14] = { SIGSEGV, SEGV_MAPERR }, [16] = { SIGFPE, FPE_FLTINV },
	[17] = { SIGBUS, BUS_ADRALN },   [18] = { SIGBUS, BUS_MCEERR_AR },
	[19] = { SIGFPE, FPE_FLTINV },
};

/* si_code of an unmasked x87 or SSE exception, from its status bits and masks (both have the same order of bits). */
static int fpe_code(u32 status)
{
	if (status & 0x01)
		return FPE_FLTINV;
	if (status & 0x04)
		return FPE_FLTDIV;
	if (status & 0x08)
		return FPE_FLTOVF;
	if (status & 0x12)
		return FPE_FLTUND;
	return status & 0x20 ? FPE_FLTRES : FPE_FLTINV;
}

/* The program's FPU state is still in the registers. */
static int fpe_code_now(u64 vector)
{
	u32 mxcsr;
	u16 sw, cw;

	if (vector == 19) {
		__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
		return fpe_code(mxcsr & ~(mxcsr >> 7) & 0x3f);
	}
	__asm__ volatile("fnstsw %0; fnstcw %1" : "=m"(sw), "=m"(cw));
	return fpe_code(sw & ~cw & 0x3fu);
}

/* Single step or INT1? Hardware breakpoints are not the program's to set. */
static int debug_code(void)
{
	u64 dr6;

	__asm__ volatile("movq %%dr6, %0" : "=r"(dr6));
	__asm__ volatile("movq %0, %%dr6" : : "r"(0xffff0ff0ull));
	return dr6 & 0x4000 ? TRAP_TRACE : TRAP_BRKPT;
}

static void decode_exception(const struct cpu *c, const struct task *t, struct rf_trap *trap)
{
	u64 vector = c->trap_vector, error = c->trap_error;

	if (vector == RF_VECTOR_KICK || vector == 2) {
		trap->kind = RF_TRAP_INTERRUPT;
		return;
	}
	*trap = (struct rf_trap){
		.kind = RF_TRAP_FAULT,
		.vector = (u32)vector,
		.error_code = error,
		.address = t->regs.rip,
		.signo = vector_signal[vector].signo,
		.code = vector_signal[vector].code,
		.cpu = (u32)c->id,
	};
	if (vector == 14) {
		trap->address = c->trap_cr2;
		trap->access = error & 0x10 ? RF_EXEC : error & 2 ? RF_WRITE : RF_READ;
	} else if (vector == 16 || vector == 19) {
		trap->code = fpe_code_now(vector);
	} else if (vector == 1) {
		trap->code = debug_code();
	} else if (!trap->signo) {
		trap->signo = SIGSEGV;
		trap->code = SI_KERNEL;
	}
}

static void refuse_regs(const struct task *t, struct rf_trap *trap)
{
	*trap = (struct rf_trap){ .kind = RF_TRAP_FAULT,
				  .vector = 13,
				  .address = t->regs.rip,
				  .signo = SIGSEGV,
				  .code = SI_KERNEL };
	/* A canonical address where nothing can be is a fetch that fails. */
	if (is_canonical(t->regs.rip) && t->regs.rip >= RF_MAX_USER_ADDRESS) {
		trap->vector = 14;
		trap->error_code = 0x14; /* user, fetch */
		trap->access = RF_EXEC;
		trap->code = SEGV_MAPERR;
	}
}

/* What stays in registers while one task runs and another may have left its own: FPU state, and the segment selectors, which are no part of a task. */
static __attribute__((noinline)) void user_state_load(struct cpu *c, struct task *t)
{
	guest_fpu_load(c, t);
	if (unlikely(!user_selectors_null()))
		user_selectors_reset();
}

static __hot void guest_run_user(struct task *t, struct rf_trap *trap)
{
	struct cpu *c = this_cpu();
	struct cpu_shared *s = c->shared;
	struct kas *as = &t->mm->as;
	u64 exit;

	if (unlikely(!user_regs_sanitise(&t->regs))) {
		refuse_regs(t, trap);
		return;
	}
	if (unlikely((struct kas *)c->loaded_mm != as))
		guest_as_load(c, as);
	if (unlikely(c->fpu_owner != t || t->fpu_cpu != c->id))
		user_state_load(c, t);
	__atomic_exchange_n(&s->in_user, 1, __ATOMIC_SEQ_CST);
	if (unlikely(READ_ONCE(s->kick))) {
		WRITE_ONCE(s->in_user, 0);
		trap->kind = RF_TRAP_INTERRUPT;
		return;
	}
	while (unlikely(__atomic_load_n(&as->tlb_gen, __ATOMIC_SEQ_CST) != c->loaded_tlb_gen))
		guest_tlb_catch_up(c, as);
	t->fpu_valid = false;
	exit = switch_to_user(&t->regs);
	__atomic_store_n(&s->in_user, 0, __ATOMIC_RELEASE);
	if (unlikely(guest_user_pcid))
		guest_user_returned(c);
	if (likely(exit == USER_EXIT_SYSCALL))
		trap->kind = RF_TRAP_SYSCALL;
	else
		decode_exception(c, t, trap);
}

const struct kplat_ops kplat_guest = {
	.name = "guest",
	.as_new = guest_as_new,
	.as_free = guest_as_free,
	.as_map = guest_as_map,
	.as_map_2m = guest_as_map_2m,
	.as_unmap = guest_as_unmap,
	.as_protect = guest_as_protect,
	.as_next = guest_as_next,
	.as_flush = guest_as_flush,
	.copy_in = guest_copy_in,
	.copy_out = guest_copy_out,
	.zero_out = guest_zero_out,
	.cas_u32 = guest_cas_u32,
	.task_init = guest_task_init,
	.task_done = guest_task_done,
	.run_user = guest_run_user,
	.fpu_get = guest_fpu_get,
	.fpu_set = guest_fpu_set,
	.fpu_reset = guest_fpu_reset,
	.task_switched = guest_task_switched,
};
