/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks KVM what the virtual CPU has against speculative execution, and switches it on from outside: a write that KVM refuses is an
 * error of an ioctl here, a #GP in the guest.
 */
#include "platform/kvm/kvm.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define MSR_SPEC_CTRL         0x48u
#define MSR_ARCH_CAPABILITIES 0x10au
#define SPEC_CTRL_IBRS        1ull
#define SPECTRE_V2            "/sys/devices/system/cpu/vulnerabilities/spectre_v2"

static struct kvm_msrs *one_msr(u64 buf[4], u32 index, u64 value)
{
	struct kvm_msrs *list = (struct kvm_msrs *)buf;

	memset(buf, 0, 4 * sizeof(*buf));
	list->nmsrs = 1;
	list->entries[0] = (struct kvm_msr_entry){ .index = index, .data = value };
	return list;
}

/* KVM's feature MSR: what a guest may be told. */
static u64 arch_capabilities(int device)
{
	u64 buf[4];
	struct kvm_msrs *list = one_msr(buf, MSR_ARCH_CAPABILITIES, 0);

	if (kvm_ioctl_value(device, KVM_GET_MSRS, (unsigned long)(uintptr_t)list) != 1)
		return 0;
	return list->entries[0].data;
}

static bool host_says_not_affected(void)
{
	char text[32] = "";
	int fd = open(SPECTRE_V2, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	return n > 0 && strncmp(text, "Not affected", 12) == 0;
}

void kvm_speculation_facts(int device, const struct kvm_cpuid2 *c, struct speculation_facts *f)
{
	bool capabilities = false;

	*f = (struct speculation_facts){ .not_affected = host_says_not_affected() };
	for (u32 i = 0; i < c->nent; i++) {
		const struct kvm_cpuid_entry2 *e = &c->entries[i];

		if (e->function == 0)
			f->intel = e->ebx == 0x756e6547; /* "Genu" */
		if (e->function == 7 && e->index == 0) {
			f->spec_ctrl = e->edx >> 26 & 1;
			f->md_clear = e->edx >> 10 & 1;
			f->rtm = e->ebx >> 11 & 1;
			capabilities = e->edx >> 29 & 1;
		}
		if (e->function == 0x80000021)
			f->auto_ibrs = e->eax >> 8 & 1;
	}
	if (capabilities)
		f->arch_capabilities = arch_capabilities(device);
}

static bool set_on(struct kvm_vcpu *v, const struct speculation_plan *p)
{
	struct kvm_sregs s;
	u64 buf[4];

	if (p->auto_ibrs) {
		if (kvm_ioctl(v->fd, KVM_GET_SREGS, &s))
			return false;
		s.efer |= EFER_AUTOIBRS;
		return !kvm_ioctl(v->fd, KVM_SET_SREGS, &s);
	}
	if (!p->ibrs)
		return true;
	return kvm_ioctl_value(v->fd, KVM_SET_MSRS,
			       (unsigned long)(uintptr_t)one_msr(buf, MSR_SPEC_CTRL,
								 SPEC_CTRL_IBRS)) == 1;
}

void kvm_speculation_apply(struct kvm_machine *m, const struct speculation_facts *f)
{
	struct speculation_plan *p = &m->speculation;

	speculation_decide(f, m->residency == RF_RESIDENCY_GUEST, p);
	for (u32 i = 0; i < m->cpus; i++)
		if (!set_on(&m->vcpus[i], p))
			speculation_without_ibrs(f,
						 p); /* a vCPU that has it on is no worse for it */
	m->boot_features |= (p->retpoline ? RF_BOOT_F_RETPOLINE : 0) |
			    (p->verw ? RF_BOOT_F_VERW : 0) | (p->fill_rsb ? RF_BOOT_F_FILL_RSB : 0);
}
