/* SPDX-License-Identifier: Apache-2.0 */
/*
 * boot.S: where CPUs enter the kernel, and how they ask the monitor.
 */
#include "kernel/arch/asm_offsets.h"

	.text

/*
 * entry_guest: first instruction of a CPU in residency guest.
 *
 * In:	ring 0, 64-bit, IF = 0; CR0, CR4, EFER, CR3 (the kernel's root) and XCR0 set by the monitor; GDT, IDT, TSS: whatever the monitor
 *	gave; RDI = CPU number; RSP = top of its boot stack, 16-byte aligned; GS base: anything.
 * Out:	never returns; GS base = &cpus[number], own GDT, IDT and TSS loaded by cpu_arch_init().
 */
	.globl entry_guest
	.globl kernel_entry
	.type entry_guest, @function
entry_guest:
kernel_entry:
	cld
	xorl %ebp, %ebp
	movq %rdi, %rbx
	/* GS base = &cpus[number]. By MSR: CR4.FSGSBASE may be clear. */
	leaq cpus(%rip), %rax
	movq %rdi, %rdx
	shlq $CPU_SHIFT, %rdx
	addq %rdx, %rax
	movq %rax, %rdx
	shrq $32, %rdx
	movl $MSR_GS_BASE, %ecx
	wrmsr
	movq %rbx, %rdi
	movl $1, %esi
	call kernel_main
	ud2
	.size entry_guest, . - entry_guest

/*
 * entry_host: void entry_host(u64 cpu), residency host; called on the CPU's thread by the System V convention.
 *
 * In:	ring 3 of the host; RDI = CPU number; RSP = the thread's stack; GS base: anything; signals may arrive at any time and use
 *	the thread's alternate stack or whatever RSP points to.
 * Out:	returns only through host_leave(), with the callee-saved registers restored and GS base left in the kernel's hands.
 */
	.globl entry_host
	.type entry_host, @function
entry_host:
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	subq $8, %rsp
	movq %rdi, %rbx
	leaq cpus(%rip), %rax
	movq %rdi, %rsi
	shlq $CPU_SHIFT, %rsi
	addq %rax, %rsi
	movabsq $0x7e0000000000, %rax
	testb $2, BOOT_INFO_HWCAP2(%rax)	/* HWCAP2_FSGSBASE: ring 3 may */
	jz 1f
	wrgsbase %rsi
	jmp 2f
	/* arch_prctl(ARCH_SET_GS), the kernel's only system call of the host: before there is a trap to ask the monitor with. */
1:	movl $0x1001, %edi
	movl $158, %eax
	syscall
2:	movq %rsp, %gs:CPU_HOST_RSP
	leaq boot_stacks(%rip), %rax
	leaq 1(%rbx), %rdx
	imulq $BOOT_STACK_SIZE, %rdx, %rdx
	leaq (%rax, %rdx), %rsp
	movq %rbx, %rdi
	xorl %esi, %esi
	xorl %ebp, %ebp
	call kernel_main
	ud2
	.size entry_host, . - entry_host

/*
 * host_leave: void host_leave(void), residency host: back to the caller of entry_host() on this thread.
 *
 * In:	any kernel stack, GS = struct cpu.  Out: does not return.
 */
	.globl host_leave
	.type host_leave, @function
host_leave:
	movq %gs:CPU_HOST_RSP, %rsp
	addq $8, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	ret
	.size host_leave, . - host_leave

/*
 * monitor_trap_guest: void (void): the mailbox is filled; HLT exits to the monitor, which answers in the mailbox.
 *
 * In:	ring 0, IF = 0, GS = struct cpu.  Out: the same; all registers but RIP untouched.
 */
	.globl monitor_trap_guest
	.type monitor_trap_guest, @function
monitor_trap_guest:
	hlt
	ret
	.size monitor_trap_guest, . - monitor_trap_guest

/*
 * monitor_trap_host: void (void): the same in residency host: a call on the CPU thread's own stack.
 *
 * In:	any kernel stack, GS = struct cpu, DF = 0.  Out: the same stack and GS; caller-saved registers are lost.
 *	RBX keeps the kernel's RSP, since the callee preserves it (System V ABI, AMD64 supplement §3.2.1 "Registers").
 */
	.globl monitor_trap_host
	.type monitor_trap_host, @function
monitor_trap_host:
	pushq %rbx
	movq %rsp, %rbx
	movabsq $0x7e0000000000, %rax
	movq %gs:CPU_ID, %rdi
	movq %gs:CPU_HOST_RSP, %rsp
	movq BOOT_INFO_HOST_TRAP(%rax), %rax
	call __x86_indirect_thunk_rax
	movq %rbx, %rsp
	popq %rbx
	ret
	.size monitor_trap_host, . - monitor_trap_host

	.section .note.GNU-stack, "", @progbits
