/* SPDX-License-Identifier: Apache-2.0 */
/* What assembly needs against speculation: docs/speculation.md. */
#pragma once

#define THUNK_SIZE  32
#define THUNK_COUNT 16

#ifdef __ASSEMBLER__
/* clang-format off */

/* Processors predict this many returns at most. */
#define RSB_ENTRIES 32

/*
 * Fills the return stack buffer with returns to places that do nothing, where `flag`, a byte, says so. All registers kept but flags.
 * For RETs that follow code whose CALLs were not ours, or on a stack that is not that of the last CALL.
 */
	.macro FILL_RSB flag
	cmpb $0, \flag(%rip)
	je 99f
	.rept RSB_ENTRIES
	call 98f
	int3
98:
	.endr
	addq $(8 * RSB_ENTRIES), %rsp
99:
	.endm

/* On the way to user code: VERW overwrites what the CPU's buffers hold of ours (SDM vol. 2D, "VERR/VERW"; MD_CLEAR). Flags go. */
	.macro CLEAR_BUFFERS
	cmpb $0, cpu_clears_buffers(%rip)
	je 97f
	verw cpu_verw_selector(%rip)
97:
	.endm

/* clang-format on */
#endif
