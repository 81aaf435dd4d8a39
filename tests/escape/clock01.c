/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets the clock: clock_settime, settimeofday, adjtimex, clock_adjtime, stime by the alarm clocks, /dev/rtc.
 * Stopped by: our kernel has a clock of its own; the runner looks at the host's.
 * Escape-Expect: stopped: EPERM from clock_settime
 * Escape-Expect: stopped: EINVAL from clock_settime of the monotonic clock
 * Escape-Expect: stopped: EPERM from settimeofday
 * Escape-Expect: stopped: EPERM from adjtimex
 * Escape-Expect: stopped: EPERM from clock_adjtime
 * Escape-Expect: stopped: ENOENT from open of /dev/rtc
 * Escape-Expect: stopped: EINVAL from clock_settime of a process
 */
#include <sys/time.h>
#include <sys/timex.h>

#include "escape/escape.h"

/* Refused, or taken by our kernel's clock alone: the runner judges by the host's. */
static void try_set(const char *name, long r)
{
	if (r < 0)
		judge_call(name, r);
	else
		stopped("%s has changed the sandbox's clock", name);
}

void attempt(void)
{
	struct timespec past = { 1000000000, 0 };
	struct timeval tv = { 1000000000, 0 };
	struct timex adjust = { .modes = ADJ_FREQUENCY | ADJ_TICK,
				.freq = 32768000,
				.tick = 11000 };
	struct timex offset = { .modes = ADJ_SETOFFSET, .time = { 3600, 0 } };

	try_set("clock_settime", clock_settime(CLOCK_REALTIME, &past));
	try_set("clock_settime of the monotonic clock", clock_settime(CLOCK_MONOTONIC, &past));
	try_set("settimeofday", settimeofday(&tv, NULL));
	try_set("adjtimex", adjtimex(&adjust));
	try_set("clock_adjtime", clock_adjtime(CLOCK_REALTIME, &offset));
	REFUSED("open of /dev/rtc", open("/dev/rtc", O_RDWR));
	REFUSED("clock_settime of a process", clock_settime(CLOCK_PROCESS_CPUTIME_ID, &past));
}
