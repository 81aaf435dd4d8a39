/* SPDX-License-Identifier: Apache-2.0 */
/* A machine: VM, memory slots, vCPUs; and the operations table of the platform. */
#include "platform/kvm/kvm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/membarrier.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DEFAULT_DEVICE "/dev/kvm"

struct kvm_machine *kvm_machine(struct rf_machine *m)
{
	return container_of(m, struct kvm_machine, base);
}

static const struct kvm_machine *const_machine(const struct rf_machine *m)
{
	return (const struct kvm_machine *)m;
}

int kvm_ioctl_value(int fd, unsigned long request, unsigned long arg)
{
	int r;

	do
		r = ioctl(fd, request, arg);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : r;
}

int kvm_ioctl(int fd, unsigned long request, void *arg)
{
	int r = kvm_ioctl_value(fd, request, (unsigned long)(uintptr_t)arg);

	return r < 0 ? r : 0;
}

static int kvm_open_device(const char *path, int *ret_fd, struct rf_error *err)
{
	const char *name = path ? path : DEFAULT_DEVICE;
	int version, fd = open(name, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return rf_error_set(err, -errno, "%s: %s", name, strerror(errno));
	version = kvm_ioctl_value(fd, KVM_GET_API_VERSION, 0);
	if (version != KVM_API_VERSION) {
		close(fd);
		if (version < 0)
			return rf_error_set(err, -ENODEV, "%s: not a KVM device", name);
		return rf_error_set(err, -EPROTO, "%s: KVM API version %d, need %d", name, version,
				    KVM_API_VERSION);
	}
	*ret_fd = fd;
	return 0;
}

/* ---- construction ---- */

static int check_capabilities(int device, struct rf_error *err)
{
	static const struct {
		int cap;
		const char *name;
	} required[] = {
		{ KVM_CAP_USER_MEMORY, "KVM_CAP_USER_MEMORY" },
		{ KVM_CAP_SET_TSS_ADDR, "KVM_CAP_SET_TSS_ADDR" },
		{ KVM_CAP_SET_IDENTITY_MAP_ADDR, "KVM_CAP_SET_IDENTITY_MAP_ADDR" },
		{ KVM_CAP_EXT_CPUID, "KVM_CAP_EXT_CPUID" },
		{ KVM_CAP_DESTROY_MEMORY_REGION_WORKS, "KVM_CAP_DESTROY_MEMORY_REGION_WORKS" },
		{ KVM_CAP_JOIN_MEMORY_REGIONS_WORKS, "KVM_CAP_JOIN_MEMORY_REGIONS_WORKS" },
		{ KVM_CAP_XSAVE, "KVM_CAP_XSAVE" },
		{ KVM_CAP_SYNC_MMU, "KVM_CAP_SYNC_MMU" },
		{ KVM_CAP_VCPU_EVENTS, "KVM_CAP_VCPU_EVENTS" },
		{ KVM_CAP_IMMEDIATE_EXIT, "KVM_CAP_IMMEDIATE_EXIT" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(required); i++)
		if (kvm_ioctl_value(device, KVM_CHECK_EXTENSION, (unsigned long)required[i].cap) <=
		    0)
			return rf_error_set(err, -EOPNOTSUPP, "this KVM lacks %s",
					    required[i].name);
	if ((kvm_ioctl_value(device, KVM_CHECK_EXTENSION, KVM_CAP_SYNC_REGS) &
	     KVM_SYNC_X86_VALID_FIELDS) != KVM_SYNC_X86_VALID_FIELDS)
		return rf_error_set(err, -EOPNOTSUPP, "this KVM lacks KVM_CAP_SYNC_REGS");
	return 0;
}

static int create_vm(struct kvm_machine *m, int device, struct rf_error *err)
{
	int r;

	m->fd = kvm_ioctl_value(device, KVM_CREATE_VM, 0);
	if (m->fd < 0) {
		r = m->fd;
		m->fd = -1;
		return rf_error_set(err, r, "KVM_CREATE_VM: %s", strerror(-r));
	}
	r = kvm_ioctl_value(m->fd, KVM_SET_TSS_ADDR, KVM_TSS_GPA);
	if (r < 0)
		return rf_error_set(err, r, "KVM_SET_TSS_ADDR: %s", strerror(-r));
	/* Like the TSS pages: VMX without unrestricted guests keeps a page table there. */
	r = kvm_ioctl(m->fd, KVM_SET_IDENTITY_MAP_ADDR, &(u64){ KVM_IDENTITY_GPA });
	if (r < 0)
		return rf_error_set(err, r, "KVM_SET_IDENTITY_MAP_ADDR: %s", strerror(-r));
	r = kvm_ioctl_value(device, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (r < (int)sizeof(struct kvm_run))
		return rf_error_set(err, r < 0 ? r : -EPROTO, "KVM_GET_VCPU_MMAP_SIZE: %d", r);
	m->run_size = (size_t)r;
	return 0;
}

static int make_memory(struct kvm_machine *m, const struct rf_memory *want, struct rf_error *err)
{
	struct rf_memory *mem = &m->base.memory;

	*mem = *want;
	if (!mem->gpa)
		mem->gpa = RF_ARENA_GPA;
	if (mem->base)
		return 0;
	mem->base = mmap(NULL, mem->size, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (mem->base == MAP_FAILED) {
		mem->base = NULL;
		return rf_error_set(err, -errno, "0x%lx bytes of guest memory: %s", mem->size,
				    strerror(errno));
	}
	m->owns_memory = true;
	return 0;
}

static int add_slots(struct kvm_machine *m, u64 table_bytes, struct rf_error *err)
{
	const struct rf_memory *mem = &m->base.memory;
	u64 size = table_bytes ? table_bytes : mem->size / 64 + (16 << 20);
	int r = kvm_pool_init(&m->pool, ALIGN_UP(MIN(size, (u64)KVM_POOL_MAX), PAGE_SIZE));

	if (r)
		return rf_error_set(err, r, "page-table pool: %s", strerror(-r));
	r = kvm_memslot_set(m, KVM_SLOT_POOL, KVM_POOL_GPA, m->pool.base, m->pool.size);
	if (!r)
		r = kvm_memslot_set(m, KVM_SLOT_ARENA, mem->gpa, mem->base, mem->size);
	return r ? rf_error_set(err, r, "KVM_SET_USER_MEMORY_REGION: %s", strerror(-r)) : 0;
}

/* The shared slot's tables, which every address space gets. */
static int init_shared(struct kvm_machine *m, struct rf_error *err)
{
	int r = pt_init(&m->shared, &kvm_table_ops, m);

	if (!r)
		r = kvm_layout_init(m);
	return r ? rf_error_set(err, r, "page tables: %s", strerror(-r)) : 0;
}

static int create_vcpus(struct kvm_machine *m, struct kvm_cpuid2 *cpuid, struct rf_error *err)
{
	for (u32 i = 0; i < m->cpus; i++) {
		int r = kvm_vcpu_init(&m->vcpus[i], m, i, cpuid, err);

		if (r)
			return r;
	}
	return 0;
}

static int machine_set_up(struct kvm_machine *m, int device, const struct rf_options *opts,
			  struct rf_error *err)
{
	struct speculation_facts facts;
	struct kvm_cpu_features f;
	int r = check_capabilities(device, err);

	if (r)
		return r;
	r = kvm_cpuid_get(device, &f, err);
	if (r)
		return r;
	kvm_cpuid_withhold(&f, opts->withheld_features);
	m->xcr0 = f.xcr0;
	m->fpu_size = f.xsave_size;
	m->boot_features = f.boot_features;
	r = create_vm(m, device, err);
	if (!r)
		r = make_memory(m, &opts->memory, err);
	if (!r)
		r = add_slots(m, opts->table_bytes, err);
	if (!r)
		r = init_shared(m, err);
	if (!r)
		r = create_vcpus(m, f.cpuid, err);
	if (!r) {
		kvm_speculation_facts(device, f.cpuid, &facts);
		kvm_speculation_apply(m, &facts);
	}
	free(f.cpuid);
	return r;
}

int kvm_machine_new(int device, const struct rf_options *opts,
		    const struct kvm_behaviour *behaviour, struct rf_machine **ret,
		    struct rf_error *err)
{
	struct kvm_machine *m = calloc(1, sizeof(*m));
	int r;

	if (m)
		m->vcpus = calloc(opts->cpus, sizeof(*m->vcpus));
	if (!m || !m->vcpus) {
		free(m);
		return rf_error_set(err, -ENOMEM, "no memory for a machine");
	}
	m->base.platform = &kvm_platform;
	m->fd = -1;
	m->residency = opts->residency;
	m->behaviour = *behaviour;
	m->cpus = opts->cpus;
	for (u32 i = 0; i < m->cpus; i++) {
		m->vcpus[i].fd = -1;
		m->vcpus[i].index = i;
		pthread_mutex_init(&m->vcpus[i].dump_lock, NULL);
	}
	pthread_mutex_init(&m->flip_lock, NULL);
	r = kvm_signal_init();
	if (!r)
		r = machine_set_up(m, device, opts, err);
	if (r) {
		kvm_machine_free(&m->base);
		return r;
	}
	*ret = &m->base;
	return 0;
}

/* Names the first check that failed. */
static int refuse_unusable(int device, struct rf_error *err)
{
	struct rf_probe probe = { 0 };
	const struct rf_check *c = probe.checks;
	int r = kvm_probe(device, &probe, err);

	if (r)
		return r;
	while (c < probe.checks + probe.count && c->result == RF_CHECK_OK)
		c++;
	return rf_error_set(err, -EOPNOTSUPP, "this KVM fails the check %s: %s",
			    c->name ? c->name : "?", c->detail);
}

static int machine_new(int device, const struct rf_options *opts, struct rf_machine **ret,
		       struct rf_error *err)
{
	struct kvm_behaviour behaviour;
	int r = 0;

	if (device < 0)
		r = kvm_open_device(NULL, &device, err);
	if (!r)
		r = kvm_probe_behaviour(device, &behaviour, err);
	if (!r && !behaviour.usable)
		r = refuse_unusable(device, err);
	if (!r)
		r = kvm_machine_new(device, opts, &behaviour, ret, err);
	if (device >= 0)
		close(device);
	return r;
}

void kvm_machine_free(struct rf_machine *base)
{
	struct kvm_machine *m = kvm_machine(base);

	for (u32 i = 0; i < m->cpus; i++)
		kvm_vcpu_done(&m->vcpus[i]);
	if (m->fd >= 0)
		close(m->fd);
	kvm_pool_done(&m->pool);
	if (m->owns_memory)
		munmap(m->base.memory.base, m->base.memory.size);
	pthread_mutex_destroy(&m->flip_lock);
	free(m->vcpus);
	free(m);
}

/* ---- queries ---- */

static void kvm_machine_traits(const struct rf_machine *base, struct rf_traits *ret)
{
	const struct kvm_machine *m = const_machine(base);

	*ret = (struct rf_traits){
		.supports_address_space_io = true,
		.owns_page_tables = true,
		.detects_cpu_preemption = true,
		.has_global_memory_barrier = true,
		.has_cpu_numbers = true,
		.can_boot = m->behaviour.can_boot,
		.concurrency_count = m->cpus,
		.map_unit = 16 << 20,
		.min_user_address = RF_MIN_USER_ADDRESS,
		.max_user_address = RF_MAX_USER_ADDRESS,
	};
}

static void kvm_machine_stats(const struct rf_machine *base, struct rf_stats *ret)
{
	const struct kvm_machine *m = const_machine(base);

	for (u32 i = 0; i < m->cpus; i++) {
		const struct rf_stats *s = &m->vcpus[i].stats;

		ret->switches += s->switches;
		ret->exits += s->exits;
		ret->exits_io += s->exits_io;
		ret->exits_hlt += s->exits_hlt;
		ret->exits_mmio += s->exits_mmio;
		ret->exits_intr += s->exits_intr;
		ret->exits_other += s->exits_other;
		ret->kvm_exits += kvm_vcpu_stat(&m->vcpus[i], "exits");
		ret->kvm_irq_exits += kvm_vcpu_stat(&m->vcpus[i], "irq_exits");
	}
	ret->invalidations = m->invalidations;
	ret->interrupts = m->interrupts;
}

static u64 kvm_machine_xcr0(const struct rf_machine *m)
{
	return const_machine(m)->xcr0;
}

static u32 kvm_machine_boot_features(const struct rf_machine *m)
{
	return const_machine(m)->boot_features;
}

static size_t kvm_fpu_size(const struct rf_machine *m)
{
	return const_machine(m)->fpu_size;
}

/*
 * A vCPU is its host thread to the scheduler, so an IPI to the threads of this process reaches user
 * code too.
 */
static int kvm_machine_memory_barrier(struct rf_machine *m)
{
	if (!syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0))
		return 0;
	if (errno != EPERM ||
	    syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0))
		return -errno;
	return syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) ? -errno : 0;
}

/* ---- the platform ---- */

#define IOCTL(request)                \
	{                             \
		SYS_ioctl, 1, request \
	}
static const struct rf_host_call kvm_host_filter[] = {
	IOCTL(KVM_RUN),
	IOCTL(KVM_SET_USER_MEMORY_REGION),
	IOCTL(KVM_GET_SREGS),
	IOCTL(KVM_SET_SREGS),
	IOCTL(KVM_GET_REGS),
	IOCTL(KVM_SET_REGS),
	IOCTL(KVM_GET_XSAVE),
	IOCTL(KVM_SET_XSAVE),
	IOCTL(KVM_SET_XCRS),
	IOCTL(KVM_SET_MSRS),
	IOCTL(KVM_INTERRUPT),
	IOCTL(KVM_NMI),
	IOCTL(KVM_GET_VCPU_EVENTS),
	IOCTL(KVM_SET_VCPU_EVENTS),
	{ SYS_tgkill, 0, 0 },
	{ SYS_gettid, 0, 0 },
	{ SYS_getpid, 0, 0 },
	{ SYS_rt_sigprocmask, 0, 0 },
	{ SYS_rt_sigreturn, 0, 0 },
	{ SYS_membarrier, 0, 0 },
	{ SYS_futex, 0, 0 },
	{ SYS_sched_yield, 0, 0 },
	{ SYS_madvise, 0, 0 },
	{ SYS_munmap, 0, 0 },
	{ SYS_mmap, 0, 0 },
	{ SYS_brk, 0, 0 },
	{ SYS_close, 0, 0 },
};

const struct rf_platform kvm_platform = {
	.name = "kvm",
	.requirements = { .device = true },
	.host_filter = kvm_host_filter,
	.host_filter_count = ARRAY_SIZE(kvm_host_filter),
	.open_device = kvm_open_device,
	.probe = kvm_probe,
	.machine_new = machine_new,
	.machine_free = kvm_machine_free,
	.machine_traits = kvm_machine_traits,
	.machine_stats = kvm_machine_stats,
	.machine_memory_barrier = kvm_machine_memory_barrier,
	.machine_interrupt_cpu = kvm_machine_interrupt_cpu,
	.machine_inject = kvm_machine_inject,
	.machine_dump_cpu = kvm_machine_dump_cpu,
	.machine_xcr0 = kvm_machine_xcr0,
	.machine_boot_features = kvm_machine_boot_features,
	.as_new = kvm_as_new,
	.as_free = kvm_as_free,
	.as_map_file = kvm_as_map_file,
	.as_unmap = kvm_as_unmap,
	.as_protect = kvm_as_protect,
	.as_next = kvm_as_next,
	.as_flush = kvm_as_flush,
	.context_new = kvm_context_new,
	.context_free = kvm_context_free,
	.context_switch = kvm_context_switch,
	.context_interrupt = kvm_context_interrupt,
	.context_preempt = kvm_context_preempt,
	.context_detect_preemption = kvm_context_detect_preemption,
	.fpu_size = kvm_fpu_size,
	.context_get_fpu = kvm_fpu_get,
	.context_set_fpu = kvm_fpu_set,
	.context_reset_fpu = kvm_fpu_reset,
	.boot_cpu = kvm_boot_cpu,
	.run_cpu = kvm_run_cpu,
};
