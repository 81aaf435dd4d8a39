/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A machine check while user code runs is SIGBUS with BUS_MCEERR_AR at the instruction, and the program can go on.
 * Ringfence-Options: --cpus 1 --debug-inject=mc:100
 * Ringfence-Residency: guest
 */
#include "guest/guest.h"

static volatile sig_atomic_t seen;

static void on_bus(int sig, siginfo_t *info, void *context)
{
	if (info->si_code != BUS_MCEERR_AR)
		_exit(3);
	seen++;
}

int main(void)
{
	struct sigaction action = { .sa_sigaction = on_bus, .sa_flags = SA_SIGINFO };
	unsigned long x = 1, y = 1;

	OK(sigaction(SIGBUS, &action, NULL));
	/* They begin after some thousand system calls. */
	for (int i = 0; i < 6000; i++)
		getppid();
	/* The host's machine checks can't be asked for. */
	while (getenv("GUEST_INSIDE") && seen < 5) {
		for (int i = 0; i < 100000; i++) {
			x = x * 6364136223846793005ul + 1442695040888963407ul;
			__asm__ volatile("imulq %1, %0\n\taddq %2, %0"
					 : "+r"(y)
					 : "r"(6364136223846793005ul), "r"(1442695040888963407ul));
		}
		CHECK_EQ(x, y);
	}
	say("ok\n");
	return 0;
}
