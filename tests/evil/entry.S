/* SPDX-License-Identifier: Apache-2.0 */
/*
 * entry.S: the evil image's header, its way in, its exceptions and the calls it survives.
 *
 * Every exception lands on the CPU's IST stack, at the bottom of whose pages struct evil_cpu lies (8 KiB aligned): the stub gives up
 * whatever the CPU did and returns from the innermost evil_try() with vector + 1. So no state of the stack can stop it.
 */
#define STACK_SIZE 0x8000
#define CPUS_MAX   64

	.section .text.entry, "ax", @progbits
	.balign 4096
	.globl evil_header
evil_header:
	.quad 0x3145434e46474e52	/* BOOT_MAGIC */
	.long 1				/* BOOT_VERSION */
	.long 0
	.quad evil_entry
	.quad evil_entry_host
	.quad boot_stacks
	.quad STACK_SIZE
	.quad __text_start
	.quad __text_end
	.quad __rodata_start
	.quad __rodata_end
	.quad __data_start
	.quad __kernel_end
	.quad evil_thunks
	.quad evil_thunks
	.quad 16

	.text
	.balign 16
evil_thunks:
	.skip 16, 0xcc

/* In: ring 0, IF = 0, RDI = CPU number, RSP = top of its boot stack, 16-byte aligned.  Out: never returns. */
	.globl evil_entry
evil_entry:
	cld
	xorl %ebp, %ebp
	call evil_main
1:	hlt
	jmp 1b

/* The image is for ring 0 only. */
evil_entry_host:
	ud2

/*
 * u64 evil_try(struct evil_cpu *cpu, void (*fn)(void *), void *arg): 0, or the vector + 1 of the exception that ended fn().
 * The recovery chain is one deep: fn() must not call evil_try() again.
 */
	.globl evil_try
evil_try:
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	pushfq
	movq %rsp, (%rdi)
	movq %rdi, %rbx
	movq %rdx, %rdi
	call *%rsi
	xorl %eax, %eax
evil_try_out:
	popfq
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	ret

/* The stubs: EVIL_STUB_SIZE apart. */
	.balign 16
	.globl evil_stubs
evil_stubs:
	.set vector, 0
	.rept 256
	.balign 16
	movl $vector + 1, %eax
	jmp evil_recover
	.set vector, vector + 1
	.endr

evil_recover:
	movq %rsp, %rdx
	andq $-8192, %rdx
	incq 8(%rdx)			/* evil_cpu.exceptions */
	movq (%rdx), %rsp		/* evil_cpu.recovery */
	cld
	jmp evil_try_out

	.section .bss.boot_stacks, "aw", @nobits
	.balign 4096
	.globl boot_stacks
boot_stacks:
	.skip STACK_SIZE * CPUS_MAX

	.section .note.GNU-stack, "", @progbits
