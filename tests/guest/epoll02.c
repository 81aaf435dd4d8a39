/* SPDX-License-Identifier: Apache-2.0 */
/* epoll, edge-triggered and one-shot: once per change; rearmed by EPOLL_CTL_MOD. */
#include <sys/epoll.h>

#include "guest/guest.h"

static int ep, ends[2];

static void show(const char *what)
{
	struct epoll_event got;
	int n = epoll_wait(ep, &got, 1, 0);

	say("%s: %d %#x\n", what, n, n > 0 ? got.events : 0);
}

int main(void)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLET };

	ep = OK(epoll_create(1));
	OK(pipe(ends));
	OK(epoll_ctl(ep, EPOLL_CTL_ADD, ends[0], &e));
	OK(write(ends[1], "a", 1));
	show("edge");
	show("again");
	OK(write(ends[1], "b", 1));
	show("more");
	OK(read(ends[0], &(char){ 0 }, 1));
	show("half read");
	e.events = EPOLLIN | EPOLLET;
	OK(epoll_ctl(ep, EPOLL_CTL_MOD, ends[0], &e));
	show("mod");
	e.events = EPOLLIN | EPOLLONESHOT;
	OK(epoll_ctl(ep, EPOLL_CTL_MOD, ends[0], &e));
	show("one shot");
	show("again");
	OK(write(ends[1], "c", 1));
	show("more");
	OK(epoll_ctl(ep, EPOLL_CTL_MOD, ends[0], &e));
	show("rearmed");
	e.events = EPOLLIN | EPOLLET;
	OK(epoll_ctl(ep, EPOLL_CTL_MOD, ends[0], &e));
	show("edge");
	close(ends[1]);
	show("closed");
	show("again");
	return 0;
}
