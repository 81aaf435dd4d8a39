/* SPDX-License-Identifier: Apache-2.0 */
/* select and pselect: sets, timeouts, high descriptors, errors. */
#include <sys/select.h>

#include "guest/guest.h"

int main(void)
{
	struct timeval zero = { 0, 0 }, soon = { 0, 15000 };
	struct timespec soon_ns = { 0, 15000000 };
	fd_set in, out;
	int ends[2], high;
	int64_t start;

	OK(pipe(ends));
	high = OK(fcntl(ends[0], F_DUPFD, 500));
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(high, &in);
	FD_SET(ends[1], &out);
	say("%d", select(high + 1, &in, &out, NULL, NULL));
	say(" %d %d\n", FD_ISSET(high, &in), FD_ISSET(ends[1], &out));
	OK(write(ends[1], "x", 1));
	FD_SET(high, &in);
	say("%d", select(high + 1, &in, NULL, NULL, &zero));
	say(" %d\n", FD_ISSET(high, &in));
	OK(read(high, &(char){ 0 }, 1));
	start = now_ns(CLOCK_MONOTONIC);
	CHECK_EQ(select(high + 1, &in, NULL, NULL, &soon), 0);
	FD_SET(high, &in);
	CHECK_EQ(pselect(high + 1, &in, NULL, NULL, &soon_ns, NULL), 0);
	CHECK(now_ns(CLOCK_MONOTONIC) - start >= 30000000);
	say("%d %d\n", FD_ISSET(high, &in), (int)soon.tv_usec);
	FD_ZERO(&in);
	FD_SET(77, &in);
	FAILS(select(78, &in, NULL, NULL, NULL), EBADF);
	FAILS(select(-1, NULL, NULL, NULL, NULL), EINVAL);
	soon.tv_sec = -1;
	FAILS(select(0, NULL, NULL, NULL, &soon), EINVAL);
	return 0;
}
