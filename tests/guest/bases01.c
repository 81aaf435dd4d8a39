/* SPDX-License-Identifier: Apache-2.0 */
/* FS and GS bases that the program sets itself outlive system calls, switches, signals and fork; a program starts with zero. */
#include <asm/prctl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/syscall.h>

#include "guest/guest.h"

#define ROUNDS 200

static uint64_t gs_get(void)
{
	uint64_t v;

	__asm__ volatile("rdgsbase %0" : "=r"(v));
	return v;
}

static void gs_set(uint64_t v)
{
	__asm__ volatile("wrgsbase %0" : : "r"(v) : "memory");
}

static uint64_t gs_ask(void)
{
	uint64_t v = ~0ull;

	OK(syscall(SYS_arch_prctl, ARCH_GET_GS, &v));
	return v;
}

static void handler(int sig)
{
	CHECK(gs_get() == 0x5000);
	gs_set(0x6000);
}

static void check_calls(void)
{
	gs_set(0x1000);
	CHECK(gs_ask() == 0x1000);
	OK(syscall(SYS_arch_prctl, ARCH_SET_GS, 0x2000));
	CHECK(gs_get() == 0x2000);
	gs_set(0x3000);
	OK(syscall(SYS_arch_prctl, ARCH_SET_GS, 0x2000));
	CHECK(gs_get() == 0x2000 && gs_ask() == 0x2000);
	getppid();
	CHECK(gs_get() == 0x2000);
	/* A write with a base of its own: the kernel's setting one leaves the other. */
	gs_set(0x4000);
	OK(syscall(SYS_arch_prctl, ARCH_SET_FS, (uint64_t)__builtin_thread_pointer()));
	CHECK(gs_get() == 0x4000);
}

static int inherits(void *arg)
{
	CHECK(gs_get() == (uint64_t)(uintptr_t)arg);
	gs_set(0x7000);
	sched_yield();
	CHECK(gs_get() == 0x7000);
	return 0;
}

/* Two of these alternate on one CPU or run on two. */
static int alternates(void *arg)
{
	uint64_t mine = (uint64_t)(uintptr_t)arg;

	for (unsigned i = 0; i < ROUNDS; i++, mine += 0x10) {
		gs_set(mine);
		sched_yield();
		CHECK(gs_get() == mine);
		CHECK(i % 16 || gs_ask() == mine);
	}
	return 0;
}

int main(int argc, char **argv)
{
	pid_t a, b;

	if (!(getauxval(AT_HWCAP2) & 2)) {
		say("ok\n"); /* no FSGSBASE */
		return 0;
	}
	if (argc > 1) {
		CHECK(gs_get() == 0);
		say("ok\n");
		return 0;
	}
	check_calls();
	gs_set(0x5000);
	signal(SIGUSR1, handler);
	OK(raise(SIGUSR1));
	CHECK(gs_get() == 0x6000); /* no part of the frame */
	wait_ok(spawn(inherits, (void *)0x6000));
	CHECK(gs_get() == 0x6000);
	a = spawn(alternates, (void *)0x100000);
	b = spawn(alternates, (void *)0x200000);
	alternates((void *)0x300000);
	wait_ok(a);
	wait_ok(b);
	gs_set(0x8000);
	execl("/proc/self/exe", "bases01", "again", NULL);
	CHECK(!"execl");
	return 1;
}
