/* SPDX-License-Identifier: Apache-2.0 */
/* Floating-point and vector registers are each process's own across preemption. */
#include "guest/guest.h"

static int run(void *arg)
{
	const double mine = (double)(intptr_t)arg;
	double sum = 0, again;
	int64_t end = now_ns(CLOCK_MONOTONIC) + 60000000;

	do {
		sum = 0;
		for (int i = 1; i < 20000; i++)
			sum += mine / i;
		again = 0;
		for (int i = 1; i < 20000; i++)
			again += mine / i;
		if (sum != again)
			return 1;
	} while (now_ns(CLOCK_MONOTONIC) < end);
	return 0;
}

int main(void)
{
	pid_t pid[6];

	for (intptr_t i = 0; i < 6; i++)
		pid[i] = spawn(run, (void *)(i + 1));
	for (int i = 0; i < 6; i++)
		wait_ok(pid[i]);
	say("ok\n");
	return 0;
}
