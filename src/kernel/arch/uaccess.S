/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uaccess.S: the instructions that touch user memory directly (residency guest).
 *
 * In and out of each: ring 0, System V call, DF = 0, EFLAGS.AC = 0 (set in between where there is SMAP). A fault on an instruction that is
 * listed in __ex_table continues at its second address with the registers of the fault; AC as it was.
 */
	.section .text.hot, "ax", @progbits

	.macro USER_BEGIN
	cmpb $0, cpu_has_smap(%rip)
	je 10f
	stac
10:
	.endm
	.macro USER_END
	cmpb $0, cpu_has_smap(%rip)
	je 11f
	clac
11:
	.endm
	.macro EX from, to
	.pushsection __ex_table, "a"
	.balign 8
	.quad \from, \to
	.popsection
	.endm

/* size_t user_copy(void *dst, const void *src, size_t n): returns the bytes not copied, exact to the byte. */
	.globl user_copy
	.type user_copy, @function
user_copy:
	USER_BEGIN
	movq %rdx, %rcx
	shrq $3, %rcx
	andl $7, %edx
1:	rep movsq
	movl %edx, %ecx
2:	rep movsb
3:	USER_END
	movq %rcx, %rax
	ret
	/* A word may straddle the last good byte: finish byte by byte up to it. */
4:	leaq (%rdx, %rcx, 8), %rcx
	jmp 2b
	EX 1b, 4b
	EX 2b, 3b
	.size user_copy, . - user_copy

/* size_t user_zero(void *dst, size_t n): returns the bytes not zeroed. */
	.globl user_zero
	.type user_zero, @function
user_zero:
	USER_BEGIN
	xorl %eax, %eax
	movq %rsi, %rcx
	shrq $3, %rcx
	andl $7, %esi
1:	rep stosq
	movl %esi, %ecx
2:	rep stosb
3:	USER_END
	movq %rcx, %rax
	ret
4:	leaq (%rsi, %rcx, 8), %rcx
	jmp 2b
	EX 1b, 4b
	EX 2b, 3b
	.size user_zero, . - user_zero

/* int user_cas_u32(u32 *addr, u32 old, u32 new, u32 *ret_old): 0, or -EFAULT (-14). */
	.globl user_cas_u32
	.type user_cas_u32, @function
user_cas_u32:
	movq %rcx, %r8
	USER_BEGIN
	movl %esi, %eax
1:	lock cmpxchgl %edx, (%rdi)
	movl %eax, (%r8)
	xorl %eax, %eax
2:	USER_END
	ret
3:	movl $-14, %eax
	jmp 2b
	EX 1b, 3b
	.size user_cas_u32, . - user_cas_u32

	.section .note.GNU-stack, "", @progbits
