/* SPDX-License-Identifier: Apache-2.0 */
/* setitimer ITIMER_REAL and alarm: SIGALRM comes, repeats, is replaced, is read back. */
#include <sys/time.h>

#include "guest/guest.h"

static volatile int ticks;

static void handler(int sig)
{
	ticks++;
}

int main(void)
{
	struct itimerval t = { { 0, 3000 }, { 0, 3000 } }, old;
	int64_t start = now_ns(CLOCK_MONOTONIC);

	handle(SIGALRM, handler, 0);
	OK(setitimer(ITIMER_REAL, &t, NULL));
	while (ticks < 5)
		pause();
	CHECK(now_ns(CLOCK_MONOTONIC) - start >= 15000000);
	memset(&t, 0, sizeof(t));
	OK(setitimer(ITIMER_REAL, &t, &old));
	say("%ld\n", old.it_interval.tv_usec);
	OK(getitimer(ITIMER_REAL, &old));
	say("%ld %ld\n", old.it_value.tv_sec, old.it_value.tv_usec);
	CHECK_EQ(alarm(100), 0);
	say("%u\n", alarm(0));
	t.it_value.tv_usec = 1000000;
	FAILS(setitimer(ITIMER_REAL, &t, NULL), EINVAL);
	FAILS(setitimer(9, &old, NULL), EINVAL);
	FAILS(getitimer(ITIMER_REAL, bad_address()), EFAULT);
	ticks = 0;
	start = now_ns(CLOCK_MONOTONIC);
	alarm(1);
	while (!ticks)
		pause();
	CHECK(now_ns(CLOCK_MONOTONIC) - start >= 990000000);
	return 0;
}
