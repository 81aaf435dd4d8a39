/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The platform in residency guest: ring 0 does it itself.
 *
 * Translations. An address space has a generation, as->tlb_gen; a CPU remembers which one its TLB is at least as new as,
 * cpu->loaded_tlb_gen. as_flush() raises the generation and catches up itself. Another CPU that has the tables loaded catches up
 *	- on its way to user mode: it sets in_user, then compares (both seq_cst), and only then goes;
 *	- before it touches user memory in kernel code, under the kernel lock;
 *	- if it is in user mode already, by a kick, which as_flush() waits for: leaving user mode needs no kernel lock.
 * So frames and tables may be reused when as_flush() returns.
 *
 * Roots. A CPU keeps the last task's root loaded while it runs others without an address space. A root that goes while another CPU has it
 * loaded waits on `zombies` until no CPU has.
 */
#include "abi/linux/errno.h"
#include "abi/linux/signal.h"
#include "base/bug.h"
#include "base/string.h"
#include "kernel/arch/arch.h"
#include "kernel/arch/asm_offsets.h"
#include "kernel/core/host.h"
#include "kernel/core/internal.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/page.h"
#include "kernel/platform/fpu.h"
#include "kernel/platform/kplat.h"
#include "kernel/proc/task.h"
#include "pagetable/pte_x86_64.h"

#define ARENA_SLOT 252u
static_assert((u64)ARENA_SLOT << 39 == RF_ARENA_BASE, "the arena's PML4 slot");

/* Up to here single pages are invalidated, beyond the whole TLB. */
#define INVLPG_MAX 32u

/* What a program may have in RFLAGS: CF PF AF ZF SF TF DF OF RF AC ID; IF and bit 1 are always set. */
#define RFLAGS_USER  0x250dd5ull
#define RFLAGS_FIXED 0x202ull

static u64 arena_entry; /* PML4 entry of the kernel's slot, shared by all roots */
static bool use_xsave, use_xsaveopt;
static u32 xcr0_lo, xcr0_hi;

/* ---- tables ---- */

static void *table_alloc(void *ctx)
{
	struct page *p = page_alloc(0, ALLOC_ZERO);

	return p ? page_address(p) : NULL;
}

static void table_free(void *ctx, void *table)
{
	page_unref(page_of(table));
}

static u64 table_gpa(void *ctx, const void *table)
{
	return (u64)table - RF_ARENA_BASE + RF_ARENA_GPA;
}

static void *table_virt(void *ctx, u64 gpa)
{
	return (void *)(gpa - RF_ARENA_GPA + RF_ARENA_BASE);
}

static const struct pt_alloc_ops table_ops = {
	.alloc_table = table_alloc,
	.free_table = table_free,
	.virt_to_gpa = table_gpa,
	.gpa_to_virt = table_virt,
};

void kplat_guest_init(void)
{
	const struct boot_info *b = boot_info();

	arena_entry = ((const u64 *)table_virt(NULL, b->kernel_root & ~0xfffull))[ARENA_SLOT];
	use_xsave = b->boot_features & RF_BOOT_F_XSAVE;
	use_xsaveopt = b->boot_features & RF_BOOT_F_XSAVEOPT;
	xcr0_lo = (u32)b->xcr0;
	xcr0_hi = (u32)(b->xcr0 >> 32);
}

/* ---- roots and translations ---- */

struct zombie_root {
	struct list node;
	struct pagetable pt;
};
static LIST_HEAD(zombies);

static bool root_loaded(u64 root)
{
	for (unsigned i = 0; i < nr_cpus; i++)
		if (READ_ONCE(cpus[i].loaded_root) == root)
			return true;
	return false;
}

static void zombies_reap(void)
{
	struct zombie_root *z, *tmp;

	list_for_each_entry_safe(z, tmp, &zombies, node) {
		if (root_loaded(pt_root_gpa(&z->pt)))
			continue;
		list_del(&z->node);
		pt_done(&z->pt);
		kfree(z);
	}
}

static void tlb_catch_up(struct cpu *c, struct kas *as)
{
	u64 gen = __atomic_load_n(&as->tlb_gen, __ATOMIC_SEQ_CST);

	write_cr3(c->loaded_root);
	__atomic_store_n(&c->loaded_tlb_gen, gen, __ATOMIC_SEQ_CST);
}

static __hot __attribute__((noinline)) void as_load(struct cpu *c, struct kas *as)
{
	u64 root = pt_root_gpa(&as->pt);

	/* First say so, then read the generation: as_flush() does it the other way round. */
	c->loaded_root = root;
	__atomic_store_n(&c->loaded_mm, (struct mm *)as, __ATOMIC_SEQ_CST);
	tlb_catch_up(c, as);
}

/* Makes user addresses mean `as`, with fresh translations. Kernel lock held. */
static void as_activate(struct cpu *c, struct kas *as)
{
	if (unlikely((struct kas *)c->loaded_mm != as))
		as_load(c, as);
	else if (unlikely(c->loaded_tlb_gen != as->tlb_gen))
		tlb_catch_up(c, as);
}

static int guest_as_new(struct kas *as)
{
	int r;

	if (!list_empty(&zombies))
		zombies_reap();
	*as = (struct kas){ .tlb_gen = 1, .stale_lo = ~0ull };
	r = pt_init(&as->pt, &table_ops, NULL);
	if (r < 0)
		return r;
	r = pt_install_shared(&as->pt, ARENA_SLOT, arena_entry);
	if (r < 0)
		pt_done(&as->pt);
	return r;
}

static void guest_as_free(struct kas *as)
{
	struct cpu *me = this_cpu();
	u64 root = pt_root_gpa(&as->pt);
	struct zombie_root *z;

	if (me->loaded_root == root) {
		me->loaded_root = boot_info()->kernel_root;
		write_cr3(me->loaded_root);
	}
	for (unsigned i = 0; i < nr_cpus; i++)
		if ((struct kas *)cpus[i].loaded_mm == as)
			cpus[i].loaded_mm = NULL;
	pt_freelist_release(&as->deferred, &table_ops, NULL);
	if (!root_loaded(root)) {
		pt_done(&as->pt);
		return;
	}
	z = kmalloc(sizeof(*z));
	if (!z) {
		/* Better a few frames lost than a CPU without tables. */
		klog(1, "no memory to retire a page-table root");
		return;
	}
	z->pt = as->pt;
	list_add(&z->node, &zombies);
}

static void as_note_change(struct kas *as, const struct pt_change *change)
{
	if (!change->present_changed)
		return;
	as->stale = true;
	as->stale_lo = MIN(as->stale_lo, change->lo);
	as->stale_hi = MAX(as->stale_hi, change->hi);
}

static u32 table_prot(u32 prot)
{
	/* The accessed and dirty bits are nobody's business here, and set ones spare the CPU a locked write each. */
	return prot | PT_USER | PT_ACCESSED | (prot & RF_WRITE ? PT_DIRTY : 0);
}

/*
 * ---- single pages ----
 * Faults, fork and exit handle pages one by one, neighbours mostly. They find the lowest table of the 2 MiB they are in through
 * as->leaf instead of from the root. Only as_unmap() takes tables away here, and it forgets as->leaf.
 */

static __attribute__((noinline)) u64 *leaf_walk(struct kas *as, uptr_t va)
{
	u64 *table = as->pt.root;

	for (unsigned level = PTE_LEVELS; level > 1; level--) {
		u64 entry = READ_ONCE(table[pte_index(va, level)]);

		if (!pte_is_present(entry) || pte_is_leaf(entry, level))
			return NULL;
		table = table_virt(NULL, pte_addr(entry));
	}
	as->leaf_va = ALIGN_DOWN(va, pte_span(2));
	return as->leaf = table;
}

/* The lowest table for va, a user address; NULL: there is none. */
static u64 *leaf_table(struct kas *as, uptr_t va)
{
	if (likely(as->leaf && va - as->leaf_va < pte_span(2)))
		return as->leaf;
	return va < RF_MAX_USER_ADDRESS ? leaf_walk(as, va) : NULL;
}

/* The part of [va, end) that leaf_table(as, va) describes. */
static uptr_t leaf_end(uptr_t va, uptr_t end)
{
	return MIN(end, ALIGN_DOWN(va, pte_span(2)) + pte_span(2));
}

/* Tables above grant everything, so the lowest entry alone decides. */
static u32 leaf_prot(u64 entry)
{
	return RF_READ | (entry & PTE_RW ? RF_WRITE : 0) | (entry & PTE_XD ? 0 : RF_EXEC);
}

static bool map_single(struct kas *as, uptr_t va, u64 offset, u32 prot)
{
	u64 *table, *entry;

	if (!IS_ALIGNED(va | offset, PAGE_SIZE) || !(prot & (RF_READ | RF_WRITE | RF_EXEC)))
		return false;
	table = leaf_table(as, va);
	if (!table)
		return false;
	entry = &table[pte_index(va, 1)];
	if (pte_is_present(READ_ONCE(*entry)))
		return false;
	/* As table_prot() says: accessed, and dirty if writable. */
	WRITE_ONCE(*entry, (offset + RF_ARENA_GPA) | PTE_P | PTE_US | PTE_A |
				   (prot & RF_WRITE ? PTE_RW | PTE_D : 0) |
				   (prot & RF_EXEC ? 0 : PTE_XD));
	return true;
}

static __hot int guest_as_map(struct kas *as, uptr_t va, u64 offset, u64 len, u32 prot)
{
	struct pt_change change;
	int r;

	if (len == PAGE_SIZE && map_single(as, va, offset, prot))
		return 0;
	/* Only 4 KiB pages: unmapping part of a larger one could fail for want of a table. */
	pt_change_init(&change);
	r = pt_map(&as->pt, va, RF_ARENA_GPA + offset, len, table_prot(prot), PT_SIZE_4K,
		   &as->deferred, &change);
	as_note_change(as, &change);
	return r;
}

static void guest_as_unmap(struct kas *as, uptr_t va, u64 len)
{
	struct pt_change change;

	pt_change_init(&change);
	as->leaf = NULL;
	BUG_ON(len && pt_unmap(&as->pt, va, len, &as->deferred, &change) < 0);
	as_note_change(as, &change);
}

/*
 * Takes permissions, not all, from the present pages of [va, end), which one table describes. Entries are accessed, and dirty if
 * writable, from the start (table_prot()), so no CPU writes them and a plain store loses nothing.
 */
static void leaf_restrict(struct kas *as, u64 *table, uptr_t va, uptr_t end, u32 mask)
{
	u64 lost = (mask & RF_WRITE ? 0 : PTE_RW), gained = (mask & RF_EXEC ? 0 : PTE_XD);

	for (; va < end; va += PAGE_SIZE) {
		u64 *entry = &table[pte_index(va, 1)];
		u64 old = READ_ONCE(*entry), new = (old & ~lost) | gained;

		if (!pte_is_present(old) || new == old)
			continue;
		BUG_ON(!(old & PTE_A) || ((old & PTE_RW) && !(old & PTE_D)));
		WRITE_ONCE(*entry, new);
		as->stale = true;
		as->stale_lo = MIN(as->stale_lo, va);
		as->stale_hi = MAX(as->stale_hi, va + PAGE_SIZE);
	}
}

static void guest_as_protect(struct kas *as, uptr_t va, u64 len, u32 mask)
{
	uptr_t at = va, end = va + len, stop;
	struct pt_mapping m;
	u64 *table;

	/* x86 has no entry that can't be read. */
	BUG_ON(!(mask & RF_READ));
	for (; at < end && pt_next(&as->pt, at, end, &m); at = stop) {
		table = leaf_table(as, m.va);
		BUG_ON(!table);
		stop = leaf_end(m.va, end);
		leaf_restrict(as, table, m.va, stop, mask);
	}
}

static __hot bool guest_as_next(struct kas *as, uptr_t va, uptr_t end, uptr_t *ret_va,
				u64 *ret_offset, u32 *ret_prot)
{
	struct pt_mapping m;
	u64 *table;

	for (va = ALIGN_DOWN(va, PAGE_SIZE); va < end && (table = leaf_table(as, va));) {
		for (uptr_t stop = leaf_end(va, end); va < stop; va += PAGE_SIZE) {
			u64 entry = READ_ONCE(table[pte_index(va, 1)]);

			if (!pte_is_present(entry))
				continue;
			*ret_va = va;
			*ret_offset = pte_addr(entry) - RF_ARENA_GPA;
			*ret_prot = leaf_prot(entry);
			return true;
		}
	}
	if (va >= end || !pt_next(&as->pt, va, end, &m))
		return false;
	*ret_va = m.va;
	*ret_offset = m.gpa - RF_ARENA_GPA;
	*ret_prot = m.prot & (RF_READ | RF_WRITE | RF_EXEC);
	return true;
}

static void flush_local(struct cpu *c, struct kas *as, u64 gen)
{
	if (c->loaded_tlb_gen == gen - 1 && as->stale_hi - as->stale_lo <= INVLPG_MAX * PAGE_SIZE) {
		for (uptr_t va = as->stale_lo; va < as->stale_hi; va += PAGE_SIZE)
			invlpg(va);
		__atomic_store_n(&c->loaded_tlb_gen, gen, __ATOMIC_SEQ_CST);
		return;
	}
	tlb_catch_up(c, as);
}

static void flush_remote(struct cpu *c, u64 gen)
{
	unsigned spins = 0;

	if (!__atomic_load_n(&c->shared->in_user, __ATOMIC_SEQ_CST))
		return;
	hc(HC_KICK, c->id);
	while (__atomic_load_n(&c->shared->in_user, __ATOMIC_SEQ_CST) &&
	       __atomic_load_n(&c->loaded_tlb_gen, __ATOMIC_SEQ_CST) < gen) {
		cpu_relax();
		if (++spins % 4096 == 0)
			hc(HC_YIELD);
	}
}

static __hot void guest_as_flush(struct kas *as)
{
	struct cpu *me = this_cpu();
	u64 gen;

	if (as->stale) {
		gen = __atomic_add_fetch(&as->tlb_gen, 1, __ATOMIC_SEQ_CST);
		for (unsigned i = 0; i < nr_cpus; i++)
			if (i != me->id && (struct kas *)__atomic_load_n(&cpus[i].loaded_mm,
									 __ATOMIC_SEQ_CST) == as)
				flush_remote(&cpus[i], gen);
		if ((struct kas *)me->loaded_mm == as)
			flush_local(me, as, gen);
		as->stale = false;
		as->stale_lo = ~0ull;
		as->stale_hi = 0;
	}
	if (as->deferred.count)
		pt_freelist_release(&as->deferred, &table_ops, NULL);
}

/* ---- user memory ---- */

/* The part of [va, va + n) below the user limit, from its start. */
static size_t user_clip(uptr_t va, size_t n)
{
	return va >= RF_MAX_USER_ADDRESS ? 0 : MIN(n, RF_MAX_USER_ADDRESS - va);
}

static __hot size_t guest_copy_in(struct kas *as, void *dst, uptr_t src, size_t n)
{
	n = user_clip(src, n);
	as_activate(this_cpu(), as);
	return n - user_copy(dst, (const void *)src, n);
}

static __hot size_t guest_copy_out(struct kas *as, uptr_t dst, const void *src, size_t n)
{
	n = user_clip(dst, n);
	as_activate(this_cpu(), as);
	return n - user_copy((void *)dst, src, n);
}

static size_t guest_zero_out(struct kas *as, uptr_t dst, size_t n)
{
	n = user_clip(dst, n);
	as_activate(this_cpu(), as);
	return n - user_zero((void *)dst, n);
}

static int guest_cas_u32(struct kas *as, uptr_t addr, u32 old, u32 new, u32 *ret_old)
{
	if (user_clip(addr, 4) < 4)
		return -EFAULT;
	as_activate(this_cpu(), as);
	return user_cas_u32((u32 *)addr, old, new, ret_old);
}

/* ---- FPU state: saved when a task is switched away from, loaded when it next runs user code, unless it is still there ---- */

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

static __hot __attribute__((noinline)) void fpu_load(struct cpu *c, struct task *t)
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

static void guest_fpu_get(struct task *t, void *buf)
{
	fpu_sync(t);
	memcpy(buf, t->fpu, boot_info()->xsave_size);
	fpu_image_complete(buf);
}

static void guest_fpu_set(struct task *t, const void *buf)
{
	memcpy(t->fpu, buf, boot_info()->xsave_size);
	fpu_sanitize(t->fpu);
	fpu_area_changed(t);
}

static void guest_fpu_reset(struct task *t)
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

static int guest_task_init(struct task *t)
{
	t->fpu = kmalloc(fpu_area_size());
	if (!t->fpu)
		return -ENOMEM;
	guest_fpu_reset(t);
	return 0;
}

static void guest_task_done(struct task *t)
{
	for (unsigned i = 0; i < nr_cpus; i++)
		if (cpus[i].fpu_owner == t)
			cpus[i].fpu_owner = NULL;
	kfree(t->fpu);
	t->fpu = NULL;
}

static __hot void guest_task_switched(struct task *prev, struct task *next)
{
	if (prev->fpu && this_cpu()->fpu_owner == prev)
		fpu_sync(prev);
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
	[17] = { SIGBUS, BUS_ADRALN },   [19] = { SIGFPE, FPE_FLTINV },
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
		as_load(c, as);
	if (unlikely(c->fpu_owner != t || t->fpu_cpu != c->id))
		fpu_load(c, t);
	__atomic_exchange_n(&s->in_user, 1, __ATOMIC_SEQ_CST);
	if (unlikely(READ_ONCE(s->kick))) {
		WRITE_ONCE(s->in_user, 0);
		trap->kind = RF_TRAP_INTERRUPT;
		return;
	}
	while (unlikely(__atomic_load_n(&as->tlb_gen, __ATOMIC_SEQ_CST) != c->loaded_tlb_gen))
		tlb_catch_up(c, as);
	t->fpu_valid = false;
	exit = switch_to_user(&t->regs);
	__atomic_store_n(&s->in_user, 0, __ATOMIC_RELEASE);
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
