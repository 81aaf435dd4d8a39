/* SPDX-License-Identifier: Apache-2.0 */
/* epoll, level-triggered: reports as long as it is ready; add, change, remove; errors. */
#include <sys/epoll.h>

#include "guest/guest.h"

int main(void)
{
	struct epoll_event e = { .events = EPOLLIN, .data.u64 = 0x1122334455667788 }, got[4];
	int ep = OK(epoll_create1(EPOLL_CLOEXEC)), ends[2];

	scratch();
	OK(pipe(ends));
	OK(epoll_ctl(ep, EPOLL_CTL_ADD, ends[0], &e));
	CHECK_EQ(epoll_wait(ep, got, 4, 0), 0);
	OK(write(ends[1], "xy", 2));
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(epoll_wait(ep, got, 4, -1), 1);
		say("%#x %#llx\n", got[0].events, (unsigned long long)got[0].data.u64);
	}
	e.data.u64 = 2;
	e.events = EPOLLIN | EPOLLOUT;
	OK(epoll_ctl(ep, EPOLL_CTL_ADD, ends[1], &e));
	say("%d\n", epoll_wait(ep, got, 4, 0));
	say("%d\n", epoll_wait(ep, got, 1, 0));
	e.events = 0;
	OK(epoll_ctl(ep, EPOLL_CTL_MOD, ends[1], &e));
	say("%d\n", epoll_wait(ep, got, 4, 0));
	OK(epoll_ctl(ep, EPOLL_CTL_DEL, ends[0], NULL));
	say("%d\n", epoll_wait(ep, got, 4, 0));
	close(ends[0]);
	say("%d %#x\n", epoll_wait(ep, got, 4, 0), got[0].events);
	FAILS(epoll_ctl(ep, EPOLL_CTL_ADD, ends[1], &e), EEXIST);
	FAILS(epoll_ctl(ep, EPOLL_CTL_MOD, 1, &e), ENOENT);
	FAILS(epoll_ctl(ep, EPOLL_CTL_DEL, 1, &e), ENOENT);
	FAILS(epoll_ctl(ep, EPOLL_CTL_ADD, ep, &e), EINVAL);
	FAILS(epoll_ctl(ep, EPOLL_CTL_ADD, 99, &e), EBADF);
	FAILS(epoll_ctl(ep, 9, ends[1], &e), EINVAL);
	write_file("file", "");
	FAILS(epoll_ctl(ep, EPOLL_CTL_ADD, OK(open("file", O_RDONLY)), &e), EPERM);
	FAILS(epoll_wait(ep, got, 0, 0), EINVAL);
	FAILS(epoll_wait(1, got, 1, 0), EINVAL);
	FAILS(epoll_create1(1), EINVAL);
	FAILS(epoll_ctl(ep, EPOLL_CTL_ADD, 1, bad_address()), EFAULT);
	return 0;
}
