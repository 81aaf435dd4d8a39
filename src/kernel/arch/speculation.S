/* SPDX-License-Identifier: Apache-2.0 */
/*
 * speculation.S: where the kernel's indirect calls and jumps go through (docs/speculation.md).
 *
 * The compiler turns each indirect branch into a direct one to __x86_indirect_thunk_REG with the target in REG; the assembly does the same.
 * The image has retpolines: the only prediction for their RET is the CALL before, which leads to a loop that does nothing. Where indirect
 * branches are not predicted from what user code trained (RF_BOOT_F_RETPOLINE is not set), the monitor copies the plain bodies over them
 * before it makes the text read-only. (LFENCE; JMP, AMD's other proposal, leaves a window between the two and is not offered:
 * AMD-SB-1026.)
 *
 * In:	the target in REG; RSP as the branch leaves it.  Out: at the target, all registers and flags kept.
 *
 * Both tables: a body every THUNK_SIZE bytes, in the order of register numbers. In place of RSP, which holds no target, there is one whose
 * target is %gs:CPU_QUICK_CALL: where a quick call is made no register is free.
 */
#include "kernel/arch/asm_offsets.h"
#include "kernel/arch/speculation.h"

	/* To be followed by what replaces the return address of this CALL by the target, and a RET. */
	.macro RETPOLINE
	call 2f
1:	pause
	lfence
	jmp 1b
2:
	.endm

	.macro THUNK reg
	.balign THUNK_SIZE, 0xcc
	.globl __x86_indirect_thunk_\reg
	.hidden __x86_indirect_thunk_\reg
	.type __x86_indirect_thunk_\reg, @function
__x86_indirect_thunk_\reg:
	RETPOLINE
	movq %\reg, (%rsp)
	ret
	.size __x86_indirect_thunk_\reg, . - __x86_indirect_thunk_\reg
	.endm

	.section .text.thunks, "ax", @progbits
	.balign 64
	.globl thunks_start
	.hidden thunks_start
thunks_start:
	.irp reg, rax, rcx, rdx, rbx
	THUNK \reg
	.endr
	.balign THUNK_SIZE, 0xcc
	.globl quick_call_thunk
	.hidden quick_call_thunk
	.type quick_call_thunk, @function
quick_call_thunk:
	/* POP computes its address after it has raised RSP (SDM vol. 2B, "POP"): the word pushed replaces the return address. */
	RETPOLINE
	pushq %gs:CPU_QUICK_CALL
	popq (%rsp)
	ret
	.size quick_call_thunk, . - quick_call_thunk
	.irp reg, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
	THUNK \reg
	.endr
	/* Refuses to go back: no thunk is longer than THUNK_SIZE. */
	.org thunks_start + THUNK_SIZE * THUNK_COUNT, 0xcc

	/* INT3 behind: a jump is not expected to fall through, but some processors try (straight-line speculation). */
	.macro PLAIN target:vararg
	.balign THUNK_SIZE, 0xcc
	jmp *\target
	int3
	.endm

	/* Never executed here. */
	.section .rodata
	.balign 64
	.globl thunks_plain
	.hidden thunks_plain
thunks_plain:
	.irp reg, rax, rcx, rdx, rbx
	PLAIN %\reg
	.endr
	PLAIN %gs:CPU_QUICK_CALL
	.irp reg, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
	PLAIN %\reg
	.endr
	/* Refuses to go back: no thunk is longer than THUNK_SIZE. */
	.org thunks_plain + THUNK_SIZE * THUNK_COUNT, 0xcc

	.section .note.GNU-stack, "", @progbits
