/* SPDX-License-Identifier: Apache-2.0 */
/* Sleeping: not shorter than asked, absolute and relative, interrupted with the rest, errors. */
#include "guest/guest.h"

static void handler(int sig)
{
}

static int disturb(void *arg)
{
	wait_until_state(getppid(), 'S');
	OK(kill(getppid(), SIGUSR1));
	return 0;
}

int main(void)
{
	struct timespec ts = { 0, 20000000 }, rest = { 9, 9 };
	int64_t start = now_ns(CLOCK_MONOTONIC), end;
	pid_t pid;

	OK(nanosleep(&ts, NULL));
	CHECK(now_ns(CLOCK_MONOTONIC) - start >= 20000000);
	end = now_ns(CLOCK_MONOTONIC) + 20000000;
	ts = (struct timespec){ end / 1000000000, end % 1000000000 };
	CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL), 0);
	CHECK(now_ns(CLOCK_MONOTONIC) >= end);
	CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL), 0); /* the past */
	end = now_ns(CLOCK_REALTIME) + 10000000;
	ts = (struct timespec){ end / 1000000000, end % 1000000000 };
	CHECK_EQ(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &ts, NULL), 0);
	handle(SIGUSR1, handler, SA_RESTART);
	pid = spawn(disturb, NULL);
	ts = (struct timespec){ 100, 0 };
	FAILS(nanosleep(&ts, &rest), EINTR);
	CHECK(rest.tv_sec >= 90 && rest.tv_sec < 100);
	wait_ok(pid);
	ts = (struct timespec){ 0, 1000000000 };
	FAILS(nanosleep(&ts, NULL), EINVAL);
	FAILS(nanosleep(bad_address(), NULL), EFAULT);
	CHECK_EQ(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &rest, NULL), EINVAL);
	CHECK_EQ(clock_nanosleep(99, 0, &rest, NULL), EINVAL);
	say("ok\n");
	return 0;
}
