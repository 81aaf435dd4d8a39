/* SPDX-License-Identifier: Apache-2.0 */
/*
 * entry.S: into user mode and back, residency guest. GS: the kernel runs with GS base = struct cpu and keeps the user's in
 * MSR_KERNEL_GS_BASE; SWAPGS on every crossing. IF = 0 throughout ring 0; user code runs with IF = 1.
 *
 * The bad window: between SWAPGS and SYSRET/IRETQ, and from an entry to its SWAPGS, ring 0 runs with the user's GS. Nothing there may
 * fault: RIP, FS and GS bases, RFLAGS, CS and SS are made safe by user_regs_sanitise() before, and what is touched (text, struct
 * cpu, struct task, GDT, TSS, entry stack) is always mapped. Vectors that can arrive there all the same (#DB, NMI, #DF, #MC) have
 * stacks of their own and never trust GS when they come from ring 0.
 */
#include "kernel/arch/asm_offsets.h"

	.section .text.hot, "ax", @progbits
	.balign 64

/*
 * switch_to_user: u64 switch_to_user(struct rf_regs *regs)
 *
 * In:	ring 0, GS = struct cpu, IF = 0; RDI = regs, sanitised: RIP below the user limit, CS and SS the user's, RFLAGS within
 *	the user's bits with IF set, FS and GS bases canonical; CR3 = the task's root; FPU state loaded.
 * Out:	as at the entry, once user code has trapped: RAX = USER_EXIT_*; *regs = the user's registers, ORIG_RAX included;
 *	for USER_EXIT_EXCEPTION cpu->trap_vector, trap_error, trap_cr2.
 * Stack while user code runs (cpu->kernel_rsp): r15 r14 r13 r12 rbp rbx return-address
 */
	.globl switch_to_user
	.type switch_to_user, @function
switch_to_user:
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, %gs:CPU_KERNEL_RSP
	movq %rdi, %gs:CPU_USER_REGS
	cmpb $0, cpu_has_fsgsbase(%rip)
	je .Lbases_by_msr
	movq REGS_FS_BASE(%rdi), %rax
	wrfsbase %rax
	movq REGS_GS_BASE(%rdi), %rax
	swapgs
	wrgsbase %rax
.Lbases_loaded:
	movq REGS_RIP(%rdi), %rcx
	movq REGS_RFLAGS(%rdi), %r11
	movq REGS_R15(%rdi), %r15
	movq REGS_R14(%rdi), %r14
	movq REGS_R13(%rdi), %r13
	movq REGS_R12(%rdi), %r12
	movq REGS_RBP(%rdi), %rbp
	movq REGS_RBX(%rdi), %rbx
	/* SYSRET loads RIP and RFLAGS from RCX and R11 and ignores RF; it must not be given TF (SDM vol. 2B, "SYSRET"). */
	cmpq %rcx, REGS_RCX(%rdi)
	jne .Lleave_by_iret
	cmpq %r11, REGS_R11(%rdi)
	jne .Lleave_by_iret
	testl $(RFLAGS_TF | RFLAGS_RF), %r11d
	jnz .Lleave_by_iret
	/*
	 * On Intel SYSRET to a non-canonical RIP faults in ring 0 on the user's stack. The limit is RF_MAX_USER_ADDRESS = 0x3f << 41.
	 */
	movq %rcx, %rax
	shrq $41, %rax
	cmpq $0x3f, %rax
	jae .Lleave_by_iret
	movq REGS_R10(%rdi), %r10
	movq REGS_R9(%rdi), %r9
	movq REGS_R8(%rdi), %r8
	movq REGS_RAX(%rdi), %rax
	movq REGS_RDX(%rdi), %rdx
	movq REGS_RSI(%rdi), %rsi
	movq REGS_RSP(%rdi), %rsp
	movq REGS_RDI(%rdi), %rdi
	sysretq

.Lleave_by_iret:
	/* RIP, CS, RFLAGS, RSP, SS lie in struct rf_regs as IRETQ pops them. */
	leaq REGS_RIP(%rdi), %rsp
	movq REGS_R11(%rdi), %r11
	movq REGS_R10(%rdi), %r10
	movq REGS_R9(%rdi), %r9
	movq REGS_R8(%rdi), %r8
	movq REGS_RAX(%rdi), %rax
	movq REGS_RCX(%rdi), %rcx
	movq REGS_RDX(%rdi), %rdx
	movq REGS_RSI(%rdi), %rsi
	movq REGS_RDI(%rdi), %rdi
	.globl iret_to_user
iret_to_user:
	iretq

.Lbases_by_msr:
	movl REGS_FS_BASE(%rdi), %eax
	movl REGS_FS_BASE + 4(%rdi), %edx
	movl $MSR_FS_BASE, %ecx
	wrmsr
	movl REGS_GS_BASE(%rdi), %eax
	movl REGS_GS_BASE + 4(%rdi), %edx
	movl $MSR_KERNEL_GS_BASE, %ecx
	wrmsr
	swapgs
	jmp .Lbases_loaded
	.size switch_to_user, . - switch_to_user

/*
 * entry_syscall: LSTAR.
 *
 * In:	SYSCALL in ring 3: RCX = user RIP, R11 = user RFLAGS, RFLAGS masked by SFMASK (IF, TF, DF, AC, NT, IOPL, RF clear), RSP and GS
 *	the user's, everything else the user's.
 * Out:	returns from switch_to_user() with USER_EXIT_SYSCALL.
 * A quick call is answered here and goes back by SYSRET.
 * No branch depends on anything before the SWAPGS, so there is no wrong path with the user's GS to fence off. RSP holds the address
 * of the register block for a while: no stack is used until the kernel's is loaded, and no vector uses it (IST above).
 */
	.globl entry_syscall
	.type entry_syscall, @function
entry_syscall:
	swapgs
	movq %rsp, %gs:CPU_USER_RSP
	/* A quick call (sys/quick.c)? RSP is the only free register. The mask holds wrong paths inside the table. */
	cmpl %gs:CPU_QUICK_LIMIT, %eax
	jae .Lsyscall_full
	movl %eax, %esp
	andl $(QUICK_SIZE - 1), %esp
	shll $3, %esp
	addq %gs:CPU_QUICK_CALLS, %rsp
	movq (%rsp), %rsp
	testq %rsp, %rsp
	jz .Lsyscall_full
	testl $(RFLAGS_TF | RFLAGS_RF), %r11d	/* not for SYSRET, see switch_to_user */
	jnz .Lsyscall_full
	movq %rsp, %gs:CPU_QUICK_CALL
	movq %gs:CPU_KERNEL_RSP, %rsp
	call *%gs:CPU_QUICK_CALL
	/*
	 * RIP needs no check: SYSCALL left it at most at the user limit, which is canonical. RFLAGS are those that user code ran with.
	 */
	movq %gs:CPU_USER_RSP, %rsp
	swapgs
	sysretq

.Lsyscall_full:
	movq %gs:CPU_USER_REGS, %rsp
	movq %r15, REGS_R15(%rsp)
	movq %r14, REGS_R14(%rsp)
	movq %r13, REGS_R13(%rsp)
	movq %r12, REGS_R12(%rsp)
	movq %rbp, REGS_RBP(%rsp)
	movq %rbx, REGS_RBX(%rsp)
	movq %r11, REGS_R11(%rsp)
	movq %r11, REGS_RFLAGS(%rsp)
	movq %r10, REGS_R10(%rsp)
	movq %r9, REGS_R9(%rsp)
	movq %r8, REGS_R8(%rsp)
	movq %rax, REGS_RAX(%rsp)
	movq %rax, REGS_ORIG_RAX(%rsp)
	movq %rcx, REGS_RCX(%rsp)
	movq %rcx, REGS_RIP(%rsp)
	movq %rdx, REGS_RDX(%rsp)
	movq %rsi, REGS_RSI(%rsp)
	movq %rdi, REGS_RDI(%rsp)
	movq %gs:CPU_USER_RSP, %rax
	movq %rax, REGS_RSP(%rsp)
	/* The program may have changed both bases itself (WRFSBASE, segment loads). CS and SS are still what we entered with. */
	cmpb $0, cpu_has_fsgsbase(%rip)
	je .Lsyscall_bases_by_msr
	rdfsbase %rax
	movq %rax, REGS_FS_BASE(%rsp)
	swapgs
	rdgsbase %rax
	swapgs
	movq %rax, REGS_GS_BASE(%rsp)
.Lsyscall_bases_stored:
	movq %gs:CPU_KERNEL_RSP, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	xorl %eax, %eax		/* USER_EXIT_SYSCALL */
	ret

.Lsyscall_bases_by_msr:
	movl $MSR_FS_BASE, %ecx
	rdmsr
	movl %eax, REGS_FS_BASE(%rsp)
	movl %edx, REGS_FS_BASE + 4(%rsp)
	movl $MSR_KERNEL_GS_BASE, %ecx
	rdmsr
	movl %eax, REGS_GS_BASE(%rsp)
	movl %edx, REGS_GS_BASE + 4(%rsp)
	jmp .Lsyscall_bases_stored
	.size entry_syscall, . - entry_syscall

/*
 * Exception stubs. In: an interrupt gate, IF = 0, other flags as they were; the frame on TSS.RSP0 (from ring 3), the current stack (ring 0)
 * or an IST stack. After the stub the stack is
 *
 *	RSP ->	vector, error code (0 where the CPU pushes none), RIP, CS, RFLAGS, RSP, SS
 */
	.macro STUB vector, has_error
	.balign 16
stub_\vector:
	.if !\has_error
	pushq $0
	.endif
	pushq $\vector
	.if \vector == 1 || \vector == 2 || \vector == 8 || \vector == 18
	jmp exception_paranoid
	.else
	jmp exception_common
	.endif
	.endm

	.altmacro
	.macro STUB_N n
	.if \n == 8 || (\n >= 10 && \n <= 14) || \n == 17 || \n == 21 || \n == 29 || \n == 30
	STUB \n, 1
	.else
	STUB \n, 0
	.endif
	.endm
	.set i, 0
	.rept VECTORS
	STUB_N %i
	.set i, i + 1
	.endr

	.macro STUB_ADDR n
	.quad stub_\n
	.endm
	.section .rodata
	.balign 8
	.globl exception_stubs
exception_stubs:
	.set i, 0
	.rept VECTORS
	STUB_ADDR %i
	.set i, i + 1
	.endr
	.noaltmacro
	.section .text.hot, "ax", @progbits

/*
 * exception_common: all vectors but the paranoid ones.
 *
 * In:	the stub's stack.  Out from ring 3: returns from switch_to_user() with USER_EXIT_EXCEPTION.
 *	Out from ring 0: exception_kernel(frame) and IRETQ.
 */
	.type exception_common, @function
exception_common:
	testb $3, 24(%rsp)
	jz exception_from_kernel
exception_from_user:
	swapgs
	/* A mispredicted branch above must not run on with the user's GS as the kernel's (CVE-2019-1125). */
	lfence
	pushq %rdi
	movq %gs:CPU_USER_REGS, %rdi
	movq %r15, REGS_R15(%rdi)
	movq %r14, REGS_R14(%rdi)
	movq %r13, REGS_R13(%rdi)
	movq %r12, REGS_R12(%rdi)
	movq %rbp, REGS_RBP(%rdi)
	movq %rbx, REGS_RBX(%rdi)
	movq %r11, REGS_R11(%rdi)
	movq %r10, REGS_R10(%rdi)
	movq %r9, REGS_R9(%rdi)
	movq %r8, REGS_R8(%rdi)
	movq %rax, REGS_RAX(%rdi)
	movq %rcx, REGS_RCX(%rdi)
	movq %rdx, REGS_RDX(%rdi)
	movq %rsi, REGS_RSI(%rdi)
	popq REGS_RDI(%rdi)
	popq %gs:CPU_TRAP_VECTOR
	popq %gs:CPU_TRAP_ERROR
	popq REGS_RIP(%rdi)
	popq REGS_CS(%rdi)
	popq REGS_RFLAGS(%rdi)
	popq REGS_RSP(%rdi)
	popq REGS_SS(%rdi)
	movq $-1, REGS_ORIG_RAX(%rdi)
	movq %cr2, %rax
	movq %rax, %gs:CPU_TRAP_CR2
	cmpb $0, cpu_has_fsgsbase(%rip)
	je .Lexception_bases_by_msr
	rdfsbase %rax
	movq %rax, REGS_FS_BASE(%rdi)
	swapgs
	rdgsbase %rax
	swapgs
	movq %rax, REGS_GS_BASE(%rdi)
.Lexception_bases_stored:
	movq %gs:CPU_KERNEL_RSP, %rsp
	/* A gate leaves DF, AC, NT and TF's companions as the program had them. */
	pushq $2
	popfq
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	movl $USER_EXIT_EXCEPTION, %eax
	ret

.Lexception_bases_by_msr:
	movl $MSR_FS_BASE, %ecx
	rdmsr
	movl %eax, REGS_FS_BASE(%rdi)
	movl %edx, REGS_FS_BASE + 4(%rdi)
	movl $MSR_KERNEL_GS_BASE, %ecx
	rdmsr
	movl %eax, REGS_GS_BASE(%rdi)
	movl %edx, REGS_GS_BASE + 4(%rdi)
	jmp .Lexception_bases_stored

exception_from_kernel:
	lfence
	call push_kernel_frame
	movq %rsp, %rdi
	movq %rsp, %rbx
	pushq $2
	popfq
	andq $-16, %rsp
	call exception_kernel
	movq %rbx, %rsp
	jmp pop_kernel_frame
	.size exception_common, . - exception_common

/*
 * exception_paranoid: #DB, NMI, #DF, #MC, each on an IST stack whose last word is the CPU's struct cpu.
 *
 * From ring 3 they are exceptions like others (an NMI ends as an interrupt). From ring 0 GS may be the user's: #DB and NMI return to where
 * they came from without looking at GS, #DB with TF cleared; #DF and #MC load GS from the stack's last word and panic.
 */
	.type exception_paranoid, @function
exception_paranoid:
	testb $3, 24(%rsp)
	jnz exception_from_user
	cmpq $2, (%rsp)
	ja 1f
	andq $~RFLAGS_TF, 32(%rsp)
	addq $16, %rsp
	iretq
1:	call push_kernel_frame
	movq %rsp, %rdi
	movq %rsp, %rax
	orq $0xfff, %rax
	movq -7(%rax), %rax
	movq %rax, %rdx
	shrq $32, %rdx
	movl $MSR_GS_BASE, %ecx
	wrmsr
	andq $-16, %rsp
	call exception_fatal
	ud2
	.size exception_paranoid, . - exception_paranoid

/*
 * push_kernel_frame: builds struct kernel_frame below the stub's stack. In: RSP -> return address, vector, error code, ….
 * Out: RSP -> r15 … rdi, vector, error code, …; all registers kept but R15, which is in the frame.
 */
	.type push_kernel_frame, @function
push_kernel_frame:
	xchgq %rdi, (%rsp)	/* the return address goes to RDI, RDI to its place in the frame */
	pushq %rsi
	pushq %rdx
	pushq %rcx
	pushq %rax
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	jmp *%rdi
	.size push_kernel_frame, . - push_kernel_frame

	.type pop_kernel_frame, @function
pop_kernel_frame:
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rax
	popq %rcx
	popq %rdx
	popq %rsi
	popq %rdi
	addq $16, %rsp
	iretq
	.size pop_kernel_frame, . - pop_kernel_frame

	.section .note.GNU-stack, "", @progbits
