/* SPDX-License-Identifier: Apache-2.0 */
/* An epoll in an epoll; closing the last descriptor removes; loops are ELOOP. */
#include <sys/epoll.h>

#include "guest/guest.h"

int main(void)
{
	struct epoll_event e = { .events = EPOLLIN, .data.u32 = 1 }, got[2];
	int inner = OK(epoll_create1(0)), outer = OK(epoll_create1(0)), ends[2], copy;

	OK(pipe(ends));
	OK(epoll_ctl(inner, EPOLL_CTL_ADD, ends[0], &e));
	e.data.u32 = 2;
	OK(epoll_ctl(outer, EPOLL_CTL_ADD, inner, &e));
	CHECK_EQ(epoll_wait(outer, got, 2, 0), 0);
	OK(write(ends[1], "x", 1));
	CHECK_EQ(epoll_wait(outer, got, 2, -1), 1);
	say("%u\n", got[0].data.u32);
	CHECK_EQ(epoll_wait(inner, got, 2, -1), 1);
	say("%u\n", got[0].data.u32);
	FAILS(epoll_ctl(inner, EPOLL_CTL_ADD, outer, &e), ELOOP);
	copy = OK(dup(ends[0]));
	close(ends[0]);
	say("%d\n", epoll_wait(inner, got, 2, 0)); /* the copy keeps it */
	close(copy);
	say("%d\n", epoll_wait(inner, got, 2, 0));
	say("%d\n", epoll_wait(outer, got, 2, 0));
	return 0;
}
