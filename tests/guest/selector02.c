/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Segment selectors that one process loads are not seen by another. (A KVM that runs user code on the host's own segment registers
 * loses what residency host gives it.)
 * Ringfence-Options: --cpus 1
 * Ringfence-Residency: guest
 */
#include "guest/guest.h"

static unsigned selectors_now(void)
{
	unsigned ds, es, fs, gs;

	__asm__ volatile("movl %%ds, %0; movl %%es, %1; movl %%fs, %2; movl %%gs, %3"
			 : "=r"(ds), "=r"(es), "=r"(fs), "=r"(gs));
	return ds | es | fs | gs;
}

/* All but FS, whose base is the C library's. */
static void load_selectors(void)
{
	__asm__ volatile("movl %0, %%ds; movl %0, %%es; movl %0, %%gs" : : "r"(0x2b));
}

int main(void)
{
	int status, ready[2];
	pid_t child;
	char byte;

	OK(pipe(ready));
	child = OK(fork());
	if (child == 0) {
		for (int i = 0; i < 300; i++) {
			CHECK_EQ(selectors_now(), 0);
			if (i == 0)
				OK(write(ready[1], "", 1));
			sched_yield();
		}
		_exit(0);
	}
	OK(read(ready[0], &byte, 1));
	for (int i = 0; i < 300; i++) {
		load_selectors();
		sched_yield();
	}
	OK(waitpid(child, &status, 0));
	CHECK_EQ(status, 0);
	say("ok\n");
	return 0;
}
