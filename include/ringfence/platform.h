/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ringfence/platform.h: the platform interface.
 *
 * A platform runs user code and holds its address spaces. It knows nothing about files, processes or
 * system call semantics: it runs one thread of user code until that thread makes a system call, faults or
 * is interrupted, and reports which.
 *
 * Every function returns 0 (or a non-negative value) on success and a negative errno on failure unless its
 * comment says otherwise. Where a `struct rf_error *` is given (it may be NULL) a failure also leaves a
 * message that names what was wrong. Functions may be called from any thread unless stated otherwise.
 *
 * The header is free of libc types so that a freestanding kernel can include it for the register layout.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* First address no user mapping may reach (exclusive), and the arena's fixed place right above it. */
#define RF_MAX_USER_ADDRESS UINT64_C(0x7e0000000000)
#define RF_MIN_USER_ADDRESS UINT64_C(0x1000)
#define RF_ARENA_BASE       UINT64_C(0x7e0000000000)
#define RF_ARENA_MAX        UINT64_C(0x8000000000) /* one PML4 slot: 512 GiB */
/* Guest-physical address of arena offset 0; everything below belongs to the platform. */
#define RF_ARENA_GPA        UINT64_C(0x100000000)

#define RF_ERROR_MAX 256
struct rf_error {
	int code;                /* negative errno */
	char text[RF_ERROR_MAX]; /* NUL-terminated message */
};

/*
 * User registers of one thread. `orig_rax` is the system call number at a system call, otherwise ~0.
 * The layout is ABI between the platform, the kernel's entry code (offsets are asserted there) and host.
 */
struct rf_regs {
	uint64_t r15, r14, r13, r12, rbp, rbx;
	uint64_t r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
	uint64_t orig_rax;
	uint64_t rip, cs, rflags, rsp, ss;
	uint64_t fs_base, gs_base;
};

enum rf_trap_kind {
	RF_TRAP_NONE = 0,
	RF_TRAP_SYSCALL,   /* regs.orig_rax holds the number, regs.rip is after the instruction */
	RF_TRAP_FAULT,     /* CPU exception: see vector, error_code, address, access */
	RF_TRAP_INTERRUPT, /* rf_context_interrupt() was called; may be spurious once */
	RF_TRAP_PREEMPT,   /* rf_context_preempt(), or another context ran on this CPU number */
	RF_TRAP_ERROR, /* the platform failed: `code` is a negative errno; the thread cannot go on */
};

/* Access bits of a page fault and protection bits of a mapping. */
#define RF_READ  1u
#define RF_WRITE 2u
#define RF_EXEC  4u

struct rf_trap {
	uint32_t kind;       /* enum rf_trap_kind */
	uint32_t vector;     /* x86 exception vector (RF_TRAP_FAULT) */
	uint64_t error_code; /* as pushed by the CPU */
	uint64_t address;    /* CR2 for #PF, else regs.rip */
	uint32_t access;     /* RF_READ/WRITE/EXEC attempted (#PF), else 0 */
	int32_t signo; /* Linux signal the exception means: SIGSEGV, SIGILL, SIGFPE, SIGTRAP, SIGBUS */
	int32_t code; /* Linux si_code for it (for #PF SEGV_MAPERR; the kernel refines), or -errno */
	uint32_t cpu; /* CPU number the context ran on */
};

/* What a platform can do. Constant for the life of a machine. */
struct rf_traits {
	bool supports_address_space_io;
	bool cooperatively_schedules_address_space;
	bool owns_page_tables;
	bool detects_cpu_preemption;
	bool has_global_memory_barrier;
	bool has_cpu_numbers;
	bool can_boot; /* rf_machine_boot() works: guest ring 0 runs natively and faithfully */
	uint32_t concurrency_count; /* contexts that can run at the same time */
	uint64_t
		map_unit; /* bytes; optional over-mapping granularity around a fault, 0 = any size is equally cheap */
	uint64_t min_user_address, max_user_address;
};

/*
 * Memory file: guest-visible memory that mappings refer to by offset. The caller owns the mapping at `base`
 * (MAP_SHARED, page aligned, at least as long as the machine lives); the platform adds the memory slots.
 * It must really be a shared mapping: to drop stale translations the platform may discard host page-table
 * entries with MADV_DONTNEED, which loses no data of a shared mapping, but would of a private one.
 */
struct rf_memory {
	void *base;
	uint64_t size; /* bytes, multiple of the page size */
	uint64_t gpa;  /* guest-physical address of offset 0, >= RF_ARENA_GPA */
};

enum rf_residency {
	RF_RESIDENCY_HOST = 0,  /* the platform runs only user code */
	RF_RESIDENCY_GUEST = 1, /* kernel resident in guest ring 0 through rf_machine_boot() */
};

struct rf_options {
	uint32_t cpus; /* contexts to run in parallel, 1..RF_MAX_CPUS */
	enum rf_residency residency;
	struct rf_memory
		memory; /* the arena; base NULL: the platform makes one of memory.size bytes */
	uint64_t
		table_bytes; /* limit for page tables the platform itself owns; 0 = memory.size/64 + 16 MiB */
};
#define RF_MAX_CPUS 64

struct rf_platform; /* a registered platform */
struct rf_machine;  /* one virtual machine (or equivalent) */
struct rf_address_space;
struct rf_context;

/* ---- registry ---- */
const struct rf_platform *rf_platform_lookup(const char *name); /* NULL: unknown */
const struct rf_platform *rf_platform_next(
	const struct rf_platform *prev); /* iterate, NULL starts/ends; by name order */
const char *rf_platform_name(const struct rf_platform *p);
/* Adds a platform (for tests and plug-ins); -EEXIST if the name is taken. The object must stay alive. */
int rf_platform_register(const struct rf_platform *p);

/* ---- construction ---- */
/* Opens the platform's device (NULL or "" = its default, e.g. /dev/kvm). Returns a descriptor, or -1 for
 * "none needed" encoded as 0 with *ret_fd = -1. */
int rf_platform_open_device(const struct rf_platform *p, const char *path, int *ret_fd,
			    struct rf_error *err);

struct rf_requirements {
	bool device;         /* needs an open device descriptor */
	bool cap_sys_ptrace; /* needs CAP_SYS_PTRACE */
};
void rf_platform_requirements(const struct rf_platform *p, struct rf_requirements *ret);

/* Creates a machine. Takes `device` (closed in every case). */
int rf_machine_new(const struct rf_platform *p, int device, const struct rf_options *opts,
		   struct rf_machine **ret, struct rf_error *err);
void rf_machine_free(struct rf_machine *m); /* no context may be in switch */
void rf_machine_traits(const struct rf_machine *m, struct rf_traits *ret);
const struct rf_memory *rf_machine_memory(const struct rf_machine *m);
/* Every thread that runs user code of this machine has executed a full memory barrier on return. */
int rf_machine_memory_barrier(struct rf_machine *m);
/* Statistics since creation. Counts that a platform does not have are 0. */
struct rf_stats {
	uint64_t switches;
	uint64_t exits; /* returns of the virtual CPUs to user space, by kind below */
	uint64_t exits_io, exits_hlt, exits_mmio, exits_intr, exits_other;
	uint64_t kvm_exits; /* by the host kernel's own count: those it handled alone included */
	uint64_t kvm_irq_exits; /* of these: interrupts of the host, its clock ticks above all */
	uint64_t invalidations, interrupts;
};
void rf_machine_stats(const struct rf_machine *m, struct rf_stats *ret);

/* ---- host system calls needed while running, for the monitor's seccomp filter ---- */
struct rf_host_call {
	int nr;            /* host system call number */
	int arg1_is_ioctl; /* if set, only `ioctl` with request `arg1` */
	uint64_t arg1;
};
size_t rf_platform_host_filter(const struct rf_platform *p, const struct rf_host_call **ret);

/* ---- probe (doctor) ---- */
enum rf_check_result {
	RF_CHECK_OK,
	RF_CHECK_MISSING,
	RF_CHECK_BROKEN,
	RF_CHECK_SLOW,
	RF_CHECK_SKIPPED
};
struct rf_check {
	const char *name; /* e.g. "ring0-native" */
	const char *what; /* one line: what is checked */
	enum rf_check_result result;
	char detail[120];        /* measured value or errno text */
	const char *consequence; /* what follows from the result */
};
#define RF_CHECKS_MAX 64
struct rf_probe {
	bool usable;   /* the platform works at all (host residency) */
	bool can_boot; /* guest residency works */
	size_t count;
	struct rf_check checks[RF_CHECKS_MAX];
};
/*
 * Runs every check (a few ms; the process remembers the result, so that rf_machine_new() does not pay again). Borrows `device`
 * (-1: open the default). Returns 0 even if unusable; negative only on internal failure.
 */
int rf_platform_probe(const struct rf_platform *p, int device, struct rf_probe *ret,
		      struct rf_error *err);

/* ---- address spaces ---- */
int rf_address_space_new(struct rf_machine *m, struct rf_address_space **ret);
/* Drops the address space; no context may be switched to it any more. */
void rf_address_space_free(struct rf_address_space *as);
/* Maps memory-file range [offset, offset+len) at addr, replacing overlaps. prot = RF_*, at least one bit. `precommit` is a hint. */
int rf_address_space_map_file(struct rf_address_space *as, uint64_t addr, uint64_t offset,
			      uint64_t len, uint32_t prot, bool precommit);
int rf_address_space_unmap(struct rf_address_space *as, uint64_t addr, uint64_t len);
/* Removes permissions: present pages in the range keep only the bits in `mask`. */
int rf_address_space_protect(struct rf_address_space *as, uint64_t addr, uint64_t len,
			     uint32_t mask);
/* Finds the first mapped page >= addr and < end. Returns 1 and fills the out-parameters, or 0. */
int rf_address_space_next(struct rf_address_space *as, uint64_t addr, uint64_t end,
			  uint64_t *ret_addr, uint64_t *ret_offset, uint32_t *ret_prot);
/* On return no CPU holds a translation removed or restricted by earlier calls. map/unmap/protect may defer this until here;
 * memory freed by an unmap must not be reused before. Entering a context of this address space implies it for that CPU. */
int rf_address_space_flush(struct rf_address_space *as);
int rf_address_space_pre_fork(struct rf_address_space *as);
void rf_address_space_post_fork(struct rf_address_space *as);

/* Address-space I/O (trait). Checks user permissions in the tables. Copies return the number of bytes done before the first
 * page that is not mapped with the needed access. Word operations return 0 or -EFAULT. */
size_t rf_address_space_copy_in(struct rf_address_space *as, void *dst, uint64_t src, size_t n);
size_t rf_address_space_copy_out(struct rf_address_space *as, uint64_t dst, const void *src,
				 size_t n);
size_t rf_address_space_zero_out(struct rf_address_space *as, uint64_t dst, size_t n);
int rf_address_space_load_u32(struct rf_address_space *as, uint64_t addr, uint32_t *ret);
int rf_address_space_swap_u32(struct rf_address_space *as, uint64_t addr, uint32_t value,
			      uint32_t *ret_old);
int rf_address_space_cas_u32(struct rf_address_space *as, uint64_t addr, uint32_t old,
			     uint32_t value, uint32_t *ret_old);

/* ---- contexts ---- */
int rf_context_new(struct rf_machine *m, struct rf_context **ret);
void rf_context_free(struct rf_context *c);
/*
 * Runs user code of `as` with *regs until a trap; *regs then holds the full integer registers and FS/GS bases
 * (as WRFSBASE left them). FPU state stays with the context (pulled lazily by the calls below). `cpu` is the CPU
 * number to run on (0..cpus-1); a CPU number runs one switch at a time and belongs to the calling thread meanwhile.
 *
 * Values that a CPU would reject are never executed. RFLAGS: only what user code can change is taken, IF is on. CS
 * and SS: 0 stands for the user's 0x33 and 0x2b, others are a #GP. A non-canonical RIP or base is a #GP; a RIP at or
 * above RF_MAX_USER_ADDRESS is a page fault there. DS, ES, FS and GS selectors are not part of the state and may be
 * reset to 0 at any entry.
 *
 * At a system call rcx == rip and r11 == rflags, as the hardware has it. Page faults above user space are reported as
 * not present, whatever the platform keeps there.
 *
 * Returns 0 and fills *ret, also for RF_TRAP_ERROR; -EINVAL (bad CPU number, residency), -EXDEV (another machine's
 * address space), or what saving FPU state failed with: then nothing ran.
 *
 * The platform uses the signal SIGRTMIN + 1: it installs a handler and unblocks it in threads that run user code.
 */
int rf_context_switch(struct rf_context *c, struct rf_address_space *as, struct rf_regs *regs,
		      uint32_t cpu, struct rf_trap *ret);
/* Makes the running switch (or, if none runs, the next) return RF_TRAP_INTERRUPT. Never lost; async-signal-safe. */
void rf_context_interrupt(struct rf_context *c);
/* Makes the running switch return RF_TRAP_PREEMPT; does nothing if none runs. */
void rf_context_preempt(struct rf_context *c);
/* Same, by CPU number; RF_TRAP_INTERRUPT for whatever runs there, or for the next switch on it. Async-signal-safe. */
void rf_machine_interrupt_cpu(struct rf_machine *m, uint32_t cpu);
/* FPU state in XSAVE standard (non-compacted) format of rf_context_fpu_size() bytes. Not while in switch. */
size_t rf_context_fpu_size(const struct rf_machine *m);
uint64_t rf_machine_xcr0(const struct rf_machine *m);
int rf_context_get_fpu(struct rf_context *c, void *buf, size_t size);
int rf_context_set_fpu(struct rf_context *c, const void *buf, size_t size);
int rf_context_reset_fpu(struct rf_context *c); /* as after execve(2) */

/* ---- boot: residency guest (optional, trait can_boot) ---- */
struct rf_boot_cpu {
	uint64_t rip, rsp; /* ring-0 entry, inside the arena */
	uint64_t gs_base;
	uint64_t arg;                          /* in RDI at entry */
	uint64_t cr3;                          /* guest-physical root of the kernel's page tables */
	uint64_t gdt_base, idt_base, tss_base; /* virtual addresses inside the arena */
	uint16_t gdt_limit, idt_limit, tss_limit;
	uint64_t lstar,
		cstar; /* system call entry points; STAR: kernel CS 0x10, user base 0x23 (CS 0x33, SS 0x2b) */
	uint64_t star, sfmask;
};
enum rf_exit_kind {
	RF_EXIT_HOSTCALL, /* HLT in ring 0 */
	RF_EXIT_SIGNAL,   /* a host signal ended KVM_RUN */
	RF_EXIT_FATAL,    /* anything else: err says what, with registers and page walks */
};
/* Prepares vCPU `cpu` to start in ring 0. */
int rf_machine_boot_cpu(struct rf_machine *m, uint32_t cpu, const struct rf_boot_cpu *state,
			struct rf_error *err);
/* Runs vCPU `cpu` on the calling thread until the next exit. Injects vector `RF_VECTOR_KICK` into ring 3 when
 * rf_machine_interrupt_cpu() was called; if ring 0 is running then, as soon as interrupts are enabled. */
int rf_machine_run_cpu(struct rf_machine *m, uint32_t cpu, enum rf_exit_kind *ret, char *dump,
		       size_t dump_size);
#define RF_VECTOR_KICK     0x20
/* CR4 bits the boot set from CPU features, for the kernel's information. */
#define RF_BOOT_F_SMAP     1u
#define RF_BOOT_F_SMEP     2u
#define RF_BOOT_F_FSGSBASE 4u
#define RF_BOOT_F_UMIP     8u
#define RF_BOOT_F_PCID     16u
#define RF_BOOT_F_XSAVE    32u
#define RF_BOOT_F_XSAVEOPT 64u
#define RF_BOOT_F_1G       128u
uint32_t rf_machine_boot_features(const struct rf_machine *m);

#ifdef __cplusplus
}
#endif
