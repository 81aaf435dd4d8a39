/* SPDX-License-Identifier: Apache-2.0 */
/* Absolute timeouts of FUTEX_WAIT_BITSET, on both clocks, also in the past. */
#include "guest/futex.h"

static void wait_to(clockid_t clock, int flag, int64_t delta)
{
	int64_t end = now_ns(clock) + delta;
	const struct timespec ts = { end / 1000000000, end % 1000000000 };
	uint32_t word = 0;

	FAILS(futex(&word, FUTEX_WAIT_BITSET_PRIVATE | flag, 0, &ts, NULL, FUTEX_BITSET_MATCH_ANY),
	      ETIMEDOUT);
	CHECK(now_ns(clock) >= end);
}

int main(void)
{
	wait_to(CLOCK_MONOTONIC, 0, 15000000);
	wait_to(CLOCK_REALTIME, FUTEX_CLOCK_REALTIME, 15000000);
	wait_to(CLOCK_MONOTONIC, 0, -15000000);
	wait_to(CLOCK_REALTIME, FUTEX_CLOCK_REALTIME, -15000000);
	say("ok\n");
	return 0;
}
