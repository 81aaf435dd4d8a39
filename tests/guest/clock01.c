/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks never run backwards, have sane resolutions, and agree with each other. */
#include <sys/time.h>

#include "guest/guest.h"

int main(void)
{
	static const clockid_t clocks[] = { CLOCK_REALTIME,           CLOCK_MONOTONIC,
					    CLOCK_MONOTONIC_RAW,      CLOCK_BOOTTIME,
					    CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID,
					    CLOCK_REALTIME_COARSE,    CLOCK_MONOTONIC_COARSE };
	struct timespec ts;
	struct timeval tv;

	for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
		int64_t last = now_ns(clocks[i]);

		for (int j = 0; j < 5000; j++) {
			int64_t now = now_ns(clocks[i]);

			CHECK(now >= last);
			last = now;
		}
		OK(clock_getres(clocks[i], &ts));
		CHECK(ts.tv_sec == 0 && ts.tv_nsec > 0 && ts.tv_nsec <= 10000000);
	}
	CHECK(now_ns(CLOCK_BOOTTIME) >= now_ns(CLOCK_MONOTONIC) - 10000000);
	OK(gettimeofday(&tv, NULL));
	CHECK(labs((long)tv.tv_sec - (long)time(NULL)) <= 1);
	CHECK(labs((long)(now_ns(CLOCK_REALTIME) / 1000000000) - (long)time(NULL)) <= 1);
	CHECK(time(NULL) > 1600000000);
	FAILS(clock_gettime(99, &ts), EINVAL);
	FAILS(clock_getres(99, &ts), EINVAL);
	FAILS(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, bad_address()), EFAULT);
	FAILS(syscall(SYS_clock_settime, CLOCK_MONOTONIC, &ts), EINVAL);
	say("ok\n");
	return 0;
}
