/* SPDX-License-Identifier: Apache-2.0 */
/* The KVM platform's objects, shared by the files of this directory. */
#pragma once

#include <linux/kvm.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "pagetable/pagetable.h"
#include "platform/kvm/exit_table.h"
#include "platform/kvm/layout.h"
#include "platform/kvm/speculation.h"
#include "platform/platform.h"

extern const struct rf_platform kvm_platform;

/* How stale translations are dropped. Chosen by the probe (probe.c). */
enum kvm_invalidation {
	KVM_INVALIDATE_SLOTS, /* shadow paging that misses host-made changes: flip a slot */
	KVM_INVALIDATE_CR3,   /* nested paging: reload CR3 in the guest */
};

/* What the behaviour probe found about the kernel's KVM; constant for the life of the process. */
struct kvm_behaviour {
	bool usable;        /* ring 3 runs and system calls and faults arrive */
	bool can_boot;      /* ring 0 runs natively and faithfully */
	bool syscall_ring0; /* SYSCALL lands at CPL 0 */
	bool sync_regs;
	enum kvm_invalidation invalidation;
};

/* Guest memory of the platform's own: page tables, descriptor tables, stacks. */
struct kvm_pool {
	pthread_mutex_t lock;
	u8 *base;
	u64 size;
	u64 used;   /* bytes handed out from the front, never taken back */
	void *free; /* recycled pages, linked through their first word */
	u64 free_count;
};

struct kvm_context;
struct kvm_machine;
struct kvm_address_space;

/* One return of KVM_RUN. */
struct kvm_exit_record {
	u64 tsc;
	u64 rip;    /* 0: not known, as the registers were not asked for */
	u64 detail; /* port, address, MSR … by reason */
	u32 reason;
	s32 error;
};
#define KVM_EXIT_RING 32u

/* Room for everything kvm_exit_dump() can say. */
#define KVM_DUMP_MAX 12288u

/* Somebody wants the vCPU's thread to describe it. */
struct kvm_dump_request;

struct kvm_vcpu {
	struct kvm_machine *machine;
	u32 index;
	int fd;
	int stats_fd; /* KVM_GET_STATS_FD, or negative */
	struct kvm_run *run;
	_Atomic(pid_t) tid;  /* thread that is in a switch or run on this vCPU, else 0 */
	_Atomic u32 inject;  /* bits 1 << enum rf_inject: rf_machine_inject() not yet delivered */
	_Atomic bool kicked; /* rf_machine_interrupt_cpu() not yet delivered */
	_Atomic bool flush;  /* KVM_INVALIDATE_CR3: reload CR3 at the next entry */
	/*
	 * Counts up at both ends of an entry: odd from before the look at `flush` until KVM_RUN is
	 * over.
	 */
	_Atomic u64 entries;
	struct kvm_address_space *_Atomic running; /* address space of the switch in progress */
	struct kvm_address_space *_Atomic loaded;  /* whose root CR3 is */

	pthread_mutex_t fpu_lock;
	struct kvm_context *_Atomic fpu_owner; /* guarded by fpu_lock for changes */

	/* Thread of the switch only. */
	struct kvm_sregs
		user_sregs;      /* as loaded for user code, with cr3 and bases of the last entry */
	bool state_valid;        /* user_sregs describe the vCPU */
	bool ring0;              /* the vCPU stands in a ring-0 stub */
	struct kvm_frame *frame; /* what the CPU pushes at an exception, in the pool */
	u64 last_context;        /* id of whose switch was the last */
	bool booted;
	u32 retries; /* of KVM_RUN without progress */
	struct rf_stats stats;

	pthread_mutex_t dump_lock;
	struct kvm_dump_request *_Atomic dump; /* asked for, not taken yet */
	u64 ring_count;                        /* exits since creation */
	struct kvm_exit_record ring[KVM_EXIT_RING];
};

struct kvm_machine {
	struct rf_machine base;
	int fd;
	enum rf_residency residency;
	struct kvm_behaviour behaviour;
	u64 xcr0;
	u32 fpu_size;
	u32 boot_features;
	struct speculation_plan speculation;
	u32 cpus;
	struct kvm_vcpu *vcpus;
	size_t run_size;
	bool owns_memory;
	struct kvm_pool pool;
	struct pagetable shared; /* PML4 slot 252: stubs, descriptor tables, stacks */

	pthread_mutex_t flip_lock;
	u64 flip_gen;            /* guarded by flip_lock: flips begun */
	struct pt_freelist dead; /* guarded by flip_lock: tables that wait for a flip */
	_Atomic u64 invalidations;
	_Atomic u64 context_ids;
	_Atomic u64 interrupts;
	_Atomic u32 spaces;   /* of RF_MAX_ADDRESS_SPACES */
	_Atomic u32 contexts; /* of RF_MAX_CONTEXTS */
};

/* ---- machine.c ---- */
struct kvm_machine *kvm_machine(struct rf_machine *m);
int kvm_machine_new(int device, const struct rf_options *opts,
		    const struct kvm_behaviour *behaviour, struct rf_machine **ret,
		    struct rf_error *err);
void kvm_machine_free(struct rf_machine *m);
/* ioctl() that retries on EINTR and returns -errno. */
int kvm_ioctl(int fd, unsigned long request, void *arg);
/* stats.c: one of KVM's counters of a vCPU ("exits"), 0 where it keeps none. */
u64 kvm_vcpu_stat(const struct kvm_vcpu *v, const char *name);
int kvm_ioctl_value(int fd, unsigned long request, unsigned long arg);

/* ---- memslot.c ---- */
int kvm_memslot_set(struct kvm_machine *m, u32 slot, gpa_t gpa, void *host, u64 size);
int kvm_memslot_flip(struct kvm_machine *m);
int kvm_pool_init(struct kvm_pool *pool, u64 size);
void kvm_pool_done(struct kvm_pool *pool);
/* A zeroed page, or NULL. */
void *kvm_pool_alloc(struct kvm_pool *pool);
void kvm_pool_free(struct kvm_pool *pool, void *page);
gpa_t kvm_pool_gpa(const struct kvm_pool *pool, const void *page);
void *kvm_pool_virt(const struct kvm_pool *pool, gpa_t gpa);
/* Host address of a guest-physical one, or NULL. */
void *kvm_machine_gpa_to_host(struct kvm_machine *m, gpa_t gpa);

/* ---- layout.c ---- */
int kvm_layout_init(struct kvm_machine *m);
void kvm_layout_segments(struct kvm_sregs *s, u32 cpu, bool user);

/* ---- cpuid.c ---- */
struct kvm_cpu_features {
	u64 xcr0;
	u32 xsave_size;
	u32 boot_features;
	struct kvm_cpuid2 *cpuid; /* to free() */
};
int kvm_cpuid_get(int device, struct kvm_cpu_features *ret, struct rf_error *err);
/* The first feature that is needed and not there; NULL: none. */
const char *kvm_cpuid_missing(struct kvm_cpuid2 *c);
/* As if the CPU lacked them (RF_BOOT_F_*). */
void kvm_cpuid_withhold(struct kvm_cpu_features *f, u32 features);
int kvm_cpuid_set(int vcpu_fd, struct kvm_cpuid2 *cpuid, u32 index);

/* ---- speculation_apply.c ---- */
void kvm_speculation_facts(int device, const struct kvm_cpuid2 *c, struct speculation_facts *ret);
/* Switches on what there is and adds to m->boot_features what is left for the kernel to do. */
void kvm_speculation_apply(struct kvm_machine *m, const struct speculation_facts *f);

/* ---- vcpu.c ---- */
int kvm_vcpu_init(struct kvm_vcpu *v, struct kvm_machine *m, u32 index, struct kvm_cpuid2 *cpuid,
		  struct rf_error *err);
void kvm_vcpu_done(struct kvm_vcpu *v);
struct kvm_vcpu_msrs {
	u64 star, lstar, cstar, sfmask;
};
/* Sets the system call MSRs, and PAT as Linux has it. */
int kvm_vcpu_set_msrs(struct kvm_vcpu *v, const struct kvm_vcpu_msrs *msrs);
/* The one caller of KVM_RUN. 0 after an exit, -EINTR, or another -errno. */
int kvm_vcpu_run(struct kvm_vcpu *v);

/* ---- addrspace.c ---- */
/* A run of frames whose cached translations are stale. */
struct kvm_frames {
	gpa_t gpa;
	u64 len;
};
#define KVM_FRAMES_MAX   16u
/* Up to this many pages are dropped one by one; a flip drops everything. */
#define KVM_FRAMES_PAGES 128u

struct kvm_address_space {
	struct rf_address_space base;
	pthread_mutex_t lock;
	struct pagetable pt;
	struct pt_freelist freed; /* tables out of use, until the invalidation */
	_Atomic bool ran;         /* a vCPU has loaded the root */
	_Atomic bool stale;       /* translations may be cached that the tables no longer have */
	u64 stale_gen;            /* machine->flip_gen when that began */
	struct kvm_frames
		frames[KVM_FRAMES_MAX]; /* what to drop, unless frames_count says "too many" */
	u32 frames_count;
	u64 frames_pages;
};
struct kvm_machine *kvm_as_machine(struct kvm_address_space *as);
int kvm_as_new(struct rf_machine *m, struct rf_address_space **ret);
void kvm_as_free(struct rf_address_space *as);
int kvm_as_map_file(struct rf_address_space *as, u64 addr, u64 offset, u64 len, u32 prot,
		    bool precommit);
int kvm_as_unmap(struct rf_address_space *as, u64 addr, u64 len);
int kvm_as_protect(struct rf_address_space *as, u64 addr, u64 len, u32 mask);
int kvm_as_next(struct rf_address_space *as, u64 addr, u64 end, u64 *ret_addr, u64 *ret_offset,
		u32 *ret_prot);
int kvm_as_flush(struct rf_address_space *as);
extern const struct pt_alloc_ops kvm_table_ops; /* ctx: struct kvm_machine */

/* ---- invalidate.c ---- */
/* Before the tables of a range change: notes which frames it maps. as->lock held. */
void kvm_invalidate_collect(struct kvm_address_space *as, u64 addr, u64 len);
/* After a change of tables that no vCPU can have cached anything of. as->lock held. */
void kvm_invalidate_unneeded(struct kvm_address_space *as);
/* Records that the tables lost something a vCPU may have cached. as->lock held. */
void kvm_invalidate_later(struct kvm_address_space *as);
/* Before an entry of the calling thread into @as on @v. */
int kvm_invalidate_before_entry(struct kvm_address_space *as, struct kvm_vcpu *v);
/* Until no CPU has a stale translation of @as. */
int kvm_invalidate_now(struct kvm_address_space *as);
/* Drops everything cached and recycles the tables of freed address spaces. */
int kvm_invalidate_all(struct kvm_machine *m);
/* Frees the tables of @as, once no vCPU can have them cached. */
void kvm_invalidate_bury(struct kvm_address_space *as);

/* ---- context_host.c, context.c ---- */
struct kvm_context {
	struct rf_context base;
	_Atomic bool interrupted; /* sticky until a switch returns it */
	_Atomic bool preempted;
	_Atomic(pid_t) tid; /* thread in switch, else 0 */
	struct kvm_vcpu
		*_Atomic fpu_vcpu; /* whose registers hold the FPU state; NULL: `fpu` does */
	u64 id;                    /* of this machine's contexts, never used again */
	u32 last_cpu;              /* KVM_NO_CPU before the first switch */
	bool detects_preemption;
	struct kvm_xsave fpu;
};
#define KVM_NO_CPU (~0u)
struct kvm_context *kvm_context(struct rf_context *c);
/* General registers, RIP and RFLAGS only. */
void kvm_regs_to_rf(const struct kvm_regs *k, struct rf_regs *r);
int kvm_context_new(struct rf_machine *m, struct rf_context **ret);
void kvm_context_free(struct rf_context *c);
int kvm_context_switch(struct rf_context *c, struct rf_address_space *as, struct rf_regs *regs,
		       u32 cpu, struct rf_trap *ret);
int kvm_context_detect_preemption(struct rf_context *c, bool on);
int kvm_fpu_load(struct kvm_context *c, struct kvm_vcpu *v);
int kvm_fpu_get(struct rf_context *c, void *buf, size_t size);
int kvm_fpu_set(struct rf_context *c, const void *buf, size_t size);
int kvm_fpu_reset(struct rf_context *c);

/* ---- signal.c ---- */
int kvm_signal_init(void);
/* The calling thread is about to run @v / no longer does. */
void kvm_signal_enter(struct kvm_vcpu *v);
void kvm_signal_leave(struct kvm_vcpu *v);
void kvm_signal_send(pid_t tid);
/* To the thread *@tid_of, if it is not 0. */
void kvm_signal_send_running(_Atomic(pid_t) *tid_of);
void kvm_context_interrupt(struct rf_context *c);
void kvm_context_preempt(struct rf_context *c);
void kvm_machine_interrupt_cpu(struct rf_machine *m, u32 cpu);

/* ---- trap.c ---- */
/*
 * Fills signo, code and access for an exception; @fpu gives FSW and MXCSR for #MF and #XM (may be
 * NULL).
 */
void kvm_trap_classify(struct rf_trap *t, const struct kvm_xsave *fpu);

/* ---- exit_ring.c ---- */
/* Of KVM_REASON_MEMORY_FAULT, which older headers lack. */
struct kvm_memory_fault {
	u64 flags, gpa, size;
};
static inline const struct kvm_memory_fault *kvm_memory_fault(const struct kvm_run *run)
{
	return (const struct kvm_memory_fault *)(const void *)run->padding;
}
/* Remembers how KVM_RUN came back. */
void kvm_exit_record(struct kvm_vcpu *v, int error);

/* ---- exit.c ---- */
/* Describes the last exit of @v with registers and page-table walks, for a human. */
void kvm_exit_dump(struct kvm_vcpu *v, int error, char *buf, size_t size);
/* The same, but for the exit. The vCPU's thread must be outside KVM_RUN. */
void kvm_vcpu_dump(struct kvm_vcpu *v, char *buf, size_t size);
/* What can be said of a vCPU that does not come out. */
void kvm_ring_dump(const struct kvm_vcpu *v, char *buf, size_t size);
void kvm_exit_report(const char *dump);

/* ---- dump.c ---- */
int kvm_machine_dump_cpu(struct rf_machine *m, u32 cpu, struct rf_regs *ret_regs, char *buf,
			 size_t size);
/* By the vCPU's thread before each entry, if v->dump is set. */
void kvm_dump_serve(struct kvm_vcpu *v);

/* ---- backing.c ---- */
/* The address whose memory is lost, as well as can be known; *@r is the state KVM_RUN failed with. */
u64 kvm_backing_find(struct kvm_vcpu *v, struct kvm_address_space *as, const struct rf_regs *r);

/* ---- boot.c ---- */
int kvm_boot_cpu(struct rf_machine *m, u32 cpu, const struct rf_boot_cpu *state,
		 struct rf_error *err);
int kvm_run_cpu(struct rf_machine *m, u32 cpu, enum rf_exit_kind *ret, char *dump,
		size_t dump_size);

/* ---- inject.c ---- */
int kvm_machine_inject(struct rf_machine *m, u32 cpu, enum rf_inject what);
/* By the vCPU's thread before each entry, if v->inject is set. */
int kvm_inject_serve(struct kvm_vcpu *v);

/* ---- probe.c ---- */
int kvm_probe(int device, struct rf_probe *ret, struct rf_error *err);
/* The behaviour, found out at the first call. */
int kvm_probe_behaviour(int device, struct kvm_behaviour *ret, struct rf_error *err);
