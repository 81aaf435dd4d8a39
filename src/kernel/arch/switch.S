/* SPDX-License-Identifier: Apache-2.0 */
/*
 * switch.S: from one kernel stack to another.
 */
#include "kernel/arch/speculation.h"

	.section .text.hot, "ax", @progbits

/*
 * context_switch: void context_switch(u64 *save_rsp, u64 load_rsp)
 *
 * In:	kernel lock held, RDI = where to keep this stack's RSP, RSI = RSP of the stack to continue on; GS = struct cpu.
 *	A stack that is switched away from, or was prepared by task_stack_init(), has from RSP upwards:
 *		r15 r14 r13 r12 rbp rbx return-address
 * Out:	on the other stack; callee-saved registers are that stack's. User FPU state is not touched: it belongs to struct task.
 */
	.globl context_switch
	.type context_switch, @function
context_switch:
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, (%rdi)
	movq %rsi, %rsp
	FILL_RSB cpu_fills_rsb_switch
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	ret
	.size context_switch, . - context_switch

/*
 * task_entry_stub: the return address of a task that has never run.
 *
 * In:	RBX = function, R12 = its argument (struct task *); RSP 16-byte aligned; kernel lock held.  Out: never returns.
 */
	.globl task_entry_stub
	.type task_entry_stub, @function
task_entry_stub:
	xorl %ebp, %ebp
	movq %rbx, %rdi
	movq %r12, %rsi
	call task_entry
	ud2
	.size task_entry_stub, . - task_entry_stub

	.section .note.GNU-stack, "", @progbits
