/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Returns from a signal with a frame of its own making: the kernel's code segment, its addresses, non-canonical ones, flags that only ring 0 may set.
 * Stopped by: segments and flags are forced to the program's; the next instruction faults in ring 3.
 * Escape-Expect: stopped: a RIP in the arena ended with SIGSEGV
 * Escape-Expect: stopped: a RIP in the upper half ended with SIGSEGV
 * Escape-Expect: stopped: a non-canonical RIP ended with SIGSEGV
 * Escape-Expect: stopped: a RIP with only the top bit ended with SIGSEGV
 * Escape-Expect: stopped: a RIP at the last byte ended with SIGSEGV
 * Escape-Expect: stopped: a stack in the arena ended with SIGSEGV
 * Escape-Expect: stopped: a non-canonical stack ended with SIGBUS | stopped: a non-canonical stack ended with SIGSEGV
 * Escape-Expect: stopped: CS 8 and SS 0x10 ended with SIGSEGV
 * Escape-Expect: stopped: CS 0x10 and SS 0x18 ended with SIGSEGV
 * Escape-Expect: stopped: CS 0 and SS 0 ended with SIGSEGV
 * Escape-Expect: stopped: CS 0x23 ended with SIGSEGV
 * Escape-Expect: stopped: a CS of an LDT ended with SIGSEGV
 * Escape-Expect: stopped: IOPL 3 ended with exit status 0
 * Escape-Expect: stopped: virtual 8086 mode ended with exit status 0
 * Escape-Expect: stopped: interrupts off ended with exit status 0
 * Escape-Expect: stopped: nested task ended with exit status 0
 */
#include <ucontext.h>

#include "escape/escape.h"

#define FLAGS_IOPL 0x3000
#define FLAGS_VM   0x20000
#define FLAGS_NT   0x4000
#define FLAGS_IF   0x200

static uint64_t new_rip, new_rsp, new_segments, new_flags;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;

	(void)sig;
	(void)info;
	if (new_rip)
		g[REG_RIP] = (greg_t)new_rip;
	if (new_rsp)
		g[REG_RSP] = (greg_t)new_rsp;
	if (new_segments)
		g[REG_CSGSFS] = (greg_t)new_segments;
	if (new_flags)
		g[REG_EFL] = (greg_t)new_flags;
}

static void frame(void)
{
	uint64_t flags, cs;

	handle_info(SIGUSR1, on_signal, 0);
	raise(SIGUSR1);
	__asm__ volatile("pushfq; pop %0; mov %%cs, %1" : "=r"(flags), "=r"(cs));
	if ((cs & 3) != 3)
		escaped("ring %d", (int)(cs & 3));
	if (flags & FLAGS_IOPL)
		escaped("IOPL is %#lx", flags & FLAGS_IOPL);
	if (flags & FLAGS_VM || !(flags & FLAGS_IF))
		escaped("flags are %#lx", flags);
}

static void try_frame(const char *what, uint64_t rip, uint64_t rsp, uint64_t segments,
		      uint64_t flags)
{
	new_rip = rip;
	new_rsp = rsp;
	new_segments = segments;
	new_flags = flags;
	stopped("%s ended with %s", what, ending_of(in_child(frame)));
}

void attempt(void)
{
	try_frame("a RIP in the arena", ARENA + 0x1000, 0, 0, 0);
	try_frame("a RIP in the upper half", 0xffffffff80000000, 0, 0, 0);
	try_frame("a non-canonical RIP", 0x0000800000000000, 0, 0, 0);
	try_frame("a RIP with only the top bit", 0x8000000000000000, 0, 0, 0);
	try_frame("a RIP at the last byte", USER_END - 1, 0, 0, 0);
	try_frame("a stack in the arena", 0, ARENA + 0x1000, 0, 0);
	try_frame("a non-canonical stack", 0, 0x8000000000000000, 0, 0);
	try_frame("CS 8 and SS 0x10", 0, 0, 8 | 0x10ull << 48, 0);
	try_frame("CS 0x10 and SS 0x18", 0, 0, 0x10 | 0x18ull << 48, 0);
	try_frame("CS 0 and SS 0", 0, 0, 1ull << 16, 0);
	try_frame("CS 0x23", 0, 0, 0x23 | 0x2bull << 48, 0);
	try_frame("a CS of an LDT", 0, 0, 0x7 | 0x2bull << 48, 0);
	try_frame("IOPL 3", 0, 0, 0, 0x202 | FLAGS_IOPL);
	try_frame("virtual 8086 mode", 0, 0, 0, 0x202 | FLAGS_VM);
	try_frame("interrupts off", 0, 0, 0, 0x2);
	try_frame("nested task", 0, 0, 0, 0x202 | FLAGS_NT);
}
