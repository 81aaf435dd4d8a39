/* SPDX-License-Identifier: Apache-2.0 */
/* Residency guest: start a vCPU in ring 0 and run it from hostcall to hostcall. */
#include "platform/kvm/kvm.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static u64 boot_cr4(u32 features)
{
	/* MCE: a machine check is an exception to handle, not a shutdown. */
	u64 cr4 = CR4_PAE | CR4_MCE | CR4_PGE | CR4_OSFXSR | CR4_OSXMMEXCPT;

	if (features & RF_BOOT_F_UMIP)
		cr4 |= CR4_UMIP;
	if (features & RF_BOOT_F_FSGSBASE)
		cr4 |= CR4_FSGSBASE;
	if (features & RF_BOOT_F_XSAVE)
		cr4 |= CR4_OSXSAVE;
	if (features & RF_BOOT_F_SMEP)
		cr4 |= CR4_SMEP;
	if (features & RF_BOOT_F_SMAP)
		cr4 |= CR4_SMAP;
	return cr4;
}

static int boot_sregs(struct kvm_vcpu *v, const struct rf_boot_cpu *b)
{
	struct kvm_sregs s;
	int r = kvm_ioctl(v->fd, KVM_GET_SREGS, &s);

	if (r)
		return r;
	kvm_layout_segments(&s, v->index, false);
	s.gs.base = b->gs_base;
	s.gdt.base = b->gdt_base;
	s.gdt.limit = b->gdt_limit;
	s.idt.base = b->idt_base;
	s.idt.limit = b->idt_limit;
	s.tr.base = b->tss_base;
	s.tr.limit = b->tss_limit;
	s.cr0 = CR0_LONG_MODE;
	s.cr3 = b->cr3;
	s.cr4 = boot_cr4(v->machine->boot_features);
	s.efer = EFER_LONG | (v->machine->speculation.auto_ibrs ? EFER_AUTOIBRS : 0);
	return kvm_ioctl(v->fd, KVM_SET_SREGS, &s);
}

static int boot_msrs(struct kvm_vcpu *v, const struct rf_boot_cpu *b)
{
	return kvm_vcpu_set_msrs(v, &(struct kvm_vcpu_msrs){
					    .star = b->star ? b->star : KVM_STAR,
					    .lstar = b->lstar,
					    .cstar = b->cstar,
					    .sfmask = b->sfmask,
				    });
}

static int boot_regs(struct kvm_vcpu *v, const struct rf_boot_cpu *b)
{
	struct kvm_regs r = { .rip = b->rip, .rsp = b->rsp, .rdi = b->arg, .rflags = 2 };

	return kvm_ioctl(v->fd, KVM_SET_REGS, &r);
}

int kvm_boot_cpu(struct rf_machine *base, u32 cpu, const struct rf_boot_cpu *state,
		 struct rf_error *err)
{
	struct kvm_machine *m = kvm_machine(base);
	struct kvm_vcpu *v;
	int r;

	if (cpu >= m->cpus)
		return rf_error_set(err, -EINVAL, "no CPU %u", cpu);
	if (m->residency != RF_RESIDENCY_GUEST)
		return rf_error_set(err, -EINVAL, "the machine was not made for residency guest");
	v = &m->vcpus[cpu];
	r = boot_sregs(v, state);
	if (r)
		return rf_error_set(err, r, "KVM_SET_SREGS of vCPU %u: %s", cpu, strerror(-r));
	r = boot_msrs(v, state);
	if (r)
		return rf_error_set(err, r, "KVM_SET_MSRS of vCPU %u: %s", cpu, strerror(-r));
	r = boot_regs(v, state);
	if (r)
		return rf_error_set(err, r, "KVM_SET_REGS of vCPU %u: %s", cpu, strerror(-r));
	v->run->kvm_valid_regs = 0;
	v->booted = true;
	return 0;
}

/*
 * Delivers a kick as an interrupt, or asks for an exit when the guest can take one. Kernel code
 * runs with interrupts off, so this is when it enters user code or sleeps.
 */
static int inject_kick(struct kvm_vcpu *v)
{
	struct kvm_interrupt irq = { .irq = RF_VECTOR_KICK };
	int r;

	v->run->request_interrupt_window = 0;
	if (!atomic_load(&v->kicked))
		return 0;
	if (!v->run->ready_for_interrupt_injection || !v->run->if_flag) {
		v->run->request_interrupt_window = 1;
		return 0;
	}
	atomic_store(&v->kicked, false);
	r = kvm_ioctl(v->fd, KVM_INTERRUPT, &irq);
	if (r == -EEXIST) { /* one is on its way already */
		v->run->request_interrupt_window = 1;
		atomic_store(&v->kicked, true);
		return 0;
	}
	/* What KVM_RUN reported last no longer holds. */
	v->run->ready_for_interrupt_injection = 0;
	return r;
}

static int fatal(struct kvm_vcpu *v, int error, enum rf_exit_kind *ret, char *dump, size_t size)
{
	kvm_exit_dump(v, error, dump, size);
	*ret = RF_EXIT_FATAL;
	return 0;
}

/* A window that does not open, and a vCPU that is never ready, must not keep us for ever. */
static bool retry(struct kvm_vcpu *v, enum kvm_answer answer)
{
	if (answer == KVM_ANSWER_WINDOW && v->run->ready_for_interrupt_injection)
		v->retries = 0;
	return v->retries++ < KVM_RETRIES_MAX;
}

static int run_loop(struct kvm_vcpu *v, enum rf_exit_kind *ret, char *dump, size_t size)
{
	v->retries = 0;
	for (;;) {
		enum kvm_answer answer;
		int r;

		WRITE_ONCE(v->run->immediate_exit, 0);
		atomic_thread_fence(memory_order_seq_cst);
		if (unlikely(atomic_load(&v->dump)))
			kvm_dump_serve(v);
		r = unlikely(atomic_load(&v->inject)) ? kvm_inject_serve(v) : 0;
		if (!r)
			r = inject_kick(v);
		if (r)
			return fatal(v, r, ret, dump, size);
		r = kvm_vcpu_run(v);
		answer = kvm_exit_answer(RF_RESIDENCY_GUEST, r, v->run->exit_reason);
		switch (answer) {
		case KVM_ANSWER_HOSTCALL:
			*ret = RF_EXIT_HOSTCALL;
			return 0;
		case KVM_ANSWER_SIGNAL:
			if (atomic_load(&v->kicked))
				continue;
			*ret = RF_EXIT_SIGNAL;
			return 0;
		case KVM_ANSWER_WINDOW:
		case KVM_ANSWER_AGAIN:
			if (retry(v, answer))
				continue;
			return fatal(v, r, ret, dump, size);
		default:
			return fatal(v, r, ret, dump, size);
		}
	}
}

int kvm_run_cpu(struct rf_machine *base, u32 cpu, enum rf_exit_kind *ret, char *dump,
		size_t dump_size)
{
	struct kvm_machine *m = kvm_machine(base);
	struct kvm_vcpu *v;
	int r;

	if (cpu >= m->cpus || !m->vcpus[cpu].booted)
		return -EINVAL;
	v = &m->vcpus[cpu];
	kvm_signal_enter(v);
	r = run_loop(v, ret, dump, dump_size);
	kvm_signal_leave(v);
	return r;
}
