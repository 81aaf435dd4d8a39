/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Offsets and selectors the assembly uses. Every number is checked against the C side in arch/cpu_x86_64.c; no C declarations
 * here, the file is included by .S files.
 */
#pragma once

/* struct cpu, at GS in the kernel */
#define CPU_SELF        0
#define CPU_CURRENT     8
#define CPU_KERNEL_RSP  16
#define CPU_USER_REGS   24
#define CPU_HOST_RSP    32
#define CPU_ID          40
#define CPU_SHARED      48
#define CPU_TRAP_VECTOR 56
#define CPU_TRAP_ERROR  64
#define CPU_TRAP_CR2    72
#define CPU_QUICK_CALLS 80
#define CPU_QUICK_CALL  88
#define CPU_QUICK_LIMIT 96
#define CPU_SHIFT       8 /* log2(sizeof(struct cpu)) */

/* struct cpu_entry; at %gs:cpu_entry_offset + … (kernel.ld) */
#define ENTRY_USER_RSP   0
#define ENTRY_KERNEL_CR3 8
#define ENTRY_USER_CR3   16
#define ENTRY_STACK_TOP  24

/* struct cpu_arch: from its GDT, which SGDT finds, to its struct cpu */
#define ARCH_GDT_TO_CPU 128

/* struct rf_regs */
#define REGS_R15      0
#define REGS_R14      8
#define REGS_R13      16
#define REGS_R12      24
#define REGS_RBP      32
#define REGS_RBX      40
#define REGS_R11      48
#define REGS_R10      56
#define REGS_R9       64
#define REGS_R8       72
#define REGS_RAX      80
#define REGS_RCX      88
#define REGS_RDX      96
#define REGS_RSI      104
#define REGS_RDI      112
#define REGS_ORIG_RAX 120
#define REGS_RIP      128
#define REGS_CS       136
#define REGS_RFLAGS   144
#define REGS_RSP      152
#define REGS_SS       160
#define REGS_FS_BASE  168
#define REGS_GS_BASE  176

/* struct boot_info at RF_ARENA_BASE */
#define BOOT_INFO_HOST_TRAP 80
#define BOOT_INFO_HWCAP2    112

/* Segment selectors. SYSRET loads CS = STAR[63:48] + 16 and SS = STAR[63:48] + 8. */
#define SEL_KERNEL_CS 0x10
#define SEL_KERNEL_SS 0x18
#define SEL_USER_BASE 0x23
#define SEL_USER_SS   0x2b
#define SEL_USER_CS   0x33
#define SEL_TSS       0x38

#define RFLAGS_TF 0x100
#define RFLAGS_RF 0x10000

#define MSR_FS_BASE        0xc0000100
#define MSR_GS_BASE        0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102

/* What switch_to_user() returns. */
#define USER_EXIT_SYSCALL   0
#define USER_EXIT_EXCEPTION 1

#define QUICK_SIZE      512 /* SYSCALL_QUICK_SIZE */
#define VECTORS         33  /* 32 exceptions and RF_VECTOR_KICK */
#define VECTOR_KICK     32
#define BOOT_STACK_SIZE 16384
#define BOOT_CPUS_MAX   64
