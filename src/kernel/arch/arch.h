/* SPDX-License-Identifier: Apache-2.0 */
/* The processor as the kernel sees it: start of a CPU, stack switches, entries. Implemented in arch/. */
#pragma once

#include "base/types.h"
#include "kernel/core/cpu.h"

struct task;

/* Hidden: their addresses are taken RIP-relative and not through a GOT. */
#pragma GCC visibility push(hidden)

/* What the exception stubs leave on the stack for an exception in ring 0. */
struct kernel_frame {
	u64 r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
	u64 vector, error_code;
	u64 rip, cs, rflags, rsp, ss;
};

/* Residency guest: this CPU's GDT, TSS, IDT and system call MSRs. */
void cpu_arch_init(struct cpu *c);
/* From boot_info()->boot_features; read by the assembly. */
extern u8 cpu_has_fsgsbase, cpu_has_smap;

/* speculation.c: from boot_info()->boot_features, residency guest; before user code runs. */
void speculation_init(void);

/* boot.S */
void monitor_trap_guest(void);
void monitor_trap_host(void);
__noreturn void host_leave(void);
__noreturn void kernel_main(u64 cpu, u64 residency);

/* switch.S */
void context_switch(u64 *save_rsp, u64 load_rsp);
void task_entry_stub(void);
/* core/sched.c: called by the stub. */
__noreturn void task_entry(void (*fn)(struct task *), struct task *t);
/* Prepares t->kstack so that context_switch() to t->kernel_rsp calls task_entry(fn, t). */
void task_stack_init(struct task *t, void (*fn)(struct task *));

/* entry.S */
u64 switch_to_user(struct rf_regs *regs);
void user_selectors_reset(void);
void entry_syscall(void);
void entry_syscall_kpti(void);

/* Page-aligned parts of the kernel that user roots map (KPTI), with RF_* rights. Once nr_cpus is known. */
struct entry_range {
	u64 start, end;
	u32 prot;
};
#define ENTRY_RANGES_MAX 4u
unsigned entry_ranges(struct entry_range *r);

/* uaccess.S: residency guest only */
size_t user_copy(void *dst, const void *src, size_t n);
size_t user_zero(void *dst, size_t n);
int user_cas_u32(u32 *addr, u32 old, u32 new, u32 *ret_old);

/* Called by the stubs. */
void exception_kernel(struct kernel_frame *f);
__noreturn void exception_fatal(struct kernel_frame *f);

#pragma GCC visibility pop

static inline void cpu_relax(void)
{
	__asm__ volatile("pause" : : : "memory");
}

static inline u64 rdtsc(void)
{
	u32 lo, hi;

	/* LFENCE: not before earlier loads are done (SDM vol. 2B, "RDTSC"). */
	__asm__ volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi) : : "memory");
	return (u64)hi << 32 | lo;
}

static inline void wrmsr(u32 msr, u64 v)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((u32)v), "d"((u32)(v >> 32)) : "memory");
}

static inline void write_cr3(u64 v)
{
	__asm__ volatile("movq %0, %%cr3" : : "r"(v) : "memory");
}

/* Whether DS, ES, FS and GS are all null: ring 3 can load others, which stay until somebody loads again. */
static inline bool user_selectors_null(void)
{
	u32 ds, es, fs, gs;

	__asm__ volatile("movl %%ds, %0; movl %%es, %1; movl %%fs, %2; movl %%gs, %3"
			 : "=r"(ds), "=r"(es), "=r"(fs), "=r"(gs));
	return !(ds | es | fs | gs);
}

static inline u64 read_cr4(void)
{
	u64 v;

	__asm__ volatile("movq %%cr4, %0" : "=r"(v));
	return v;
}

static inline void write_cr4(u64 v)
{
	__asm__ volatile("movq %0, %%cr4" : : "r"(v) : "memory");
}

static inline void invlpg(uptr_t va)
{
	__asm__ volatile("invlpg (%0)" : : "r"(va) : "memory");
}

/* One page under one PCID (SDM vol. 2A, "INVPCID", type 0). The PCID need not be the current one. */
static inline void invpcid_address(u64 pcid, uptr_t va)
{
	struct {
		u64 pcid, va;
	} what = { pcid, va };

	__asm__ volatile("invpcid %0, %1" : : "m"(what), "r"(0ull) : "memory");
}

static inline void cpuid(u32 leaf, u32 sub, u32 out[4])
{
	__asm__ volatile("cpuid"
			 : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
			 : "a"(leaf), "c"(sub));
}
