/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evil.h: a kernel image that attacks the monitor from guest ring 0.
 *
 * Booted by evil-host instead of kernel.elf. argv[1] of the boot configuration names the case, argv[2] is a seed, argv[3] how often, argv[4]
 * a parameter of the case; numbers may be hexadecimal.
 */
#pragma once

#include "abi/boot.h"
#include "abi/hostcall.h"
#include "base/types.h"

#define EVIL_STUB_SIZE 16u
#define EVIL_CPUS      4u
#define BUFFER_BYTES   (2u << 20)

/* At the bottom of the CPU's IST stack: entry.S finds it from the stack pointer. */
struct evil_cpu {
	u64 recovery;   /* offset 0 */
	u64 exceptions; /* offset 8 */
	u64 number;
	u64 random; /* state of the generator */
	u64 gdt[8];
	u8 tss[104];
	u8 stack[] __attribute__((aligned(16)));
};

struct evil_case {
	const char *name;
	void (*run)(struct evil_cpu *cpu);   /* on CPU 0 */
	void (*other)(struct evil_cpu *cpu); /* on the other CPUs; NULL: they are done at once */
};
extern const struct evil_case evil_calls[], evil_machine[]; /* ended by a NULL name */

/* of the command line */
extern u64 evil_seed, evil_count, evil_parameter;
/* As the monitor set them: boot_info gets written over. */
extern u64 evil_free_start, evil_stacks_start, evil_arena_size, evil_root;
/* CPU 0's case is done: the others may stop. */
extern volatile u32 evil_done;

static inline struct boot_info *evil_info(void)
{
	return (struct boot_info *)(RF_ARENA_BASE + BOOT_INFO_OFF);
}

/*
 * A CPU's buffer: page frames, which hostcalls may write to. Twice what a call transfers at most, so that the image itself stays whole
 * whatever the length says.
 */
static inline u8 *evil_buffer(u64 cpu)
{
	return (u8 *)(RF_ARENA_BASE + evil_free_start + cpu % EVIL_CPUS * BUFFER_BYTES);
}

static inline struct boot_config *evil_config(void)
{
	return (struct boot_config *)(RF_ARENA_BASE + BOOT_CONFIG_OFF);
}

/* 0, or the vector + 1 of the exception that ended fn(). */
u64 evil_try(struct evil_cpu *cpu, void (*fn)(void *), void *arg);

u64 evil_random(struct evil_cpu *cpu);
static inline u64 evil_below(struct evil_cpu *cpu, u64 n)
{
	return evil_random(cpu) % n;
}

/* One hostcall as CPU @cpu. */
s64 evil_call(struct evil_cpu *cpu, u64 nr, u64 a, u64 b, u64 c, u64 d);
/* All arguments; nothing is checked. */
s64 evil_call_all(struct evil_cpu *cpu, u64 nr, const u64 arg[HOSTCALL_ARGS]);
void evil_log(struct evil_cpu *cpu, const char *text);
void __noreturn evil_exit(struct evil_cpu *cpu, u64 status);
/* Ends the sandbox with status 99 and a message: the monitor did what it must not. */
void __noreturn evil_fail(struct evil_cpu *cpu, const char *what, u64 detail);

/* A random hostcall, mostly with arguments of the right kind; nothing that ends or stops the sandbox. */
s64 evil_random_call(struct evil_cpu *cpu);

/* Maps guest-physical @gpa at window @slot (0 to 511), readable, writable and executable; returns the address. */
u8 *evil_map(u32 slot, u64 gpa);

static inline u64 evil_cr3(void)
{
	u64 v;

	__asm__ volatile("mov %%cr3, %0" : "=r"(v));
	return v;
}

static inline void evil_pause(void)
{
	__asm__ volatile("pause" ::: "memory");
}
