/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a CPU touches of its own while it may have the user's root loaded: all of the kernel's data that user roots map (KPTI, see
 * platform/kpti.h). Page-aligned in kernel.ld, so that nothing else shares its pages.
 */
#pragma once

#include "kernel/arch/asm_offsets.h"
#include "kernel/core/cpu.h"

/* As far apart as struct cpu, so that one offset from GS finds it on every CPU: cpu_entry_offset in kernel.ld. */
struct cpu_entry {
	u64 user_rsp;   /* scratch of the system call entry and exit */
	u64 kernel_cr3; /* loaded on the way in; 0: no KPTI, neither is used */
	u64 user_cr3;   /* loaded on the way out */
	u64 stack_top;  /* TSS.RSP0: where IRET leaves from */
} __attribute__((aligned(1 << CPU_SHIFT)));
static_assert(sizeof(struct cpu_entry) == sizeof(struct cpu), "cpu_entry_offset");

#pragma GCC visibility push(hidden)
extern struct cpu_entry cpu_entries[RF_MAX_CPUS];
#pragma GCC visibility pop
