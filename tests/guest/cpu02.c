/* SPDX-License-Identifier: Apache-2.0 */
/* A system call changes RAX, RCX and R11 and nothing else; flags come back; unknown numbers are ENOSYS. */
#include "guest/guest.h"

/* Registers after a call whose registers before were 0x1000 plus their place here. */
struct registers {
	unsigned long rbx, rdi, rsi, rdx, r8, r9, r10, r12, r13, r14, r15, flags;
};

long call_with_marks(long number, struct registers *after);
__asm__(".globl call_with_marks\n"
	"call_with_marks:\n"
	"	push %rbx; push %r12; push %r13; push %r14; push %r15; push %rsi\n"
	"	mov %rdi, %rax\n"
	"	mov $0x1000, %rbx; mov $0x1001, %rdi; mov $0x1002, %rsi; mov $0x1003, %rdx; mov $0x1004, %r8\n"
	"	mov $0x1005, %r9; mov $0x1006, %r10; mov $0x1007, %r12; mov $0x1008, %r13; mov $0x1009, %r14\n"
	"	mov $0x100a, %r15\n"
	"	std; stc\n"
	"	syscall\n"
	"	pushf; pop %rcx\n"
	"	cld\n"
	"	pop %r11\n"
	"	mov %rbx, (%r11); mov %rdi, 8(%r11); mov %rsi, 16(%r11); mov %rdx, 24(%r11); mov %r8, 32(%r11)\n"
	"	mov %r9, 40(%r11); mov %r10, 48(%r11); mov %r12, 56(%r11); mov %r13, 64(%r11); mov %r14, 72(%r11)\n"
	"	mov %r15, 80(%r11); mov %rcx, 88(%r11)\n"
	"	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbx\n"
	"	ret\n");

static long call_checked(long number)
{
	struct registers after;
	long result = call_with_marks(number, &after);

	for (unsigned long i = 0; i < 11; i++)
		CHECK_EQ(((unsigned long *)&after)[i], 0x1000 + i);
	CHECK_EQ(after.flags & 0x401, 0x401); /* direction, carry */
	return result;
}

int main(void)
{
	static const long unknown[] = { -1, 500, 100000, 0x7fffffff };

	CHECK_EQ(call_checked(SYS_getpid), getpid());
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		CHECK_EQ(call_checked(unknown[i]), -ENOSYS);
		FAILS(syscall(unknown[i]), ENOSYS);
	}
	say("ok\n");
	return 0;
}
