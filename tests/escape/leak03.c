/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks for other processes' registers: after a process that fills every vector register has run, a new one looks into its own.
 * Stopped by: the state is saved and reset when the CPU changes hands.
 * Escape-Options: --cpus 1
 * Escape-Expect: stopped: no registers of the other process
 */
#include "escape/escape.h"

/* One pattern in XMM0 to XMM15. */
static void fill(void)
{
	uint64_t pattern = 0x1122334455667788;

	for (int n = 0; n < 200; n++) {
#define SET(i) \
	__asm__ volatile("movq %0, %%xmm" #i "; punpcklqdq %%xmm" #i ", %%xmm" #i : : "r"(pattern));
		SET(0)
		SET(1)
		SET(2)
		SET(3)
		SET(4) SET(5) SET(6) SET(7) SET(8) SET(9) SET(10) SET(11) SET(12) SET(13) SET(14)
			SET(15)
#undef SET
				syscall(SYS_sched_yield);
	}
}

static void look(void)
{
	volatile uint64_t regs[16][2];

#define GET(i) __asm__ volatile("movdqu %%xmm" #i ", %0" : "=m"(regs[i]));
	GET(6)
	GET(7)
	GET(8)
	GET(9)
	GET(10) GET(11) GET(12) GET(13) GET(14) GET(15)
#undef GET
		for (int i = 6; i < 16; i++)
	{
		/* Not the pattern itself, which the compiler could have in a register of its own. */
		if (regs[i][0] + 1 == 0x1122334455667789 || regs[i][1] + 1 == 0x1122334455667789)
			escaped("xmm%d is another process's", i);
	}
}

void attempt(void)
{
	pid_t filler, other;

	if (getenv("ESCAPE_SECOND")) {
		for (int i = 0; i < 200; i++) {
			look();
			syscall(SYS_sched_yield);
		}
		stopped("no registers of the other process");
		return;
	}
	OK(setenv("ESCAPE_SECOND", "yes", 1));
	filler = OK(fork());
	if (filler == 0)
		for (;;)
			fill();
	other = OK(fork());
	if (other == 0)
		OK(execve("/proc/self/exe", ARGS("leak03"), environ));
	wait_ok(other);
	OK(kill(filler, SIGKILL));
	wait_for(filler);
}
