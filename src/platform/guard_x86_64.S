/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accesses to memory that may vanish: functions whose one dangerous instruction may raise SIGBUS, after which
 * they return what they managed. guard.c moves the thread from the instruction to its fixup.
 *
 * At entry: SysV calling convention, any thread, any stack. At the dangerous instruction nothing is on the stack but
 * the return address, so that the fixup may simply return. DF is clear throughout.
 *
 * Section rf_guard holds pairs of addresses: instruction, fixup.
 */
	.text

	.macro GUARD instruction fixup
	.pushsection rf_guard, "aw", @progbits
	.balign 8
	.quad \instruction, \fixup
	.popsection
	.endm

	.macro FUNCTION name
	.globl	\name
	.hidden	\name
	.type	\name, @function
	.balign	16
\name:
	.endm

/* size_t guard_copy(void *dst, const void *src, size_t n): bytes that were not copied. */
FUNCTION guard_copy
	mov	%rdx, %rcx
1:	rep movsb
2:	mov	%rcx, %rax
	ret
	GUARD	1b, 2b
	.size	guard_copy, . - guard_copy

/* size_t guard_zero(void *dst, size_t n): bytes that were not zeroed. */
FUNCTION guard_zero
	mov	%rsi, %rcx
	xor	%eax, %eax
1:	rep stosb
2:	mov	%rcx, %rax
	ret
	GUARD	1b, 2b
	.size	guard_zero, . - guard_zero

/* bool guard_load_u32(const u32 *p, u32 *ret): false if there is nothing. */
FUNCTION guard_load_u32
1:	mov	(%rdi), %eax
	mov	%eax, (%rsi)
	mov	$1, %eax
	ret
	GUARD	1b, guard_nothing
	.size	guard_load_u32, . - guard_load_u32

/* bool guard_swap_u32(u32 *p, u32 value, u32 *ret_old) */
FUNCTION guard_swap_u32
1:	xchg	%esi, (%rdi)
	mov	%esi, (%rdx)
	mov	$1, %eax
	ret
	GUARD	1b, guard_nothing
	.size	guard_swap_u32, . - guard_swap_u32

/* bool guard_cas_u32(u32 *p, u32 old, u32 value, u32 *ret_old) */
FUNCTION guard_cas_u32
	mov	%esi, %eax
1:	lock cmpxchg %edx, (%rdi)
	mov	%eax, (%rcx)
	mov	$1, %eax
	ret
	GUARD	1b, guard_nothing
	.size	guard_cas_u32, . - guard_cas_u32

	.type	guard_nothing, @function
guard_nothing:
	xor	%eax, %eax
	ret
	.size	guard_nothing, . - guard_nothing

	.section .note.GNU-stack, "", @progbits
