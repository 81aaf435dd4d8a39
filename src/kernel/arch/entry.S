/* SPDX-License-Identifier: Apache-2.0 */
/*
 * entry.S: into user mode and back, residency guest. GS: the kernel runs with GS base = struct cpu and keeps the user's in
 * MSR_KERNEL_GS_BASE; SWAPGS on every crossing. IF = 0 throughout ring 0; user code runs with IF = 1. With KPTI (platform/kpti.h)
 * CR3 is switched on every crossing too, after the SWAPGS in and before the SWAPGS out.
 *
 * The window: ring 0 with the user's GS, RSP or CR3: from an entry to the load of the kernel's stack, and from the load of the
 * user's CR3 or RSP to SYSRET or IRETQ. All of it is in this file's section, which user roots map. No instruction in it may fault:
 *
 *	instruction			could fault if				and does not, because
 *	SWAPGS, LFENCE			never at CPL 0				-
 *	MOV %gs:cpu_entry_offset+…	GS base wrong, page absent		it follows a SWAPGS; mapped in both roots, never unmapped
 *	MOV to CR3			reserved bits; PCID bits without PCIDE	values are made in guest_roots.c from frames and PCIDs alone
 *	MOV between registers, CMP, Jcc	never (the text is mapped in both roots)	-
 *	PUSH, POP, CPU's own pushes	stack absent, user's RSP		only on the entry and IST stacks, mapped in both roots
 *	CALL quick call, its loads	RSP, table or function wrong		behind the switch to the kernel's CR3 and stack: not in the window
 *	MOV to a segment register	selector wrong				null only
 *	WRGSBASE, WRFSBASE, WRMSR	base not canonical (#GP)		user_regs_sanitise() checked both
 *	SYSRETQ				RCX not canonical (#GP on Intel)	RIP < RF_MAX_USER_ADDRESS is checked right before the full exit;
 *									in a quick call RCX is what SYSCALL put there
 *	IRETQ				CS, SS, RFLAGS.NT, RIP (#GP)		selectors and flags are constants by user_regs_sanitise(),
 *									RIP below the user limit is canonical; RSP may be anything (APM vol. 2 §8.9)
 *	any instruction			TF, data breakpoints (#DB)		SFMASK and gates clear TF; DR7 is 0, user code cannot write it. What
 *									MOV SS holds back over SYSCALL or INT3 arrives on an IST stack
 *
 * What can arrive in the window all the same (#DB, NMI, #MC, and #DF if the above is wrong) has IST stacks, and is judged by the saved CS
 * and RIP alone, never by GS: see exception_paranoid. Any other vector with a RIP in this section is a bug of ours: exception_lost.
 */
#include "kernel/arch/asm_offsets.h"
#include "kernel/arch/speculation.h"

	/* Own pages: kernel.ld. */
	.section .entry.text, "ax", @progbits
	.balign 64

#define GS_ENTRY(field) %gs:cpu_entry_offset + field

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
	swapgs
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
	jne exit_by_iret
	cmpq %r11, REGS_R11(%rdi)
	jne exit_by_iret
	testl $(RFLAGS_TF | RFLAGS_RF), %r11d
	jnz exit_by_iret
	/*
	 * On Intel SYSRET to a non-canonical RIP faults in ring 0 on the user's stack. The limit is RF_MAX_USER_ADDRESS = 0x3f << 41.
	 */
	movq %rcx, %rax
	shrq $41, %rax
	cmpq $0x3f, %rax
	jae exit_by_iret
	movq REGS_RSP(%rdi), %rax
	movq %rax, GS_ENTRY(ENTRY_USER_RSP)
	movq REGS_R10(%rdi), %r10
	movq REGS_R9(%rdi), %r9
	movq REGS_R8(%rdi), %r8
	movq REGS_RAX(%rdi), %rax
	movq REGS_RDX(%rdi), %rdx
	movq REGS_RSI(%rdi), %rsi
	movq REGS_RDI(%rdi), %rdi
	/* on */

/*
 * exit_by_sysret: one of the two ways out.
 *
 * In:	GS = struct cpu, the kernel's CR3; all registers but RSP the user's, RCX and R11 as SYSRET takes them; ENTRY_USER_RSP set.
 */
exit_by_sysret:
	CLEAR_BUFFERS
	cmpq $0, GS_ENTRY(ENTRY_USER_CR3)
	jne .Lexit_cr3
.Lexit_rsp:
	movq GS_ENTRY(ENTRY_USER_RSP), %rsp
	swapgs
	sysretq
.Lexit_cr3:
	movq GS_ENTRY(ENTRY_USER_CR3), %rsp
	movq %rsp, %cr3
	jmp .Lexit_rsp

/*
 * exit_by_iret: the other way out: for all that SYSRET can't do.
 *
 * In:	GS = struct cpu, the kernel's CR3; RDI = regs; RBX, RBP, R12 to R15 the user's. The frame goes to the entry stack, as
 *	the user's root doesn't map *regs.
 */
exit_by_iret:
	CLEAR_BUFFERS
	movq GS_ENTRY(ENTRY_STACK_TOP), %rsp
	pushq REGS_SS(%rdi)
	pushq REGS_RSP(%rdi)
	pushq REGS_RFLAGS(%rdi)
	pushq REGS_CS(%rdi)
	pushq REGS_RIP(%rdi)
	movq REGS_R11(%rdi), %r11
	movq REGS_R10(%rdi), %r10
	movq REGS_R9(%rdi), %r9
	movq REGS_R8(%rdi), %r8
	pushq REGS_RAX(%rdi)
	movq REGS_RCX(%rdi), %rcx
	movq REGS_RDX(%rdi), %rdx
	movq REGS_RSI(%rdi), %rsi
	movq REGS_RDI(%rdi), %rdi
	movq GS_ENTRY(ENTRY_USER_CR3), %rax
	testq %rax, %rax
	jz 1f
	movq %rax, %cr3
1:	popq %rax
	swapgs
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
	jmp .Lbases_loaded
	.size switch_to_user, . - switch_to_user

/*
 * user_selectors_reset: void user_selectors_reset(void)
 *
 * In:	ring 0, GS = struct cpu, the user's GS base in MSR_KERNEL_GS_BASE.
 * Out:	DS, ES, FS and GS are null; the bases of FS and the user's GS are undefined (a null selector clears them on Intel and
 *	not on AMD: APM vol. 3, "MOV"), for switch_to_user() to load.
 */
	.globl user_selectors_reset
	.type user_selectors_reset, @function
user_selectors_reset:
	xorl %eax, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %fs
	swapgs
	movl %eax, %gs
	swapgs
	ret
	.size user_selectors_reset, . - user_selectors_reset

/*
 * entry_syscall, entry_syscall_kpti: LSTAR.
 *
 * In:	SYSCALL in ring 3: RCX = user RIP, R11 = user RFLAGS, RFLAGS masked by SFMASK (IF, TF, DF, AC, NT, IOPL, RF clear), RSP, GS
 *	and (KPTI) CR3 the user's, everything else the user's.
 * Out:	returns from switch_to_user() with USER_EXIT_SYSCALL.
 * A quick call is answered here and goes back by SYSRET.
 * No branch depends on anything before the SWAPGS, so there is no wrong path with the user's GS to fence off. RSP holds the address
 * of the register block for a while: no stack is used until the kernel's is loaded, and no vector uses it (IST above).
 */
	.globl entry_syscall_kpti
	.type entry_syscall_kpti, @function
	.balign 64
entry_syscall_kpti:
	swapgs
	movq %rsp, GS_ENTRY(ENTRY_USER_RSP)
	movq GS_ENTRY(ENTRY_KERNEL_CR3), %rsp
	movq %rsp, %cr3
	jmp .Lsyscall_entered
	.size entry_syscall_kpti, . - entry_syscall_kpti

	.globl entry_syscall
	.type entry_syscall, @function
	.balign 64
entry_syscall:
	swapgs
	movq %rsp, GS_ENTRY(ENTRY_USER_RSP)
.Lsyscall_entered:
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
	call quick_call_thunk	/* target: %gs:CPU_QUICK_CALL */
	/*
	 * RIP needs no check: SYSCALL left it at most at the user limit, which is canonical. RFLAGS are those that user code ran with.
	 */
	jmp exit_by_sysret

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
	movq GS_ENTRY(ENTRY_USER_RSP), %rax
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
	FILL_RSB cpu_fills_rsb_entry
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
	.section .entry.text, "ax", @progbits

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
	movq GS_ENTRY(ENTRY_KERNEL_CR3), %rdi
	testq %rdi, %rdi
	jz 1f
	movq %rdi, %cr3
1:	movq %gs:CPU_USER_REGS, %rdi
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
	cmpq $2, %gs:CPU_TRAP_VECTOR
	je .Lnmi_unblock
.Lnmi_unblocked:
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	FILL_RSB cpu_fills_rsb_entry
	movl $USER_EXIT_EXCEPTION, %eax
	ret

	/*
	 * NMIs stay blocked until the next IRET (SDM vol. 3A §6.7.1 "Handling Multiple NMIs"), and user code may go on, this task's or
	 * another's, by SYSRET. Nothing is left on the NMI stack, so this is the time.
	 */
.Lnmi_unblock:
	movq %rsp, %rax
	pushq $SEL_KERNEL_SS
	pushq %rax
	pushq $2
	pushq $SEL_KERNEL_CS
	leaq .Lnmi_unblocked(%rip), %rax
	pushq %rax
	iretq

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
	/* In this section? Then GS, stack and CR3 may be the user's. */
	pushq %rax
	leaq __entry_text_start(%rip), %rax
	negq %rax
	addq 24(%rsp), %rax
	cmpq $__entry_text_size, %rax
	popq %rax
	jb exception_lost
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
 * exception_paranoid: #DB, NMI, #DF, #MC, each on an IST stack.
 *
 * From ring 3 they are exceptions like others (an NMI ends as an interrupt, a #MC as SIGBUS), but for #DF, which the program can't be the
 * cause of. From ring 0 GS and CR3 may be the user's: #DB and NMI return to where they came from without a look at either, so both
 * are as they were, #DB with TF cleared; #DF and #MC are the end. #DB and NMI don't nest: nothing here can raise #DB, and NMIs
 * are blocked until the IRETQ.
 */
	.type exception_paranoid, @function
exception_paranoid:
	cmpq $8, (%rsp)
	je exception_lost
	testb $3, 24(%rsp)
	jnz exception_from_user
	cmpq $2, (%rsp)
	ja exception_lost
	andq $~RFLAGS_TF, 32(%rsp)
	addq $16, %rsp
	iretq
	.size exception_paranoid, . - exception_paranoid

/*
 * exception_lost: the end: nothing is known but the stub's stack. SGDT finds the CPU's own data: exception_fatal(frame).
 */
	.type exception_lost, @function
exception_lost:
	call push_kernel_frame
	movq %rsp, %rdi
	subq $16, %rsp
	sgdt 6(%rsp)
	movq 8(%rsp), %rax
	movq ARCH_GDT_TO_CPU(%rax), %rax
	movq cpu_entry_offset + ENTRY_KERNEL_CR3(%rax), %rdx
	testq %rdx, %rdx
	jz 1f
	movq %rdx, %cr3
1:	movq %rax, %rdx
	shrq $32, %rdx
	movl $MSR_GS_BASE, %ecx
	wrmsr
	pushq $2
	popfq
	andq $-16, %rsp
	call exception_fatal
	ud2
	.size exception_lost, . - exception_lost

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
	/* The return that the CPU predicts, from the place where it expects its address. */
	pushq %rdi
	ret
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
