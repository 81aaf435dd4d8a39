/* SPDX-License-Identifier: Apache-2.0 */
/* INT n for every n: the breakpoint and overflow vectors as on Linux, all others a general protection fault that names the vector. */
#include "guest/trap.h"

static struct trap run(unsigned n)
{
	/* EAX is not a system call, should INT 80h be one. */
	const uint8_t code[] = { 0x53, 0xb8, 0xff, 0xff, 0xff, 0xff, 0xcd, (uint8_t)n, 0x5b };

	return trap_run(code, sizeof(code));
}

/*
 * Linux with 32-bit programs answers INT 80h; without, and inside, it is refused. The others are what a software KVM takes for requests of its
 * guest's kernel and mostly refuses to ring 3, but not as the CPU would.
 */
static bool is_peculiar(unsigned n)
{
	return n == 0x80 || (n >= 22 && n <= 26);
}

int main(void)
{
	trap_init();
	for (unsigned volatile n = 0; n < 256; n++) {
		struct trap t = run(n);

		if (is_peculiar(n))
			CHECK(t.sig == 0 || (t.sig == SIGSEGV && (t.rip == 6 || t.rip == 8)));
		else
			say("%u: signal %d code %d at %ld addr %#lx trap %ld error %ld\n", n, t.sig,
			    t.code, t.rip, t.addr, t.trapno, t.error);
	}
	return 0;
}
