/* SPDX-License-Identifier: Apache-2.0 */
/* Per-CPU data, reached through GS. Never cache `this_cpu()` across a point that sleeps: the task may move. */
#pragma once

#include "abi/boot.h"
#include "base/list.h"
#include "base/types.h"

struct task;
struct mm;
typedef s64 (*quick_call_fn)(void);

struct cpu {
	struct cpu *self;          /* asm: %gs:0 */
	struct task *curr;         /* asm: %gs:8 */
	u64 kernel_rsp;            /* asm: %gs:16 kernel stack to return to from user mode */
	struct rf_regs *user_regs; /* asm: %gs:24 where the entry stubs store user registers */
	u64 host_rsp;              /* asm: %gs:32 the CPU thread's own stack (residency host) */
	u64 id;                    /* asm: %gs:40 */
	struct cpu_shared *shared; /* asm: %gs:48 */
	u64 trap_vector, trap_error,
		trap_cr2;                 /* asm: %gs:56, 64, 72; filled by the exception stubs */
	const quick_call_fn *quick_calls; /* asm: %gs:80; by call number: syscall_quick */
	quick_call_fn quick_call;         /* asm: %gs:88 scratch of the system call entry */
	u32 quick_limit; /* asm: %gs:96 numbers below may be quick; 0 where calls are traced */
	/* scheduler (kernel lock) */
	struct list runqueue;
	unsigned nr_running;
	struct task *idle;
	u64 slice_start_ns, slice_end_ns;
	u64 woken_since_ns; /* since when only woken tasks had their turn; 0: the last one was no such */
	u64 accounted_events; /* system calls and faults that CPU time accounting has seen */
	unsigned spread;      /* user entries left until a waiting task is offered to an idle CPU */
	struct task *switch_prev; /* who was current before the last context_switch() */
	bool need_resched;
	bool online, idling;
	/* guest residency */
	struct mm *loaded_mm;
	u64 loaded_tlb_gen;      /* read by CPUs that shoot translations down */
	u64 loaded_root;         /* what CR3 holds */
	struct task *fpu_owner;  /* whose FPU state is in the registers */
	void *arch;              /* struct cpu_arch: GDT, TSS, IST stacks */
} __attribute__((aligned(256))); /* asm: CPU_SHIFT */

static inline struct cpu *this_cpu(void)
{
	struct cpu *c;

	__asm__ volatile("movq %%gs:0, %0" : "=r"(c));
	return c;
}

/* For statistics, and for the report of a crash. */
static inline void cpu_record_syscall(u64 nr)
{
	struct cpu_shared *s = this_cpu()->shared;

	s->last_syscalls[s->syscalls++ % LAST_SYSCALLS] = (u16)nr;
}

/* The quick calls only count: recording them would make them slower by a sixth, and they break nothing. */
static inline void cpu_count_syscall(void)
{
	this_cpu()->shared->syscalls++;
}

static inline struct task *current_task(void)
{
	struct task *t;

	__asm__ volatile("movq %%gs:8, %0" : "=r"(t));
	return t;
}
#define current (current_task())

extern struct cpu cpus[RF_MAX_CPUS];
extern unsigned nr_cpus;
static inline struct boot_info *boot_info(void)
{
	return (struct boot_info *)(RF_ARENA_BASE + BOOT_INFO_OFF);
}
static inline const struct boot_config *boot_config(void)
{
	return (const struct boot_config *)(RF_ARENA_BASE + BOOT_CONFIG_OFF);
}
/* String at offset `off` of the configuration; NULL for offset 0. */
const char *boot_string(u32 off);

/*
 * The kernel lock: held by a CPU while it runs kernel code for a task (docs/adr/0001). Who has waited for some time says so in `wanted`, and
 * is given it at the next release: a CPU that calls in a loop takes it again within a few instructions and would never leave a gap.
 */
extern struct kernel_lock {
	u32 owner;  /* CPU number + 1; 0 = free */
	u32 wanted; /* the same, of the next owner; 0 = none has waited long */
} big_lock;
void kernel_lock_slow(u32 me, u32 owner);
void kernel_unlock_to(u32 next);

static inline void kernel_lock(void)
{
	u32 me = (u32)this_cpu()->id + 1, owner = 0;

	if (unlikely(!__atomic_compare_exchange_n(&big_lock.owner, &owner, me, false,
						  __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)))
		kernel_lock_slow(me, owner);
}

static inline void kernel_unlock(void)
{
	u32 next = READ_ONCE(big_lock.wanted);

	if (unlikely(next))
		kernel_unlock_to(next);
	else
		__atomic_store_n(&big_lock.owner, 0, __ATOMIC_RELEASE);
}

/* By this CPU? */
static inline bool kernel_lock_held(void)
{
	return READ_ONCE(big_lock.owner) == (u32)this_cpu()->id + 1;
}
