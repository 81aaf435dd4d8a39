/* SPDX-License-Identifier: Apache-2.0 */
/* lseek: all origins, holes and data, negative and far positions. */
#include "guest/guest.h"

int main(void)
{
	char text[8];
	int fd;

	scratch();
	fd = OK(open("file", O_RDWR | O_CREAT, 0644));
	OK(write(fd, "0123456789", 10));
	say("%ld %ld %ld\n", lseek(fd, 3, SEEK_SET), lseek(fd, 2, SEEK_CUR),
	    lseek(fd, -1, SEEK_END));
	OK(read(fd, text, 8));
	say("%c\n", text[0]);
	FAILS(lseek(fd, -1, SEEK_SET), EINVAL);
	FAILS(lseek(fd, -20, SEEK_CUR), EINVAL);
	FAILS(lseek(fd, 0, 99), EINVAL);
	CHECK_EQ(lseek(fd, 1l << 33, SEEK_SET), 1l << 33);
	CHECK_EQ(read(fd, text, 8), 0);
	OK(write(fd, "far", 3));
	say("%ld\n", size_of_file("file"));
	CHECK_EQ(pread(fd, text, 4, 100000), 4);
	CHECK_EQ(text[0] | text[3], 0);
	OK(ftruncate(fd, 10));
	say("%ld\n", lseek(fd, 0, SEEK_DATA));
	say("%ld\n", lseek(fd, 0, SEEK_HOLE));
	FAILS(lseek(fd, 10, SEEK_DATA), ENXIO);
	FAILS(lseek(fd, 11, SEEK_HOLE), ENXIO);
	FAILS(lseek(99, 0, SEEK_SET), EBADF);
	return 0;
}
