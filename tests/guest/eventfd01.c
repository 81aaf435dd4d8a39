/* SPDX-License-Identifier: Apache-2.0 */
/* eventfd: counter, semaphore mode, EAGAIN, overflow, sizes. */
#include <sys/eventfd.h>
#include <poll.h>

#include "guest/guest.h"

static uint64_t take(int fd)
{
	uint64_t value;

	CHECK_EQ(read(fd, &value, 8), 8);
	return value;
}

int main(void)
{
	int fd = OK(eventfd(3, EFD_NONBLOCK)),
	    sem = OK(eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC));
	uint64_t value = 5, most = ~0ull - 1;
	struct pollfd p = { fd, POLLIN | POLLOUT, 0 };

	OK(write(fd, &value, 8));
	say("%d\n", (int)take(fd));
	FAILS(read(fd, &value, 8), EAGAIN);
	say("%d %d\n", (int)take(sem), (int)take(sem));
	FAILS(read(sem, &value, 8), EAGAIN);
	FAILS(read(fd, &value, 7), EINVAL);
	FAILS(write(fd, &value, 7), EINVAL);
	OK(write(fd, &most, 8));
	value = 1;
	FAILS(write(fd, &value, 8), EAGAIN);
	OK(poll(&p, 1, 0));
	say("%#x\n", p.revents);
	take(fd);
	OK(poll(&p, 1, 0));
	say("%#x\n", p.revents);
	value = ~0ull;
	FAILS(write(fd, &value, 8), EINVAL);
	FAILS(eventfd(0, 4), EINVAL);
	return 0;
}
