/* SPDX-License-Identifier: Apache-2.0 */
/* Signals at any moment leave all registers and flags alone: a checksum under a fast timer. */
#include <sys/time.h>

#include "guest/guest.h"

static volatile int ticks;

static void handler(int sig)
{
	volatile double d = ticks;

	ticks++;
	d = d * 1.5 + 1;
}

static uint64_t mix(uint64_t rounds)
{
	uint64_t a = 1, b = 2, c = 3, d = 4, e = 5, f = 6;
	double x = 1.0;

	for (uint64_t i = 0; i < rounds; i++) {
		a = a * 6364136223846793005u + b;
		b = (b << 7 | b >> 57) ^ c;
		c += d ^ i;
		d = d * 31 + (e > f);
		e ^= a >> 3;
		f += b;
		x = x * 1.0000001 + (double)(i & 3);
	}
	return a ^ b ^ c ^ d ^ e ^ f ^ (uint64_t)x;
}

int main(void)
{
	const struct itimerval fast = { { 0, 1000 }, { 0, 1000 } };
	uint64_t expected = mix(200000);

	handle(SIGALRM, handler, SA_RESTART);
	OK(setitimer(ITIMER_REAL, &fast, NULL));
	while (ticks < 50)
		CHECK_EQ(mix(200000), expected);
	say("%d\n", ticks >= 50);
	return 0;
}
