/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets flags by POPF and IRET: IOPL, interrupts, NT, VM, AC, RF, VIF; then lets the kernel run with AC, DF, TF and NT set.
 * Stopped by: ring 3 cannot set the first; the kernel clears the others when it is entered.
 * Escape-Expect: stopped: IOPL stays 0
 * Escape-Expect: stopped: interrupts stay on
 * Escape-Expect: stopped: VM, VIF and VIP stay 0
 * Escape-Expect: stopped: a system call with AC set does not reach the arena
 * Escape-Expect: stopped: a system call with DF set copies forwards
 * Escape-Expect: stopped: a system call with NT set comes back
 */
#include "escape/escape.h"

static uint64_t flags_after(uint64_t set)
{
	uint64_t flags;

	__asm__ volatile(
		"sub $128, %%rsp; push %1; popfq; pushfq; pop %0; pushq $0x202; popfq; add $128, %%rsp"
		: "=&r"(flags)
		: "r"(set)
		: "memory", "cc");
	return flags;
}

/* A system call that copies a structure out, with these flags set when it starts. */
static long call_with(uint64_t set, void *to)
{
	long r;

	__asm__ volatile(
		"sub $128, %%rsp; push %3; popfq; syscall; pushq $0x202; popfq; add $128, %%rsp"
		: "=a"(r)
		: "0"((long)SYS_uname), "D"(to), "r"(set)
		: "rcx", "r11", "memory", "cc");
	return r;
}

void attempt(void)
{
	struct utsname u = { 0 };
	uint64_t flags = flags_after(0x202 | 0x3000);

	if (flags & 0x3000)
		escaped("IOPL is %#" PRIx64, flags);
	stopped("IOPL stays 0");
	flags = flags_after(0x2);
	if (!(flags & 0x200))
		escaped("interrupts are off");
	stopped("interrupts stay on");
	if (flags_after(0x202 | 0x20000 | 0x80000 | 0x100000) & 0x1a0000)
		escaped("VM, VIF or VIP is set");
	stopped("VM, VIF and VIP stay 0");
	/* In the kernel, AC would lift SMAP, DF would turn copies round, NT would make IRET fail. */
	CHECK_EQ(call_with(0x202 | 0x40000, (void *)(ARENA + 0x1000)), -EFAULT);
	stopped("a system call with AC set does not reach the arena");
	CHECK_EQ(call_with(0x202 | 0x400, &u), 0);
	CHECK(strcmp(u.nodename, "ringfence") == 0);
	stopped("a system call with DF set copies forwards");
	CHECK_EQ(call_with(0x202 | 0x4000, &u), 0);
	stopped("a system call with NT set comes back");
}
