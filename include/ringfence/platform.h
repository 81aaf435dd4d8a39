/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ringfence/platform.h: the platform interface.
 *
 * A platform runs user code and holds its address spaces. It knows nothing about files, processes or
 * system call semantics: it runs one thread of user code until that thread makes a system call, faults or
 * is interrupted, and reports which. What user code may do is decided by who calls this library; what it can
 * do is bounded by the CPU's user mode and the mappings given to it.
 *
 * Objects. A *platform* is a way to run user code ("kvm"). A *machine* is one instance of it, with a memory file and
 * CPUs. An *address space* maps parts of the memory file at user addresses. A *context* is one thread of user code:
 * its FPU state and pending interruptions; its other registers are the caller's struct rf_regs. A CPU, a number below
 * rf_options.cpus, is what a context is switched to on; it has no state that user code could see.
 *
 * Units. Addresses, offsets and lengths are in bytes. Those of mappings are multiples of the page size, 4096. User
 * addresses lie in [RF_MIN_USER_ADDRESS, RF_MAX_USER_ADDRESS).
 *
 * Errors. A function that returns int returns 0 (or what its comment says) on success and a negative errno on failure. A
 * failed call has changed nothing, unless its comment says otherwise; out-parameters (`ret`, `ret_*`) are then
 * undefined. Where a `struct rf_error *` is given (it may be NULL) a failure leaves a message that names what was wrong.
 * -ENOSYS: this platform does not have the operation. Pointers to objects must be valid; only where a comment says so
 * may they be NULL.
 *
 * Lifetime. rf_X_new() makes an object that rf_X_free() frees (NULL is allowed and ignored). An object must outlive
 * every call that is given it; freeing it while another thread is in such a call is undefined. Address spaces and
 * contexts must be freed before their machine. A platform lives for ever. Objects of different machines do not mix.
 *
 * Threads. Functions may be called by any thread, and by several at once on the same objects, except that
 *	- a context is in at most one rf_context_switch(), and its FPU functions are not called meanwhile;
 *	- a CPU number is in at most one rf_context_switch() or rf_machine_run_cpu(), and belongs to the calling thread
 *	  for as long as that takes. Any thread may use any number; it is cheaper to stay with one.
 * Breaking these two rules is undefined. Mapping functions of one address space are ordered as if by a lock, and may be
 * called while contexts run in it. They block for each other, never for user code, except rf_address_space_flush().
 *
 * Signals. Only rf_context_interrupt(), rf_context_preempt(), rf_machine_interrupt_cpu() and rf_platform_fault() are
 * async-signal-safe. The library takes the signal SIGRTMIN + 1: the first rf_machine_new() installs a process-wide handler,
 * and threads that run user code have it unblocked from their first switch on. The program must not block, ignore or replace
 * it; SIGBUS is shared, see rf_platform_fault(). Other signals are the program's: their handlers run on the thread in
 * rf_context_switch() as usual, and the switch goes on. A handler must return: leaving it by siglongjmp() or an exception
 * out of a switch is undefined.
 *
 * fork(2). The child must not call this library with objects of its parent; it can exec or exit (see rf_machine_new()).
 *
 * Ordering. An unmap, a replacement or a loss of permission is certain to hold for every CPU only when
 * rf_address_space_flush() has returned; until then user code on other CPUs may still use the old translation, and the
 * memory behind it must not be given to anybody else. Granting access (a mapping where there was none, a permission
 * more) needs no flush. What a thread wrote to the memory file before rf_context_switch() is visible to user code
 * entered by it, and what user code wrote is visible when it returns; between contexts that run at the same time, and for
 * rf_address_space_*_u32(), the memory model is that of threads on x86.
 *
 * Versions. RF_PLATFORM_VERSION is of this header, rf_platform_version() of the library. With the same major
 * number a newer library serves a program compiled with an older header; the library is static, so this matters to those
 * who load a platform as a plug-in. Fields of structures may be added at a minor step only at their ends.
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

#define RF_PLATFORM_VERSION_MAJOR 0
#define RF_PLATFORM_VERSION_MINOR 2
#define RF_PLATFORM_VERSION       (RF_PLATFORM_VERSION_MAJOR << 16 | RF_PLATFORM_VERSION_MINOR)
/* RF_PLATFORM_VERSION of the library this program runs with. */
uint32_t rf_platform_version(void);

/* First address no user mapping may reach (exclusive), and the arena's fixed place right above it. */
#define RF_MAX_USER_ADDRESS UINT64_C(0x7e0000000000)
#define RF_MIN_USER_ADDRESS UINT64_C(0x1000)
#define RF_ARENA_BASE       UINT64_C(0x7e0000000000)
#define RF_ARENA_MAX        UINT64_C(0x8000000000) /* one PML4 slot: 512 GiB */
/* Least guest-physical address of a memory file, and the default; everything below belongs to the platform. */
#define RF_ARENA_GPA        UINT64_C(0x100000000)

/* Why a call failed. Filled in only on failure; the text is one line without a newline, in English, for people. */
#define RF_ERROR_MAX 256
struct rf_error {
	int code;                /* negative errno */
	char text[RF_ERROR_MAX]; /* NUL-terminated message */
};

/*
 * User registers of one thread, owned by the caller. `orig_rax` is the system call number at a system call, otherwise ~0; it is
 * not read. A new thread needs rip, rsp if it uses a stack, and nothing else: all other fields may be 0.
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
	RF_TRAP_NONE = 0,  /* never returned */
	RF_TRAP_SYSCALL,   /* regs.orig_rax holds the number, regs.rip is after the instruction */
	RF_TRAP_FAULT,     /* CPU exception: see vector, error_code, address, access */
	RF_TRAP_INTERRUPT, /* rf_context_interrupt() was called; may be spurious once */
	RF_TRAP_PREEMPT,   /* rf_context_preempt(), or rf_context_detect_preemption() */
	RF_TRAP_ERROR, /* the platform failed: `code` is a negative errno; the thread cannot go on */
};

/* Access bits of a page fault and protection bits of a mapping, where RF_WRITE and RF_EXEC imply RF_READ, as on the CPU. */
#define RF_READ  1u
#define RF_WRITE 2u
#define RF_EXEC  4u

/* Why a switch returned. Fields that the kind does not name are 0, `cpu` excepted. */
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
	bool supports_address_space_io; /* rf_address_space_copy_in() and its companions */
	/* Address spaces are few: give up those of programs that do not run for a while. */
	bool cooperatively_schedules_address_space;
	bool owns_page_tables;       /* mappings cost the platform memory: rf_options.table_bytes */
	bool detects_cpu_preemption; /* RF_TRAP_PREEMPT when another context had the CPU number */
	bool has_global_memory_barrier; /* rf_machine_memory_barrier() */
	bool has_cpu_numbers; /* a CPU number means something: rf_trap.cpu, getcpu(2) inside */
	bool can_boot;        /* rf_machine_boot_cpu(): guest ring 0 runs natively and faithfully */
	uint32_t concurrency_count; /* contexts that can run at the same time */
	/* Bytes, a power of two: around a fault, mapping up to this much at once is worth it. 0: any size is as cheap. */
	uint64_t map_unit;
	uint64_t min_user_address, max_user_address; /* the second is exclusive */
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

/* Zero-initialise, then set cpus and memory.size; the other fields have defaults of 0. */
struct rf_options {
	uint32_t cpus; /* contexts to run in parallel, 1..RF_MAX_CPUS */
	enum rf_residency residency;
	struct rf_memory
		memory; /* the arena; base NULL: the platform makes one of memory.size bytes */
	uint32_t withheld_features; /* RF_BOOT_F_*: as if the CPU had them not */
	uint64_t
		table_bytes; /* limit for page tables the platform itself owns; 0 = memory.size/64 + 16 MiB */
};
#define RF_MAX_CPUS           64
/* Of a machine at a time; the page tables of address spaces are bounded by table_bytes too. */
#define RF_MAX_ADDRESS_SPACES 4194304
#define RF_MAX_CONTEXTS       4194304

struct rf_platform; /* a registered platform */
struct rf_machine;  /* one virtual machine (or equivalent) */
struct rf_address_space;
struct rf_context;

/* ---- registry ---- */
/* The platform of this name, or NULL; for name NULL too. */
const struct rf_platform *rf_platform_lookup(const char *name);
/* The first platform by name order after @prev; with NULL, the first of all. NULL after the last. */
const struct rf_platform *rf_platform_next(const struct rf_platform *prev);
/* Its name, valid for ever. */
const char *rf_platform_name(const struct rf_platform *p);
/*
 * Adds a platform (for tests and plug-ins; how one is made is not part of this interface). The object must stay alive. -EINVAL:
 * it has no name; -EEXIST: the name is taken; -ENOSPC: there are too many.
 */
int rf_platform_register(const struct rf_platform *p);

/* ---- construction ---- */
/*
 * Opens the platform's device (NULL or "": its default, for kvm /dev/kvm) and looks whether it is one. *ret_fd is the
 * descriptor, close-on-exec, for rf_machine_new() or the caller to close; -1 when the platform needs none. It may be
 * opened by a privileged process and handed over. rf_machine_new() with device -1 opens the default itself. Errors: those of open(2) (-ENOENT, -EACCES, ...); -ENODEV: not a
 * device of the platform; -EPROTO: it speaks another version.
 */
int rf_platform_open_device(const struct rf_platform *p, const char *path, int *ret_fd,
			    struct rf_error *err);

/* What it takes to use a platform, known before anything is opened. */
struct rf_requirements {
	bool device;         /* needs an open device descriptor */
	bool cap_sys_ptrace; /* needs CAP_SYS_PTRACE */
};
void rf_platform_requirements(const struct rf_platform *p, struct rf_requirements *ret);

/*
 * Creates a machine. Takes `device` (closed in every case). On failure nothing is left: no descriptor, mapping or thread, and
 * `err` names the step.
 *
 * A machine belongs to the process that made it. After fork(2) it is of no use to the child, whose calls fail with -EIO, -EPERM
 * or -EBADF; the child may only exit or execute another program (descriptors are close-on-exec). The platform's own memory is
 * not passed to it (MADV_DONTFORK), the caller's memory file is the caller's to treat so.
 */
int rf_machine_new(const struct rf_platform *p, int device, const struct rf_options *opts,
		   struct rf_machine **ret, struct rf_error *err);
/* Frees the machine, and the memory file if it made it. No context may be in a switch. */
void rf_machine_free(struct rf_machine *m);
void rf_machine_traits(const struct rf_machine *m, struct rf_traits *ret);
/* The memory file, with base and gpa filled in; valid until the machine is freed. The caller may read and write it at any time. */
const struct rf_memory *rf_machine_memory(const struct rf_machine *m);
/*
 * Every thread that runs user code of this machine has executed a full memory barrier between call and return (as membarrier(2)
 * with MEMBARRIER_CMD_PRIVATE_EXPEDITED, whose errors it returns: -ENOSYS, -EPERM).
 */
int rf_machine_memory_barrier(struct rf_machine *m);
/*
 * Statistics since creation, summed over the CPUs. Counts that a platform does not have are 0. They are read without stopping
 * anybody: each may lag behind by what is under way.
 */
struct rf_stats {
	uint64_t switches; /* rf_context_switch() calls that ran user code or tried */
	uint64_t exits;    /* returns of the virtual CPUs to user space, by kind below */
	uint64_t exits_io, exits_hlt, exits_mmio, exits_intr, exits_other;
	uint64_t kvm_exits; /* by the host kernel's own count: those it handled alone included */
	uint64_t kvm_irq_exits; /* of these: interrupts of the host, its clock ticks above all */
	uint64_t invalidations; /* times that translations had to be dropped */
	uint64_t interrupts;    /* rf_machine_interrupt_cpu() */
};
void rf_machine_stats(const struct rf_machine *m, struct rf_stats *ret);

/*
 * ---- host system calls needed while running, for the caller's seccomp filter ----
 *
 * What the library itself needs after rf_machine_new(): an array that lives for ever, and its length. Making machines,
 * opening devices and probing need more.
 */
struct rf_host_call {
	int nr;            /* host system call number */
	int arg1_is_ioctl; /* if set, only `ioctl` with request `arg1` */
	uint64_t arg1;
};
size_t rf_platform_host_filter(const struct rf_platform *p, const struct rf_host_call **ret);

/*
 * The first rf_machine_new() of a process installs a handler for SIGBUS, which address-space I/O needs (a memory file may
 * be truncated by others); what is not the platform's goes to the handler found before. A program that installs its own
 * handler for SIGBUS later calls this from it, with the handler's arguments (siginfo_t and ucontext_t): true says that
 * the signal was the platform's, and the handler must return. Async-signal-safe.
 */
bool rf_platform_fault(int signo, const void *info, void *context);

/* ---- probe (doctor) ---- */
enum rf_check_result {
	RF_CHECK_OK,
	RF_CHECK_MISSING, /* it is not there */
	RF_CHECK_BROKEN,  /* it is there and does something else */
	RF_CHECK_SLOW,    /* it works, but not natively */
	RF_CHECK_SKIPPED, /* an earlier result makes it pointless */
};
struct rf_check {
	const char *name; /* e.g. "ring0-native" */
	const char *what; /* one line: what is checked */
	enum rf_check_result result;
	char detail[120];        /* measured value or errno text */
	const char *consequence; /* what follows from the result */
};
#define RF_CHECKS_MAX 64
/* About 24 KiB: better static or allocated than on a small stack. */
struct rf_probe {
	bool usable;   /* the platform works at all (host residency) */
	bool can_boot; /* guest residency works */
	size_t count;
	struct rf_check checks[RF_CHECKS_MAX];
};
/*
 * Runs every check (1 to 200 ms, by the kind of KVM; the process remembers the result, so that rf_machine_new() does not
 * pay again). Borrows `device` (-1: open the default). Returns 0 even if unusable; negative only on internal failure.
 */
int rf_platform_probe(const struct rf_platform *p, int device, struct rf_probe *ret,
		      struct rf_error *err);

/*
 * ---- address spaces ----
 *
 * A new one maps nothing. All are -EINVAL for an empty or unaligned range and one that leaves user space or the memory file.
 *
 * rf_address_space_map_file(), _unmap() and _protect() need memory for page tables, the last two to split a large page:
 * -ENOMEM when rf_options.table_bytes are used up. After that a map has done some first part of the range, maybe none,
 * and calling again completes it; an unmap has done nothing; a protect may have done a first part. What is not mapped is
 * skipped by unmap and protect. The same frame may be mapped at any number of addresses and in any number of address
 * spaces of the machine. Pages of 2 MiB are used where address and offset allow, which nobody can tell but by speed.
 *
 * A protect takes permissions away and never grants one: map again for that. A mask without any of RF_READ, RF_WRITE and
 * RF_EXEC unmaps; other bits are ignored. What is left of a page always includes RF_READ, as on the CPU.
 */
/* -ENOMEM: no memory, or table_bytes used up; -ENOSPC: RF_MAX_ADDRESS_SPACES. */
int rf_address_space_new(struct rf_machine *m, struct rf_address_space **ret);
/* Drops the address space; no context may be switched to it any more. The memory file is not touched. */
void rf_address_space_free(struct rf_address_space *as);
/* Maps memory-file range [offset, offset+len) at addr, replacing overlaps. prot = RF_*, at least one bit. `precommit`
 * asks for the memory to be there before the first touch; it is a hint, whose failure is not reported. */
int rf_address_space_map_file(struct rf_address_space *as, uint64_t addr, uint64_t offset,
			      uint64_t len, uint32_t prot, bool precommit);
int rf_address_space_unmap(struct rf_address_space *as, uint64_t addr, uint64_t len);
/* Removes permissions: present pages in the range keep only the bits in `mask`. */
int rf_address_space_protect(struct rf_address_space *as, uint64_t addr, uint64_t len,
			     uint32_t mask);
/* Finds the first mapped page >= addr (rounded down to a page) and < end. Returns 1 and fills the out-parameters, or 0. */
int rf_address_space_next(struct rf_address_space *as, uint64_t addr, uint64_t end,
			  uint64_t *ret_addr, uint64_t *ret_offset, uint32_t *ret_prot);
/* On return no CPU holds a translation removed or restricted by earlier calls. map/unmap/protect may defer this until here;
 * memory freed by an unmap must not be reused before. Entering a context of this address space implies it for that CPU. */
int rf_address_space_flush(struct rf_address_space *as);
/*
 * Around the copying of an address space by its owner (fork of a program inside, not of this process): pre_fork before the
 * first mapping is read or write-protected, post_fork after the last. What was protected in between takes effect at the next
 * rf_address_space_flush() as ever. Platforms that keep no state of their own do nothing; pre_fork then returns 0.
 */
int rf_address_space_pre_fork(struct rf_address_space *as);
void rf_address_space_post_fork(struct rf_address_space *as);

/* Address-space I/O (trait). Checks user permissions in the tables. Copies return the number of bytes done before the first
 * byte that is not mapped with the needed access, or whose page of the memory file is gone (the file was truncated, or is full).
 * Word operations return 0 or -EFAULT. */
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
/* FPU state as after execve(2). -ENOMEM, or -ENOSPC: RF_MAX_CONTEXTS. */
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
 * When the memory behind a page of `as` cannot be had (the memory file was truncated, its file system is full, the host's
 * memory is broken) the trap is RF_TRAP_FAULT with vector 18, signo SIGBUS, code BUS_ADRERR, and the registers before the
 * instruction. `address` is the lost address where the host kernel tells it (KVM_CAP_MEMORY_FAULT_INFO); otherwise the
 * best guess: the first lost page among those of RIP, of the stack, and that the general registers point to, then the lowest
 * lost page that is mapped, and regs.rip when none of these is lost.
 *
 * Returns 0 and fills *ret, also for RF_TRAP_ERROR; -EINVAL (bad CPU number, residency), -EXDEV (another machine's
 * address space), or what saving FPU state failed with: then nothing ran.
 *
 * The platform uses the signal SIGRTMIN + 1: it installs a handler and unblocks it in threads that run user code.
 */
int rf_context_switch(struct rf_context *c, struct rf_address_space *as, struct rf_regs *regs,
		      uint32_t cpu, struct rf_trap *ret);
/*
 * Makes the running switch (or, if none runs, the next) return RF_TRAP_INTERRUPT. Never lost; async-signal-safe.
 *
 * That is: after a call there is a return with RF_TRAP_INTERRUPT from the context's switch in progress or from its next.
 * Calls made before that return may share it. What user code did first comes first: a system call or fault that happens at
 * the same time is returned, and the interruption by the next switch before it runs anything. *regs are then complete and
 * user code can go on as if nothing had happened. It does not wait.
 */
void rf_context_interrupt(struct rf_context *c);
/* Makes the running switch return RF_TRAP_PREEMPT; does nothing if none runs. Async-signal-safe. */
void rf_context_preempt(struct rf_context *c);
/*
 * With `on`, a switch returns RF_TRAP_PREEMPT, with nothing run and *regs unchanged, when since this context's last switch another
 * context was switched to on this CPU number, or this context on another one; the next switch to it on this number then runs,
 * if no other came in between. The first switch of a context has nothing to report. For what must notice the loss of a CPU
 * before the program does (rseq(2)): do that, and switch again; one who runs another context instead gets nowhere. Trait
 * detects_cpu_preemption; -ENOSYS without. Not while in switch.
 */
int rf_context_detect_preemption(struct rf_context *c, bool on);
/* Same, by CPU number; RF_TRAP_INTERRUPT for whatever runs there, or for the next switch on it. Async-signal-safe. */
void rf_machine_interrupt_cpu(struct rf_machine *m, uint32_t cpu);
/*
 * Describes a CPU for a human: registers, page walks, its last exits, at most `size` bytes of text with the NUL that ends it.
 * From any thread, also while the CPU runs: its thread is brought out of the guest and writes the dump, and the switch or run
 * goes on as if nothing had been. `ret_regs` (may be NULL) gets the registers of what the vCPU last executed, in residency
 * host those of user code or of a stub of the platform's. Returns 0; -EINVAL (no such CPU); -EBUSY (another dump of it is on
 * its way); -ETIMEDOUT when the CPU does not come out for RF_DUMP_WAIT_MS (it is stuck in the host's kernel): the text then has
 * the last exits only.
 */
int rf_machine_dump_cpu(struct rf_machine *m, uint32_t cpu, struct rf_regs *ret_regs, char *buf,
			size_t size);
#define RF_DUMP_WAIT_MS 5000
/*
 * FPU state in XSAVE standard (non-compacted) format (SDM vol. 1 §13.4) of rf_context_fpu_size() bytes, components as in
 * rf_machine_xcr0(); both are constant for the life of a machine. Not while in switch.
 *
 * get copies it out. set takes any image: bits that XRSTOR would refuse (components that are not there, reserved bits of the
 * header and MXCSR) are cleared. reset makes it what a new program gets. -EINVAL: `size` is less than rf_context_fpu_size(); or
 * what reading the registers of a virtual CPU failed with.
 */
size_t rf_context_fpu_size(const struct rf_machine *m);
uint64_t rf_machine_xcr0(const struct rf_machine *m);
int rf_context_get_fpu(struct rf_context *c, void *buf, size_t size);
int rf_context_set_fpu(struct rf_context *c, const void *buf, size_t size);
int rf_context_reset_fpu(struct rf_context *c); /* as after execve(2) */

/*
 * ---- boot: residency guest (optional, trait can_boot) ----
 *
 * A machine made with RF_RESIDENCY_GUEST runs no contexts: the caller brings a kernel of its own, in the memory file, that
 * runs in guest ring 0, makes its own page tables and answers system calls and faults itself. It leaves the guest only by HLT
 * (a "hostcall", whose meaning is between kernel and caller), when a host signal comes, and when it fails. The memory file is
 * seen guest-physically from rf_memory.gpa on; nothing of the caller's is mapped in the guest but that. Ring 0 starts with
 * interrupts off. Vectors below RF_VECTOR_KICK are the CPU's exceptions and need handlers of the kernel's own: one it cannot
 * take ends in RF_EXIT_FATAL. Making such a machine where can_boot is false is not refused; what then happens is undefined.
 */
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
/*
 * Prepares vCPU `cpu` to start in ring 0. It must not be running. -EINVAL: no such CPU, or the machine is of residency host;
 * otherwise what setting its registers failed with.
 */
int rf_machine_boot_cpu(struct rf_machine *m, uint32_t cpu, const struct rf_boot_cpu *state,
			struct rf_error *err);
/*
 * Runs vCPU `cpu` on the calling thread until the next exit; call again to go on after it. Returns 0 and the kind, and for
 * RF_EXIT_FATAL a text for people in `dump`, after which the CPU must be booted again. -EINVAL: no such CPU, or not booted. Injects
 * vector `RF_VECTOR_KICK` into ring 3 when rf_machine_interrupt_cpu() was called; if ring 0 is running then, as soon as
 * interrupts are enabled. Kicks made before that is done are one.
 */
int rf_machine_run_cpu(struct rf_machine *m, uint32_t cpu, enum rf_exit_kind *ret, char *dump,
		       size_t dump_size);
#define RF_VECTOR_KICK     0x20
/*
 * CPU features a resident kernel may use, as the virtual CPU has them. CR4 has the bit of each already set, but for PCID: setting
 * PCIDE is the kernel's. Features in rf_options.withheld_features are absent, from CPUID too.
 */
#define RF_BOOT_F_SMAP     1u
#define RF_BOOT_F_SMEP     2u
#define RF_BOOT_F_FSGSBASE 4u
#define RF_BOOT_F_UMIP     8u
#define RF_BOOT_F_PCID     16u
#define RF_BOOT_F_XSAVE    32u
#define RF_BOOT_F_XSAVEOPT 64u
#define RF_BOOT_F_1G       128u
#define RF_BOOT_F_INVPCID  256u
/* Not features but what the kernel must do against speculative execution: docs/speculation.md. */
#define RF_BOOT_F_RETPOLINE \
	0x10000u /* indirect branches may be predicted from what ring 3 trained */
#define RF_BOOT_F_FILL_RSB 0x40000u /* an empty return stack buffer falls back on them */
#define RF_BOOT_F_VERW     0x20000u /* VERW on the way to ring 3 clears buffers that it could sample */
uint32_t rf_machine_boot_features(const struct rf_machine *m);

#ifdef __cplusplus
}
#endif
