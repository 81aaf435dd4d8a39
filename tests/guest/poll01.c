/* SPDX-License-Identifier: Apache-2.0 */
/* poll: readiness of both ends, hang-up, bad descriptors, timeouts, negative entries. */
#include <poll.h>

#include "guest/guest.h"

int main(void)
{
	struct pollfd p[4];
	int ends[2];
	int64_t start;

	OK(pipe(ends));
	p[0] = (struct pollfd){ ends[0], POLLIN, 0 };
	p[1] = (struct pollfd){ ends[1], POLLOUT, 0 };
	p[2] = (struct pollfd){ -1, POLLIN, 77 };
	p[3] = (struct pollfd){ 99, POLLIN, 0 };
	say("%d:", poll(p, 4, 1000));
	say(" %#x %#x %#x %#x\n", p[0].revents, p[1].revents, p[2].revents, p[3].revents);
	start = now_ns(CLOCK_MONOTONIC);
	CHECK_EQ(poll(p, 1, 20), 0);
	CHECK(now_ns(CLOCK_MONOTONIC) - start >= 20000000);
	CHECK_EQ(poll(p, 1, 0), 0);
	OK(write(ends[1], "x", 1));
	say("%d %#x\n", poll(p, 1, -1), p[0].revents);
	close(ends[1]);
	say("%d %#x\n", poll(p, 1, -1), p[0].revents);
	OK(read(ends[0], &(char){ 0 }, 1));
	say("%d %#x\n", poll(p, 1, -1), p[0].revents);
	OK(pipe(ends));
	close(ends[0]);
	p[0] = (struct pollfd){ ends[1], POLLOUT, 0 };
	say("%d %#x\n", poll(p, 1, -1), p[0].revents);
	p[0] = (struct pollfd){ OK(open("/dev/null", O_RDWR)), POLLIN | POLLOUT, 0 };
	say("%d %#x\n", poll(p, 1, -1), p[0].revents);
	FAILS(poll(bad_address(), 1, 0), EFAULT);
	return 0;
}
