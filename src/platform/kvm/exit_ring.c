/* SPDX-License-Identifier: Apache-2.0 */
/* The last exits of a vCPU. Written by its thread, read by whoever dumps; an entry may be torn then. */
#include <x86intrin.h>

#include "platform/kvm/kvm.h"

/* What tells one exit of a reason from another, in one word; kvm_exit_say_detail() undoes it. */
static u64 detail_of(const struct kvm_run *run, int error)
{
	if (error)
		return run->exit_reason == KVM_REASON_MEMORY_FAULT ? kvm_memory_fault(run)->gpa : 0;
	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		return run->io.port | (u64)run->io.size << 16 | (u64)run->io.direction << 24;
	case KVM_EXIT_MMIO:
		return run->mmio.phys_addr;
	case KVM_EXIT_FAIL_ENTRY:
		return run->fail_entry.hardware_entry_failure_reason;
	case KVM_EXIT_INTERNAL_ERROR:
		return run->internal.suberror;
	case KVM_EXIT_UNKNOWN:
		return run->hw.hardware_exit_reason;
	case KVM_EXIT_X86_RDMSR:
	case KVM_EXIT_X86_WRMSR:
		return run->msr.index;
	case KVM_EXIT_HYPERCALL:
		return run->hypercall.nr;
	case KVM_EXIT_SYSTEM_EVENT:
		return run->system_event.type;
	default:
		return 0;
	}
}

__hot void kvm_exit_record(struct kvm_vcpu *v, int error)
{
	struct kvm_run *run = v->run;
	struct kvm_exit_record *e = &v->ring[v->ring_count++ % KVM_EXIT_RING];
	bool regs = run->kvm_valid_regs & KVM_SYNC_X86_REGS;

	e->tsc = __rdtsc();
	e->rip = regs ? run->s.regs.regs.rip : 0;
	e->reason = run->exit_reason;
	e->error = error;
	e->detail = detail_of(run, error);
}
