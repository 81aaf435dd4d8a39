/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Residency host: run user code until it traps.
 *
 * Every event is one exit by an OUT in one of the stubs of layout.h. Where the vCPU stands
 * afterwards decides how the next entry returns to user code:
 *   at CPL 3 (SYSCALL on a KVM that stays there, or an interruption): set the registers;
 *   at CPL 0 (in a stub): write the IRETQ frame on the stub's stack and resume at the IRETQ.
 * Either way only general registers are handed over. Segment state, CR3 and FS/GS bases go through
 * the more expensive KVM_SYNC_X86_SREGS when they differ from what is loaded; that also sets CPL 3
 * directly.
 */
#include "platform/kvm/kvm.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/*
 * What user code may have in RFLAGS: CF PF AF ZF SF TF DF OF RF AC ID. IF is always on, bit 1
 * always set.
 */
#define RFLAGS_USER  0x250dd5ull
#define RFLAGS_FIXED 0x202ull
#define RFLAGS_TF    (1ull << 8)
#define RFLAGS_RF    (1ull << 16)
#define RFLAGS_TF    (1ull << 8)

#define CODE_TRAP_BRKPT 1

#define CODE_TRAP_BRKPT 1 /* <signal.h>, which has it as an enum in some versions */

#define PF_PRESENT  1u
#define PF_USER     4u
#define PF_RESERVED 8u
#define PF_FETCH    16u

#define VECTOR_DB 1u
#define VECTOR_UD 6u
#define VECTOR_GP 13u
#define VECTOR_PF 14u
#define VECTOR_MF 16u
#define VECTOR_MC 18u
#define VECTOR_XM 19u

static bool canonical(u64 address)
{
	return (u64)((s64)(address << 16) >> 16) == address;
}

static void fault(struct rf_trap *t, u32 vector, u64 error_code, u64 address)
{
	t->kind = RF_TRAP_FAULT;
	t->vector = vector;
	t->error_code = error_code;
	t->address = address;
}

/*
 * Refuses what the CPU would refuse on the way to user code. Returns true if that is a fault of the
 * user's.
 */
static bool regs_refused(struct rf_regs *r, struct rf_trap *t)
{
	if ((r->cs && r->cs != SEL_USER_CS) || (r->ss && r->ss != SEL_USER_SS) ||
	    !canonical(r->rip) || !canonical(r->fs_base) || !canonical(r->gs_base)) {
		fault(t, VECTOR_GP, 0, r->rip);
		return true;
	}
	if (r->rip >= RF_MAX_USER_ADDRESS) {
		fault(t, VECTOR_PF, PF_USER | PF_FETCH, r->rip);
		return true;
	}
	r->cs = SEL_USER_CS;
	r->ss = SEL_USER_SS;
	r->rflags = (r->rflags & RFLAGS_USER) | RFLAGS_FIXED;
	return false;
}

/* ---- entry ---- */

static void regs_to_kvm(const struct rf_regs *r, struct kvm_regs *k)
{
	*k = (struct kvm_regs){
		.rax = r->rax,
		.rbx = r->rbx,
		.rcx = r->rcx,
		.rdx = r->rdx,
		.rsi = r->rsi,
		.rdi = r->rdi,
		.rsp = r->rsp,
		.rbp = r->rbp,
		.r8 = r->r8,
		.r9 = r->r9,
		.r10 = r->r10,
		.r11 = r->r11,
		.r12 = r->r12,
		.r13 = r->r13,
		.r14 = r->r14,
		.r15 = r->r15,
		.rip = r->rip,
		.rflags = r->rflags,
	};
}

void kvm_regs_to_rf(const struct kvm_regs *k, struct rf_regs *r)
{
	r->rax = k->rax, r->rbx = k->rbx, r->rcx = k->rcx, r->rdx = k->rdx;
	r->rsi = k->rsi, r->rdi = k->rdi, r->rsp = k->rsp, r->rbp = k->rbp;
	r->r8 = k->r8, r->r9 = k->r9, r->r10 = k->r10, r->r11 = k->r11;
	r->r12 = k->r12, r->r13 = k->r13, r->r14 = k->r14, r->r15 = k->r15;
	r->rip = k->rip, r->rflags = k->rflags;
}

static void enter_with_sregs(struct kvm_vcpu *v, struct kvm_address_space *as,
			     const struct rf_regs *r)
{
	struct kvm_sync_regs *s = &v->run->s.regs;

	v->user_sregs.cr3 = pt_root_gpa(&as->pt);
	v->user_sregs.fs.base = r->fs_base;
	v->user_sregs.gs.base = r->gs_base;
	s->sregs = v->user_sregs;
	v->run->kvm_dirty_regs |= KVM_SYNC_X86_SREGS;
	v->state_valid = true;
	v->ring0 = false;
	atomic_store(&v->loaded, as);
}

static void enter_by_iret(struct kvm_vcpu *v, const struct rf_regs *r, u64 stub)
{
	struct kvm_regs *k = &v->run->s.regs.regs;
	struct kvm_frame *f = v->frame;

	f->rip = r->rip;
	f->cs = SEL_USER_CS;
	f->rflags = r->rflags;
	f->rsp = r->rsp;
	f->ss = SEL_USER_SS;
	k->rip = KVM_STUB_VA + stub;
	k->rsp = KVM_FRAME_VA(v->index);
	k->rflags = 2;
}

/* Puts *@r into the vCPU. After this the entry must be made. */
static void prepare_entry(struct kvm_vcpu *v, struct kvm_address_space *as, const struct rf_regs *r)
{
	bool flush = atomic_exchange(&v->flush, false);

	regs_to_kvm(r, &v->run->s.regs.regs);
	v->run->kvm_dirty_regs |= KVM_SYNC_X86_REGS;
	if (!v->state_valid || atomic_load(&v->loaded) != as ||
	    v->user_sregs.fs.base != r->fs_base || v->user_sregs.gs.base != r->gs_base ||
	    (flush && !v->ring0))
		enter_with_sregs(v, as, r);
	if (flush) { /* KVM flushes at a changed CR3 only, so do it inside */
		struct kvm_sync_regs *s = &v->run->s.regs;

		if (!v->ring0) {
			kvm_layout_segments(&s->sregs, v->index, false);
			s->sregs.fs.base = r->fs_base;
			s->sregs.gs.base = r->gs_base;
			v->ring0 = true;
		}
		enter_by_iret(v, r, KVM_STUB_FLUSH);
	} else if (v->ring0) {
		enter_by_iret(v, r, KVM_STUB_IRET);
	}
}

/* ---- exit ---- */

static void trap_interrupted(struct rf_trap *t)
{
	t->kind = RF_TRAP_NONE; /* the caller looks at the flags */
}

static void trap_syscall(struct rf_regs *r, bool ring0, struct rf_trap *t)
{
	t->kind = RF_TRAP_SYSCALL;
	r->orig_rax = r->rax;
	r->rip = r->rcx;
	/* Software KVMs that stay at CPL 3 leave RFLAGS alone and do not put it in R11. */
	r->rflags = ring0 ? r->r11 : r->rflags & ~RFLAGS_RF;
	r->r11 = r->rflags;
	t->address = r->rip;
}

/* The user's state as the CPU pushed it. */
static void regs_from_frame(const struct kvm_frame *f, struct rf_regs *r)
{
	r->rip = f->rip;
	r->rflags = f->rflags;
	r->rsp = f->rsp;
}

static bool has_error_code(u32 vector)
{
	return 0x60227d00u >> vector & 1; /* 8, 10-14, 17, 21, 29, 30 */
}

/* What is mapped above user space is the platform's business: as if nothing were. */
static void fix_page_fault(struct rf_trap *t, u64 address)
{
	t->address = address;
	if (address >= RF_MAX_USER_ADDRESS)
		t->error_code &= ~(u64)(PF_PRESENT | PF_RESERVED);
}

/*
 * INT n without a gate is #GP(n * 8 + IDT); page-table-based KVMs make it #UD, emulators err in the
 * code.
 */
static void fix_int_n(struct kvm_address_space *as, struct rf_trap *t)
{
	u8 code[2];

	if (rf_address_space_copy_in(&as->base, code, t->address, 2) == 2 && code[0] == 0xcd)
		fault(t, VECTOR_GP, code[1] * 8u + 2, t->address);
}

static void trap_failed(struct kvm_vcpu *v, int error, struct rf_trap *t)
{
	char dump[KVM_DUMP_MAX];

	kvm_exit_dump(v, error, dump, sizeof(dump));
	kvm_exit_report(dump);
	v->state_valid = false;
	atomic_store(&v->flush, true); /* whether one that was due has happened is not known */
	t->kind = RF_TRAP_ERROR;
	t->code = error ? error : -EIO;
}

/* An exception in one of our stubs: ours to answer for. */
static void trap_in_stub(struct kvm_vcpu *v, u32 vector, struct rf_trap *t)
{
	const struct kvm_frame *f = v->frame;
	char text[128];

	snprintf(text, sizeof(text), "exception %u (error 0x%lx) in a stub at 0x%lx, rsp 0x%lx\n",
		 vector, f->error_code, f->rip, f->rsp);
	kvm_exit_report(text);
	trap_failed(v, -EFAULT, t);
}

static void trap_exception(struct kvm_vcpu *v, struct kvm_address_space *as, u32 vector,
			   struct rf_regs *r, struct rf_trap *t)
{
	const struct kvm_frame *f = v->frame;

	/*
	 * MOV SS shadows a #DB over SYSCALL, which then hits our first instruction (SDM vol. 3A
	 * §6.8.3).
	 */
	if (vector == VECTOR_DB && f->rip == KVM_STUB_VA + KVM_STUB_SYSCALL && !(f->cs & 3)) {
		r->rsp = f->rsp;
		trap_syscall(r, true, t);
		return;
	}
	regs_from_frame(f, r);
	if (!(f->cs & 3) && f->rip - KVM_STUB_VA < PAGE_SIZE) {
		trap_in_stub(v, vector, t);
		return;
	}
	if (!(f->cs & 3)) {
		/* QEMU lets IRET in ring 3 enter virtual-8086 mode, of all things. */
		v->state_valid = false;
		fault(t, VECTOR_GP, 0, r->rip);
		return;
	}
	fault(t, vector, has_error_code(vector) ? (u32)f->error_code : 0, r->rip);
	if (vector == VECTOR_PF)
		fix_page_fault(t, v->run->s.regs.sregs.cr2);
	else if (vector == VECTOR_UD || vector == VECTOR_GP)
		fix_int_n(as, t);
}

/*
 * How far KVM's emulator has gone past the user's own I/O instruction: an OUT is complete (two
 * bytes with an immediate port, one with DX), an IN is not.
 */
static u32 io_instruction_length(const struct kvm_run *run, struct kvm_address_space *as, u64 rip)
{
	u8 code[2] = { 0 };

	if (run->io.direction == KVM_EXIT_IO_IN ||
	    rf_address_space_copy_in(&as->base, code, rip - 2, 2) != 2)
		return 0;
	if ((code[0] == 0xe6 || code[0] == 0xe7) && code[1] == KVM_PORT_SYSCALL)
		return 2;
	return code[1] == 0xee || code[1] == 0xef || code[1] == 0x6e || code[1] == 0x6f;
}

/* User code did I/O of its own to the port of the SYSCALL entry: it gets the #GP it deserves. */
static void trap_user_io(struct kvm_vcpu *v, struct kvm_address_space *as, struct rf_regs *r,
			 struct rf_trap *t)
{
	r->rip -= io_instruction_length(v->run, as, r->rip);
	fault(t, VECTOR_GP, 0, r->rip);
	/*
	 * KVM finishes an IN at the next entry and would overwrite what we put there: let it do so
	 * now.
	 */
	if (v->run->io.direction == KVM_EXIT_IO_IN) {
		WRITE_ONCE(v->run->immediate_exit, 1);
		kvm_vcpu_run(v);
		WRITE_ONCE(v->run->immediate_exit, 0);
	}
}

static void trap_io(struct kvm_vcpu *v, struct kvm_address_space *as, struct rf_regs *r,
		    struct rf_trap *t)
{
	u32 port = v->run->io.port;

	if (v->ring0 && port >= KVM_PORT_VECTOR && port < KVM_PORT_VECTOR + KVM_VECTORS)
		trap_exception(v, as, port - KVM_PORT_VECTOR, r, t);
	else if (port == KVM_PORT_SYSCALL &&
		 (v->ring0 || (r->rip >= KVM_SYSCALL_VA && r->rip <= KVM_SYSCALL_VA + 2)))
		trap_syscall(r, v->ring0, t);
	else
		trap_user_io(v, as, r, t);
}

static bool in_flush_stub(u64 offset)
{
	return offset >= KVM_STUB_FLUSH && offset <= KVM_STUB_FLUSH_IRET;
}

/*
 * KVM_RUN was interrupted while an event was on its way to a stub, or at a place in one that says
 * nothing: run on, to the stub's end.
 */
static bool event_in_delivery(const struct kvm_vcpu *v, const struct rf_regs *r)
{
	const struct kvm_vcpu_events *e = &v->run->s.regs.events;
	u64 offset = r->rip - KVM_STUB_VA;

	if (e->exception.injected || e->exception.pending || e->interrupt.injected ||
	    e->nmi.injected)
		return true;
	return v->ring0 && offset != KVM_STUB_SYSCALL && offset >= KVM_VECTORS * KVM_STUB_SIZE &&
	       offset != KVM_STUB_IRET && !in_flush_stub(offset);
}

/*
 * Interrupted on the way back to user code: as if it had not been entered. To run on instead would
 * lose the interruption, as nothing need end user code after it. The stub that flushes keeps RAX on its stack, where the
 * error code of an exception would be; it has to do its work again.
 */
static void trap_on_the_way(struct kvm_vcpu *v, u64 offset, struct rf_regs *r, struct rf_trap *t)
{
	if (in_flush_stub(offset)) {
		atomic_store(&v->flush, true);
		if (offset != KVM_STUB_FLUSH && offset != KVM_STUB_FLUSH_IRET)
			r->rax = v->frame->error_code;
	}
	regs_from_frame(v->frame, r);
	trap_interrupted(t);
}

/* KVM_RUN was interrupted, perhaps inside a stub, whose event must not be lost: *@r is then not the user's. */
static void trap_intr(struct kvm_vcpu *v, struct kvm_address_space *as, struct rf_regs *r,
		      struct rf_trap *t)
{
	u64 offset = r->rip - KVM_STUB_VA;

	if (!v->ring0 && r->rip == KVM_SYSCALL_VA && !v->machine->behaviour.syscall_ring0)
		trap_syscall(r, false, t);
	else if (!v->ring0)
		trap_interrupted(t);
	else if (offset == KVM_STUB_SYSCALL)
		trap_syscall(r, true, t);
	else if (offset < KVM_VECTORS * KVM_STUB_SIZE)
		trap_exception(v, as, (u32)offset / KVM_STUB_SIZE, r, t);
	else
		trap_on_the_way(v, offset, r, t);
}

/*
 * The memory behind a page that user code touched is gone; the instruction has not happened. A
 * stub's page is ours and anonymous: if that is lost, so are we.
 */
static void trap_backing(struct kvm_vcpu *v, struct kvm_address_space *as, int error,
			 struct rf_regs *r, struct rf_trap *t)
{
	if (v->ring0) {
		trap_failed(v, error, t);
		return;
	}
	fault(t, VECTOR_MC, 0, kvm_backing_find(v, as, r));
	v->run->exit_reason = KVM_EXIT_UNKNOWN; /* not to be taken for the next one's */
}

static void regs_after_run(struct kvm_vcpu *v, struct rf_regs *regs)
{
	const struct kvm_sync_regs *s = &v->run->s.regs;

	kvm_regs_to_rf(&s->regs, regs);
	v->ring0 = !(s->sregs.cs.selector & 3);
	regs->fs_base = v->user_sregs.fs.base = s->sregs.fs.base;
	regs->gs_base = v->user_sregs.gs.base = s->sregs.gs.base;
}

/*
 * One KVM_RUN and what it means. Returns false to enter again with the state KVM has, but not for
 * ever.
 */
static bool run_once(struct kvm_vcpu *v, struct kvm_address_space *as, struct rf_regs *regs,
		     struct rf_trap *t)
{
	int r = kvm_vcpu_run(v);
	enum kvm_answer answer = kvm_exit_answer(RF_RESIDENCY_HOST, r, v->run->exit_reason);
	bool again = answer == KVM_ANSWER_AGAIN;

	if (answer == KVM_ANSWER_EVENT || answer == KVM_ANSWER_SIGNAL ||
	    answer == KVM_ANSWER_BACKING)
		regs_after_run(v, regs);
	if (answer == KVM_ANSWER_SIGNAL)
		again = event_in_delivery(v, regs);
	if (again && v->retries++ < KVM_RETRIES_MAX)
		return false;
	/*
	 * Out for good, and before the trap is looked at: that may want as->lock, whose holder may
	 * wait for us (kick_out()).
	 */
	atomic_fetch_add(&v->entries, 1);
	if (answer == KVM_ANSWER_EVENT)
		trap_io(v, as, regs, t);
	else if (answer == KVM_ANSWER_SIGNAL && !again)
		trap_intr(v, as, regs, t);
	else if (answer == KVM_ANSWER_BACKING)
		trap_backing(v, as, r, regs, t);
	else
		trap_failed(v, r, t);
	return true;
}

/* One entry; t->kind RF_TRAP_NONE if it was interrupted. */
static void enter(struct kvm_vcpu *v, struct kvm_address_space *as, struct rf_regs *regs,
		  struct rf_trap *t)
{
	atomic_fetch_add(&v->entries, 1);
	v->retries = 0;
	prepare_entry(v, as, regs);
	while (!run_once(v, as, regs, t))
		WRITE_ONCE(v->run->immediate_exit, 0); /* deliver first; the flags are still set */
}

/* Takes one pending request, if any. */
static bool requested(struct kvm_context *c, struct kvm_vcpu *v, struct rf_trap *t)
{
	if (atomic_load(&c->interrupted) && atomic_exchange(&c->interrupted, false))
		t->kind = RF_TRAP_INTERRUPT;
	else if (atomic_load(&v->kicked) && atomic_exchange(&v->kicked, false))
		t->kind = RF_TRAP_INTERRUPT;
	else if (atomic_load(&c->preempted) && atomic_exchange(&c->preempted, false))
		t->kind = RF_TRAP_PREEMPT;
	return t->kind != RF_TRAP_NONE;
}

static void run_until_trap(struct kvm_context *c, struct kvm_address_space *as, struct kvm_vcpu *v,
			   struct rf_regs *regs, struct rf_trap *t)
{
	do {
		int r;

		WRITE_ONCE(v->run->immediate_exit, 0);
		atomic_thread_fence(memory_order_seq_cst);
		if (unlikely(atomic_load(&v->dump)))
			kvm_dump_serve(v);
		if (requested(c, v, t) || regs_refused(regs, t))
			return;
		r = kvm_invalidate_now(as);
		if (r) {
			t->kind = RF_TRAP_ERROR;
			t->code = r;
			return;
		}
		enter(v, as, regs, t);
	} while (t->kind == RF_TRAP_NONE);
}

/* ICEBP raises #DB as single steps do; a KVM may report it before or after the instruction. */
static bool is_icebp(struct kvm_address_space *as, u64 rip)
{
	u8 here = 0, before = 0;

	rf_address_space_copy_in(&as->base, &here, rip, 1);
	rf_address_space_copy_in(&as->base, &before, rip - 1, 1);
	return here == 0xf1 || before == 0xf1;
}

static void classify(struct kvm_context *c, struct kvm_address_space *as, struct rf_regs *regs,
		     struct rf_trap *t)
{
	regs->cs = SEL_USER_CS;
	regs->ss = SEL_USER_SS;
	if (t->kind != RF_TRAP_FAULT)
		return;
	if (t->vector == VECTOR_MF || t->vector == VECTOR_XM) {
		struct kvm_xsave fpu;

		kvm_trap_classify(t, kvm_fpu_get(&c->base, &fpu, sizeof(fpu)) ? NULL : &fpu);
	} else {
		kvm_trap_classify(t, NULL);
		if (t->vector == VECTOR_DB && !(regs->rflags & RFLAGS_TF) &&
		    is_icebp(as, regs->rip))
			t->code = CODE_TRAP_BRKPT;
	}
}

/*
 * Notes that @c is the vCPU's now. Returns whether another context was in between, or @c elsewhere,
 * since @c ran here.
 */
static bool take_cpu(struct kvm_context *c, struct kvm_vcpu *v)
{
	bool other = v->last_context != c->id;
	bool moved = other || c->last_cpu != v->index;
	bool first = c->last_cpu == KVM_NO_CPU;

	if (other)
		v->state_valid = false; /* DS, ES, FS and GS selectors stay nobody's */
	v->last_context = c->id;
	c->last_cpu = v->index;
	return moved && !first;
}

int kvm_context_switch(struct rf_context *cbase, struct rf_address_space *asbase,
		       struct rf_regs *regs, u32 cpu, struct rf_trap *ret)
{
	struct kvm_context *c = kvm_context(cbase);
	struct kvm_machine *m = kvm_machine(cbase->machine);
	struct kvm_address_space *as = container_of(asbase, struct kvm_address_space, base);
	struct kvm_vcpu *v;
	int r;

	if (cpu >= m->cpus || m->residency != RF_RESIDENCY_HOST)
		return -EINVAL;
	v = &m->vcpus[cpu];
	*ret = (struct rf_trap){ .cpu = cpu };
	regs->orig_rax = ~0ull;
	r = kvm_fpu_load(c, v);
	if (r)
		return r;
	if (take_cpu(c, v) && c->detects_preemption) {
		ret->kind = RF_TRAP_PREEMPT;
		return 0;
	}
	atomic_store(&c->preempted, false);
	atomic_store(&as->ran, true);
	atomic_store(&v->running, as);
	kvm_signal_enter(v);
	atomic_store(&c->tid, atomic_load(&v->tid));
	v->stats.switches++;
	v->run->kvm_valid_regs = KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS | KVM_SYNC_X86_EVENTS;
	run_until_trap(c, as, v, regs, ret);
	atomic_store(&c->tid, 0);
	kvm_signal_leave(v);
	atomic_store(&v->running, NULL);
	classify(c, as, regs, ret);
	return 0;
}
