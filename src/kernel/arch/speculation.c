/* SPDX-License-Identifier: Apache-2.0 */
/* What the entries and the stack switch do against speculative execution on this CPU: docs/speculation.md. Read by speculation.h's macros. */
#include "kernel/arch/arch.h"
#include "kernel/arch/asm_offsets.h"

#pragma GCC visibility push(hidden)

/* VERW on the way to user code. */
extern u8 cpu_clears_buffers;
extern u16 cpu_verw_selector;
/*
 * After a trap the return stack buffer has what the program's calls left there. With SMEP the CPU doesn't fetch user pages in ring 0,
 * speculatively neither, and nothing else can be in it.
 */
extern u8 cpu_fills_rsb_entry;
/*
 * An empty return stack buffer falls back on the branch predictor on some CPUs, from which retpolines keep everything else away; and
 * a switch of stacks is where more returns than calls follow.
 */
extern u8 cpu_fills_rsb_switch;

u8 cpu_clears_buffers, cpu_fills_rsb_entry, cpu_fills_rsb_switch;
/* A writable data segment: what makes VERW clear buffers on every CPU that does. */
u16 cpu_verw_selector = SEL_KERNEL_SS;

#pragma GCC visibility pop

void speculation_init(void)
{
	u32 features = boot_info()->boot_features;

	cpu_clears_buffers = !!(features & RF_BOOT_F_VERW);
	cpu_fills_rsb_entry = !(features & RF_BOOT_F_SMEP);
	cpu_fills_rsb_switch = !!(features & RF_BOOT_F_FILL_RSB);
}
