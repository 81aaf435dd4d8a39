/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events for tests, in residency guest. KVM takes them only from outside KVM_RUN, so the vCPU's own thread hands them over. Where the
 * guest then is, is where the signal found it.
 */
#include "platform/kvm/kvm.h"

#include <errno.h>

#define VECTOR_DF 8u
#define VECTOR_MC 18u

int kvm_machine_inject(struct rf_machine *base, u32 cpu, enum rf_inject what)
{
	struct kvm_machine *m = kvm_machine(base);
	u32 bit = 1u << what;

	if (cpu >= m->cpus || m->residency != RF_RESIDENCY_GUEST)
		return -EINVAL;
	if (!(atomic_fetch_or(&m->vcpus[cpu].inject, bit) & bit))
		kvm_signal_send_running(&m->vcpus[cpu].tid);
	return 0;
}

static bool in_user(struct kvm_vcpu *v)
{
	struct kvm_sregs s;

	return !kvm_ioctl(v->fd, KVM_GET_SREGS, &s) && (s.cs.selector & 3) == 3;
}

/* 1: not now, as another event is under way. */
static int inject_exception(struct kvm_vcpu *v, u8 vector, bool has_error)
{
	struct kvm_vcpu_events e;
	int r = kvm_ioctl(v->fd, KVM_GET_VCPU_EVENTS, &e);

	if (r)
		return r;
	if (e.exception.injected || e.interrupt.injected || e.nmi.injected)
		return 1;
	e.exception.injected = 1;
	e.exception.nr = vector;
	e.exception.has_error_code = has_error;
	e.exception.error_code = 0;
	e.flags = 0;
	return kvm_ioctl(v->fd, KVM_SET_VCPU_EVENTS, &e);
}

int kvm_inject_serve(struct kvm_vcpu *v)
{
	u32 what = atomic_exchange(&v->inject, 0);
	int r = 0;

	if (what & 1u << RF_INJECT_NMI)
		r = kvm_ioctl_value(v->fd, KVM_NMI, 0);
	if (r >= 0 && what & 1u << RF_INJECT_DF)
		r = inject_exception(v, VECTOR_DF, true);
	/* In the kernel it would be the end. */
	if (r >= 0 && what & 1u << RF_INJECT_MC && in_user(v))
		r = inject_exception(v, VECTOR_MC, false);
	return r < 0 ? r : 0;
}
