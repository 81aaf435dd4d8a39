/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registers, flags and bases survive system calls, faults and signals while NMIs and kicks arrive in all of them.
 * Ringfence-Options: --cpus 2 --debug-inject=nmi:400 --debug-inject=kick:100
 */
#include <asm/prctl.h>
#include <pthread.h>

#include "guest/guest.h"

#define ROUNDS 2000

static volatile sig_atomic_t handled;

static void handler(int sig)
{
	handled++;
}

/* A system call with every register marked; all but RAX, RCX and R11 must come back. */
static long marked_call(long nr, long a, long b, unsigned long mark)
{
	unsigned long bad = 0;
	long ret;

	__asm__ volatile(
		"movq %[mark], %%r12\n\t"
		"leaq 1(%%r12), %%r13\n\t"
		"leaq 2(%%r12), %%r14\n\t"
		"leaq 3(%%r12), %%r15\n\t"
		"leaq 4(%%r12), %%r8\n\t"
		"leaq 5(%%r12), %%r9\n\t"
		"leaq 6(%%r12), %%r10\n\t"
		"movq %%r12, %%xmm7\n\t"
		"std\n\t"
		"cld\n\t"
		"stc\n\t"
		"syscall\n\t"
		"jc 1f\n\t"
		"orq $1, %[bad]\n"
		"1:\tsubq %%r12, %%r13\n\tsubq %%r12, %%r14\n\tsubq %%r12, %%r15\n\t"
		"subq %%r12, %%r8\n\tsubq %%r12, %%r9\n\tsubq %%r12, %%r10\n\t"
		"cmpq $1, %%r13\n\tjne 2f\n\tcmpq $2, %%r14\n\tjne 2f\n\tcmpq $3, %%r15\n\tjne 2f\n\t"
		"cmpq $4, %%r8\n\tjne 2f\n\tcmpq $5, %%r9\n\tjne 2f\n\tcmpq $6, %%r10\n\tjne 2f\n\t"
		"movq %%xmm7, %%r13\n\tcmpq %%r12, %%r13\n\tjne 2f\n\t"
		"cmpq %[mark], %%r12\n\tje 3f\n"
		"2:\torq $2, %[bad]\n"
		"3:"
		: "=a"(ret), [bad] "+b"(bad), "+D"(a), "+S"(b)
		: "a"(nr), [mark] "d"(mark)
		: "rcx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm7", "memory",
		  "cc");
	CHECK_EQ(bad, 0);
	return ret;
}

/* A page that is absent, written, and gone again: two exceptions and two system calls. */
static void touch_pages(unsigned long mark)
{
	volatile unsigned long *p = OK(
		mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	p[0] = mark;
	p[PAGE / sizeof(*p)] = ~mark;
	CHECK(p[0] == mark && p[PAGE / sizeof(*p)] == ~mark);
	OK(munmap((void *)p, 2 * PAGE));
}

static void *work(void *arg)
{
	unsigned long mark = (unsigned long)arg << 32, gs = 0;
	pid_t pid = getpid();

	OK(syscall(SYS_arch_prctl, ARCH_SET_GS, mark));
	for (unsigned long i = 0; i < ROUNDS; i++) {
		CHECK_EQ(marked_call(SYS_getpid, 1, 2, mark + i), pid);
		CHECK_EQ(marked_call(SYS_getpgid, 0, 2, mark + i), getpgrp());
		CHECK_EQ(marked_call(SYS_sched_yield, 0, 0, mark + i), 0);
		if (i % 8 == 0)
			touch_pages(mark + i);
		if (i % 16 == 0)
			OK(syscall(SYS_tgkill, pid, gettid(), SIGUSR1));
		__asm__ volatile("fnop; fninit");
	}
	OK(syscall(SYS_arch_prctl, ARCH_GET_GS, &gs));
	CHECK_EQ(gs, mark);
	return NULL;
}

int main(void)
{
	pthread_t thread[3];

	handle(SIGUSR1, handler, 0);
	for (long i = 0; i < 3; i++)
		CHECK_EQ(pthread_create(&thread[i], NULL, work, (void *)(i + 1)), 0);
	for (long i = 0; i < 3; i++)
		CHECK_EQ(pthread_join(thread[i], NULL), 0);
	CHECK(handled > 0);
	say("ok\n");
	return 0;
}
