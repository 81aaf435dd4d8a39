/* SPDX-License-Identifier: Apache-2.0 */
/* Processor time: grows while working, hardly while sleeping; times and getrusage agree. */
#include <sys/times.h>
#include <sys/resource.h>

#include "guest/guest.h"

int main(void)
{
	struct tms t;
	struct rusage usage;
	int64_t start = now_ns(CLOCK_PROCESS_CPUTIME_ID), slept;

	while (now_ns(CLOCK_PROCESS_CPUTIME_ID) - start < 60000000)
		;
	CHECK(now_ns(CLOCK_THREAD_CPUTIME_ID) >= 50000000);
	OK(getrusage(RUSAGE_SELF, &usage));
	CHECK(usage.ru_utime.tv_sec * 1000000 + usage.ru_utime.tv_usec +
		      usage.ru_stime.tv_sec * 1000000 + usage.ru_stime.tv_usec >=
	      40000);
	CHECK(usage.ru_maxrss > 0);
	CHECK(OK(times(&t)) > 0);
	CHECK(t.tms_utime + t.tms_stime >= 4);
	slept = now_ns(CLOCK_PROCESS_CPUTIME_ID);
	sleep_ms(50);
	CHECK(now_ns(CLOCK_PROCESS_CPUTIME_ID) - slept < 45000000);
	FAILS(getrusage(77, &usage), EINVAL);
	OK(getrusage(RUSAGE_THREAD, &usage));
	say("ok\n");
	return 0;
}
