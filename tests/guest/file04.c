/* SPDX-License-Identifier: Apache-2.0 */
/* truncate and ftruncate: shorter, longer with zeros, errors. */
#include "guest/guest.h"

int main(void)
{
	char text[32] = "";
	int fd;

	scratch();
	write_file("file", "0123456789");
	fd = OK(open("file", O_RDWR));
	OK(ftruncate(fd, 4));
	OK(ftruncate(fd, 8));
	CHECK_EQ(read(fd, text, 32), 8);
	say("%s %d %d\n", text, text[4], text[7]);
	OK(truncate("file", 5000));
	CHECK_EQ(size_of_file("file"), 5000);
	OK(truncate("file", 1));
	say("%s\n", read_file("file"));
	FAILS(ftruncate(fd, -1), EINVAL);
	FAILS(truncate("missing", 0), ENOENT);
	FAILS(truncate(".", 0), EISDIR);
	OK(close(fd));
	FAILS(ftruncate(OK(open("file", O_RDONLY)), 0), EINVAL);
	FAILS(ftruncate(99, 0), EBADF);
	return 0;
}
