/* SPDX-License-Identifier: Apache-2.0 */
/* dup, dup2 and dup3 share the offset and the status flags, not close-on-exec; the lowest number is taken. */
#include "guest/guest.h"

int main(void)
{
	char text[4] = "";
	int fd, copy;

	scratch();
	write_file("file", "abcdef");
	fd = OK(open("file", O_RDWR | O_CLOEXEC));
	copy = OK(dup(fd));
	CHECK_EQ(copy, fd + 1);
	OK(read(fd, text, 2));
	OK(read(copy, text + 2, 1));
	say("%s %d %d\n", text, fcntl(fd, F_GETFD), fcntl(copy, F_GETFD));
	OK(fcntl(fd, F_SETFL, O_APPEND));
	say("%d\n", (fcntl(copy, F_GETFL) & O_APPEND) != 0);
	CHECK_EQ(dup2(fd, 100), 100);
	CHECK_EQ(dup2(fd, fd), fd);
	CHECK_EQ(dup3(fd, 100, O_CLOEXEC), 100);
	say("%d\n", fcntl(100, F_GETFD));
	FAILS(dup3(fd, fd, 0), EINVAL);
	FAILS(dup3(fd, 100, O_APPEND), EINVAL);
	FAILS(dup2(fd, -1), EBADF);
	FAILS(dup2(fd, 1 << 30), EBADF);
	FAILS(dup2(55, 56), EBADF);
	FAILS(dup(-1), EBADF);
	OK(close(fd));
	CHECK_EQ(OK(dup(100)), fd);
	return 0;
}
