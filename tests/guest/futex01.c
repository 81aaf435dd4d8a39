/* SPDX-License-Identifier: Apache-2.0 */
/* FUTEX_WAIT: EAGAIN on another value, ETIMEDOUT after the relative time; FUTEX_WAKE without waiters. */
#include "guest/futex.h"

int main(void)
{
	const struct timespec soon = { 0, 20000000 }, bad = { 0, 1000000000 }, negative = { -1, 0 };
	uint32_t word = 1;
	int64_t start = now_ns(CLOCK_MONOTONIC);

	FAILS(futex(&word, FUTEX_WAIT, 2, NULL, NULL, 0), EAGAIN);
	FAILS(futex(&word, FUTEX_WAIT_PRIVATE, 1, &soon, NULL, 0), ETIMEDOUT);
	CHECK(now_ns(CLOCK_MONOTONIC) - start >= 20000000);
	FAILS(futex(&word, FUTEX_WAIT, 1, &bad, NULL, 0), EINVAL);
	FAILS(futex(&word, FUTEX_WAIT, 1, &negative, NULL, 0), EINVAL);
	CHECK_EQ(futex(&word, FUTEX_WAKE, 1, NULL, NULL, 0), 0);
	CHECK_EQ(futex(&word, FUTEX_WAKE_PRIVATE, 1 << 30, NULL, NULL, 0), 0);
	say("ok\n");
	return 0;
}
