/* SPDX-License-Identifier: Apache-2.0 */
/* signalfd: takes blocked signals with their information; poll, EAGAIN, mask changes. */
#include <sys/signalfd.h>
#include <poll.h>

#include "guest/guest.h"

int main(void)
{
	struct signalfd_siginfo info[3];
	sigset_t set;
	struct pollfd p;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMIN);
	OK(sigprocmask(SIG_BLOCK, &set, NULL));
	fd = OK(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
	p = (struct pollfd){ fd, POLLIN, 0 };
	FAILS(read(fd, info, sizeof(info)), EAGAIN);
	CHECK_EQ(poll(&p, 1, 0), 0);
	OK(kill(getpid(), SIGUSR1));
	OK(sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = 7 }));
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(read(fd, info, sizeof(info)), 2 * sizeof(info[0]));
	CHECK_EQ(info[0].ssi_pid, getpid());
	say("%u %d, %u %d %d\n", info[0].ssi_signo, info[0].ssi_code,
	    info[1].ssi_signo - (unsigned)SIGRTMIN, info[1].ssi_code, info[1].ssi_int);
	sigdelset(&set, SIGUSR1);
	CHECK_EQ(signalfd(fd, &set, 0), fd);
	raise(SIGUSR1);
	FAILS(read(fd, info, sizeof(info)), EAGAIN);
	FAILS(read(fd, info, 10), EINVAL);
	FAILS(signalfd(1, &set, 0), EINVAL);
	FAILS(signalfd(-1, &set, 4), EINVAL);
	return 0;
}
