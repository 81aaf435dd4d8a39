/* SPDX-License-Identifier: Apache-2.0 */
/* timerfd: one shot, periodic, absolute, in the past, disarmed, readable by poll. */
#include <sys/timerfd.h>
#include <poll.h>

#include "guest/guest.h"

static uint64_t expirations(int fd)
{
	uint64_t value;

	CHECK_EQ(read(fd, &value, 8), 8);
	return value;
}

int main(void)
{
	int fd = OK(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
	struct itimerspec t = { .it_value = { 0, 15000000 } }, now;
	int64_t start = now_ns(CLOCK_MONOTONIC);
	struct pollfd p = { fd, POLLIN, 0 };

	OK(timerfd_settime(fd, 0, &t, NULL));
	OK(timerfd_gettime(fd, &now));
	CHECK(now.it_value.tv_sec == 0 && now.it_value.tv_nsec <= 15000000);
	CHECK_EQ(poll(&p, 1, -1), 1);
	say("%d\n", (int)expirations(fd));
	CHECK(now_ns(CLOCK_MONOTONIC) - start >= 15000000);
	t.it_interval.tv_nsec = 5000000;
	t.it_value.tv_nsec = 5000000;
	start = now_ns(CLOCK_MONOTONIC);
	OK(timerfd_settime(fd, 0, &t, NULL));
	for (uint64_t sum = 0; sum < 5;)
		sum += expirations(fd);
	CHECK(now_ns(CLOCK_MONOTONIC) - start >= 25000000);
	memset(&t, 0, sizeof(t));
	OK(timerfd_settime(fd, 0, &t, &now));
	say("%ld\n", now.it_interval.tv_nsec);
	OK(timerfd_gettime(fd, &now));
	say("%ld\n", now.it_value.tv_nsec);
	CHECK_EQ(poll(&p, 1, 0), 0);
	t.it_value.tv_sec = 1; /* long ago */
	OK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &t, NULL));
	say("%d\n", (int)expirations(fd));
	OK(fcntl(fd, F_SETFL, O_NONBLOCK));
	FAILS(read(fd, &(uint64_t){ 0 }, 8), EAGAIN);
	FAILS(read(fd, &(uint64_t){ 0 }, 4), EINVAL);
	t.it_value.tv_nsec = 1000000000;
	FAILS(timerfd_settime(fd, 0, &t, NULL), EINVAL);
	FAILS(timerfd_settime(1, 0, &t, NULL), EINVAL);
	FAILS(timerfd_create(99, 0), EINVAL);
	return 0;
}
