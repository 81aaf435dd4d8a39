/* SPDX-License-Identifier: Apache-2.0 */
/* One virtual CPU: its creation, its fixed state, and KVM_RUN. */
#include "platform/kvm/kvm.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define MSR_STAR     0xc0000081u
#define MSR_LSTAR    0xc0000082u
#define MSR_CSTAR    0xc0000083u
#define MSR_SFMASK   0xc0000084u
#define MSR_PAT      0x277u
#define PAT_LINUX    0x0407050600070106ull
/* What SYSCALL clears when it lands at CPL 0: TF IF DF IOPL NT RF AC ID. */
#define SFMASK_RING0 0x257700ull

int kvm_vcpu_set_msrs(struct kvm_vcpu *v, const struct kvm_vcpu_msrs *msrs)
{
	const struct kvm_msr_entry entries[] = {
		{ .index = MSR_STAR, .data = msrs->star },
		{ .index = MSR_LSTAR, .data = msrs->lstar },
		{ .index = MSR_CSTAR, .data = msrs->cstar },
		{ .index = MSR_SFMASK, .data = msrs->sfmask },
		{ .index = MSR_PAT, .data = PAT_LINUX },
	};
	u64 buf[(sizeof(struct kvm_msrs) + sizeof(entries)) / sizeof(u64)];
	struct kvm_msrs *list = (struct kvm_msrs *)buf;
	int r;

	memset(buf, 0, sizeof(buf));
	list->nmsrs = ARRAY_SIZE(entries);
	memcpy(list->entries, entries, sizeof(entries));
	r = kvm_ioctl_value(v->fd, KVM_SET_MSRS, (unsigned long)(uintptr_t)list);
	return r < 0 ? r : r == ARRAY_SIZE(entries) ? 0 : -EIO;
}

static int set_user_msrs(struct kvm_vcpu *v)
{
	bool ring0 = v->machine->behaviour.syscall_ring0;
	u64 entry = ring0 ? KVM_STUB_VA + KVM_STUB_SYSCALL : KVM_SYSCALL_VA;

	return kvm_vcpu_set_msrs(v, &(struct kvm_vcpu_msrs){
					    .star = KVM_STAR,
					    .lstar = entry,
					    .cstar = entry,
					    .sfmask = ring0 ? SFMASK_RING0 : 0,
				    });
}

static int set_xcr0(struct kvm_vcpu *v)
{
	struct kvm_xcrs xcrs = { .nr_xcrs = 1, .xcrs[0] = { .xcr = 0, .value = v->machine->xcr0 } };

	if (!(v->machine->boot_features & RF_BOOT_F_XSAVE))
		return 0;
	return kvm_ioctl(v->fd, KVM_SET_XCRS, &xcrs);
}

/*
 * Guest TSC = host TSC. Kernels without the attribute start a machine's TSCs near 0: the probe
 * reports it.
 */
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
	s->cr0 = CR0_LONG_MODE;
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
	return set_user_msrs(v);
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
	v->stats_fd = -1;
	pthread_mutex_init(&v->fpu_lock, NULL);
	v->run = mmap(NULL, m->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, v->fd, 0);
	if (v->run == MAP_FAILED) {
		v->run = NULL;
		return rf_error_set(err, -errno, "mapping vCPU %u: %s", index, strerror(errno));
	}
	/* A child of fork(2) must not keep the machine alive; it could not use it anyhow. */
	madvise(v->run, m->run_size, MADV_DONTFORK);
	/* Now: later the ioctl would wait for KVM_RUN to end, which it need not. Where there is none, counts are 0. */
	v->stats_fd = kvm_ioctl_value(v->fd, KVM_GET_STATS_FD, 0);
	r = vcpu_set_up(v, cpuid, &step);
	return r ? rf_error_set(err, r, "%s of vCPU %u: %s", step, index, strerror(-r)) : 0;
}

void kvm_vcpu_done(struct kvm_vcpu *v)
{
	if (!v->machine || v->fd < 0)
		return;
	if (v->run)
		munmap(v->run, v->machine->run_size);
	if (v->stats_fd >= 0)
		close(v->stats_fd);
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
	kvm_exit_record(v, r);
	return r;
}
