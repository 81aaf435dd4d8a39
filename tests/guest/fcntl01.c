/* SPDX-License-Identifier: Apache-2.0 */
/* fcntl: F_DUPFD, descriptor and status flags; what F_SETFL cannot change; errors. */
#include "guest/guest.h"

int main(void)
{
	int fd;

	scratch();
	fd = OK(open("file", O_RDWR | O_CREAT, 0644));
	CHECK_EQ(fcntl(fd, F_DUPFD, 50), 50);
	CHECK_EQ(fcntl(fd, F_DUPFD, 50), 51);
	CHECK_EQ(fcntl(fd, F_DUPFD_CLOEXEC, 50), 52);
	say("%d %d\n", fcntl(51, F_GETFD), fcntl(52, F_GETFD));
	OK(fcntl(fd, F_SETFD, FD_CLOEXEC));
	say("%d\n", fcntl(fd, F_GETFD));
	OK(fcntl(fd, F_SETFL, O_NONBLOCK | O_APPEND | O_WRONLY | O_TRUNC));
	say("%#o\n", fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK | O_APPEND | O_TRUNC));
	FAILS(fcntl(fd, F_DUPFD, -1), EINVAL);
	FAILS(fcntl(fd, F_DUPFD, 1 << 30), EINVAL);
	FAILS(fcntl(fd, 9999), EINVAL);
	FAILS(fcntl(99, F_GETFD), EBADF);
	return 0;
}
