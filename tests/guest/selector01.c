/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Segment selectors that a program loads: the bases stay right and nothing breaks. Bad ones fault.
 * Ringfence-Options: --cpus 1
 */
#include <asm/prctl.h>
#include <ucontext.h>

#include "guest/guest.h"

#define USER_SS 0x2bu

static unsigned long gs_base(void)
{
	unsigned long base = 0;

	OK(syscall(SYS_arch_prctl, ARCH_GET_GS, &base));
	return base;
}

/* Loads DS, ES and GS, and FS with its base put back before anybody uses it. */
static void load_selectors(void)
{
	unsigned long fs = 0;
	long r;

	OK(syscall(SYS_arch_prctl, ARCH_GET_FS, &fs));
	__asm__ volatile("movl %[sel], %%ds\n\t"
			 "movl %[sel], %%es\n\t"
			 "movl %[sel], %%gs\n\t"
			 "movl %[sel], %%fs\n\t"
			 "syscall"
			 : "=a"(r)
			 : [sel] "r"(USER_SS), "a"((long)SYS_arch_prctl), "D"((long)ARCH_SET_FS),
			   "S"(fs)
			 : "rcx", "r11", "memory");
	CHECK_EQ(r, 0);
}

/* Each of them, and what follows from the loaded GS. */
static void spoil(int rounds)
{
	static unsigned long here = 0x1122334455667788;
	unsigned long v;

	for (int i = 0; i < rounds; i++) {
		OK(syscall(SYS_arch_prctl, ARCH_SET_GS, &here));
		CHECK_EQ(gs_base(), (unsigned long)&here);
		load_selectors();
		CHECK_EQ(gs_base(), 0);
		sched_yield();
		CHECK_EQ(gs_base(), 0);
		OK(syscall(SYS_arch_prctl, ARCH_SET_GS, &here));
		sched_yield();
		__asm__ volatile("movq %%gs:0, %0" : "=r"(v));
		CHECK_EQ(v, here);
		load_selectors();
		sched_yield();
	}
}

static volatile int bad_loads;

static void on_fault(int sig, siginfo_t *info, void *context)
{
	bad_loads++;
	/* MOV to a segment register from EAX: two bytes. */
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += 2;
}

static void refuse_bad_selectors(void)
{
	/* Kernel segments, beyond the table, in a local table. */
	static const unsigned bad[] = { 0x10, 0x18, 0x38, 0xfff8, 0x0c };
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };

	OK(sigaction(SIGSEGV, &action, NULL));
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		__asm__ volatile("movl %%eax, %%es" : : "a"(bad[i]) : "memory");
		CHECK_EQ(bad_loads, i + 1);
	}
}

int main(void)
{
	int status;
	pid_t child;

	refuse_bad_selectors();
	child = OK(fork());
	spoil(100);
	if (child == 0)
		_exit(0);
	OK(waitpid(child, &status, 0));
	CHECK_EQ(status, 0);
	say("ok\n");
	return 0;
}
