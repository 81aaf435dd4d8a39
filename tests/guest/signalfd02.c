/* SPDX-License-Identifier: Apache-2.0 */
/* A blocking signalfd wakes its reader; SIGCHLD arrives through it and through epoll. */
#include <sys/signalfd.h>
#include <sys/epoll.h>

#include "guest/guest.h"

static int child(void *arg)
{
	wait_until_state(getppid(), 'S');
	return 3;
}

int main(void)
{
	struct signalfd_siginfo info;
	struct epoll_event e = { .events = EPOLLIN };
	sigset_t set = set_of(SIGCHLD);
	int fd, ep = OK(epoll_create1(0));
	pid_t pid;

	block(SIGCHLD);
	fd = OK(signalfd(-1, &set, 0));
	pid = spawn(child, NULL);
	CHECK_EQ(read(fd, &info, sizeof(info)), sizeof(info));
	CHECK_EQ(info.ssi_pid, pid);
	say("%d %d\n", info.ssi_code, info.ssi_status);
	wait_for(pid);
	OK(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e));
	pid = spawn(child, NULL);
	CHECK_EQ(epoll_wait(ep, &e, 1, -1), 1);
	CHECK_EQ(read(fd, &info, sizeof(info)), sizeof(info));
	say("%d %d\n", info.ssi_code, info.ssi_status);
	wait_for(pid);
	return 0;
}
