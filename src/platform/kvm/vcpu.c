/* SPDX-License-Identifier: Apache-2.0 */
/* One virtual CPU: its creation, its fixed state, and KVM_RUN. */
#include "platform/kvm/kvm.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define CR0_HOST  0x80050033ull /* PG AM WP NE ET MP PE */
#define CR4_PAE	  (1ull << 5)
#define CR4_OSFXSR (1ull << 9)
#define CR4_OSXMMEXCPT (1ull << 10)
#define CR4_UMIP  (1ull << 11)
#define CR4_FSGSBASE (1ull << 16)
#define CR4_OSXSAVE (1ull << 18)
#define EFER_LONG 0xd01ull /* NXE LMA LME SCE */

#define MSR_STAR   0xc0000081u
#define MSR_LSTAR  0xc0000082u
#define MSR_CSTAR  0xc0000083u
#define MSR_SFMASK 0xc0000084u
#define MSR_PAT	   0x277u
#define PAT_LINUX  0x0407050600070106ull
/* What SYSCALL clears when it lands at CPL 0: TF IF DF IOPL NT RF AC ID. */
#define SFMASK_RING0 0x257700ull

static int set_msrs(struct kvm_vcpu *v)
{
	bool ring0 = v->machine->behaviour.syscall_ring0;
	u64 entry = ring0 ? KVM_STUB_VA + KVM_STUB_SYSCALL : KVM_SYSCALL_VA;
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entries[5];
	} msrs = {
		.head.nmsrs = 5,
		.entries = {
			{ .index = MSR_STAR, .data = (u64)SEL_USER_CS32 << 48 | (u64)SEL_KERNEL_CS << 32 },
			{ .index = MSR_LSTAR, .data = entry },
			{ .index = MSR_CSTAR, .data = entry },
			{ .index = MSR_SFMASK, .data = ring0 ? SFMASK_RING0 : 0 },
			{ .index = MSR_PAT, .data = PAT_LINUX },
		},
	};
	int r = kvm_ioctl_value(v->fd, KVM_SET_MSRS, (unsigned long)(uintptr_t)&msrs);

	return r < 0 ? r : r == 5 ? 0 : -EIO;
}

static int set_xcr0(struct kvm_vcpu *v)
{
	struct kvm_xcrs xcrs = { .nr_xcrs = 1, .xcrs[0] = { .xcr = 0, .value = v->machine->xcr0 } };

	if (!(v->machine->boot_features & RF_BOOT_F_XSAVE))
		return 0;
	return kvm_ioctl(v->fd, KVM_SET_XCRS, &xcrs);
}

/* Guest TSC = host TSC. Kernels without the attribute start a machine's TSCs near 0: the probe reports it. */
static void set_tsc_offset(struct kvm_vcpu *v)
{
	u64 offset = 0;
	struct kvm_device_attr attr = {
		.group = KVM_VCPU_TSC_CTRL,
		.attr = KVM_VCPU_TSC_OFFSET,
		.addr = (u64)(uintptr_t)&offset,
	};

	kvm_ioctl(v->fd, KVM_SET_DEVICE_ATTR, &attr);
}

/* The state user code runs with, cr3 and bases apart. */
static int init_user_sregs(struct kvm_vcpu *v)
{
	u32 features = v->machine->boot_features;
	struct kvm_sregs *s = &v->user_sregs;
	int r = kvm_ioctl(v->fd, KVM_GET_SREGS, s);

	if (r)
		return r;
	kvm_layout_segments(s, v->index, true);
	s->cr0 = CR0_HOST;
	s->cr4 = CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT;
	if (features & RF_BOOT_F_UMIP)
		s->cr4 |= CR4_UMIP;
	if (features & RF_BOOT_F_FSGSBASE)
		s->cr4 |= CR4_FSGSBASE;
	if (features & RF_BOOT_F_XSAVE)
		s->cr4 |= CR4_OSXSAVE;
	s->efer = EFER_LONG;
	s->cr3 = pt_root_gpa(&v->machine->shared);
	return kvm_ioctl(v->fd, KVM_SET_SREGS, s);
}

static int vcpu_set_up(struct kvm_vcpu *v, struct kvm_cpuid2 *cpuid, const char **ret_step)
{
	int r;

	*ret_step = "KVM_SET_CPUID2";
	r = kvm_cpuid_set(v->fd, cpuid, v->index);
	if (r)
		return r;
	set_tsc_offset(v);
	*ret_step = "KVM_SET_SREGS";
	r = init_user_sregs(v);
	if (r)
		return r;
	*ret_step = "KVM_SET_XCRS";
	r = set_xcr0(v);
	if (r)
		return r;
	*ret_step = "KVM_SET_MSRS";
	return set_msrs(v);
}

int kvm_vcpu_init(struct kvm_vcpu *v, struct kvm_machine *m, u32 index, struct kvm_cpuid2 *cpuid,
		  struct rf_error *err)
{
	const char *step = "KVM_CREATE_VCPU";
	int r;

	v->machine = m;
	v->index = index;
	v->fd = kvm_ioctl_value(m->fd, KVM_CREATE_VCPU, index);
	if (v->fd < 0) {
		r = v->fd;
		v->fd = -1;
		return rf_error_set(err, r, "%s of vCPU %u: %s", step, index, strerror(-r));
	}
	pthread_mutex_init(&v->fpu_lock, NULL);
	v->run = mmap(NULL, m->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, v->fd, 0);
	if (v->run == MAP_FAILED) {
		v->run = NULL;
		return rf_error_set(err, -errno, "mapping vCPU %u: %s", index, strerror(errno));
	}
	r = vcpu_set_up(v, cpuid, &step);
	return r ? rf_error_set(err, r, "%s of vCPU %u: %s", step, index, strerror(-r)) : 0;
}

void kvm_vcpu_done(struct kvm_vcpu *v)
{
	if (!v->machine || v->fd < 0)
		return;
	if (v->run)
		munmap(v->run, v->machine->run_size);
	close(v->fd);
	pthread_mutex_destroy(&v->fpu_lock);
	v->fd = -1;
}

static void count_exit(struct kvm_vcpu *v, int r)
{
	struct rf_stats *s = &v->stats;

	s->exits++;
	if (r == -EINTR)
		s->exits_intr++;
	else if (v->run->exit_reason == KVM_EXIT_IO)
		s->exits_io++;
	else if (v->run->exit_reason == KVM_EXIT_HLT)
		s->exits_hlt++;
	else if (v->run->exit_reason == KVM_EXIT_MMIO)
		s->exits_mmio++;
	else
		s->exits_other++;
}

int kvm_vcpu_run(struct kvm_vcpu *v)
{
	int r = ioctl(v->fd, KVM_RUN, 0) < 0 ? -errno : 0;

	count_exit(v, r);
	return r;
}
