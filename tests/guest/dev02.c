/* SPDX-License-Identifier: Apache-2.0 */
/* /dev/fd, /dev/stdin and friends are the descriptors; /dev/tty is ENXIO without a terminal. */
#include <sys/ioctl.h>

#include "guest/guest.h"

int main(void)
{
	char path[32];
	int fd, again;
	struct winsize size;

	scratch();
	write_file("file", "0123456789");
	fd = OK(open("file", O_RDONLY));
	OK(lseek(fd, 4, SEEK_SET));
	snprintf(path, sizeof(path), "/dev/fd/%d", fd);
	say("%s\n", read_file(path));
	OK(dup2(fd, 0));
	again = OK(open("/dev/stdin", O_RDONLY));
	CHECK_EQ(lseek(again, 0, SEEK_CUR), 0);
	fd = OK(open("/dev/stdout", O_WRONLY));
	OK(write(fd, "to stdout\n", 10));
	setsid();
	FAILS(open("/dev/tty", O_RDWR), ENXIO);
	FAILS(ioctl(fd, TIOCGWINSZ, &size), ENOTTY);
	CHECK(!isatty(0) && !isatty(1));
	FAILS(ioctl(99, TIOCGWINSZ, &size), EBADF);
	return 0;
}
