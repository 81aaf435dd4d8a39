/* SPDX-License-Identifier: Apache-2.0 */
/* File mappings: private writes stay private, shared writes are the file's, read() agrees. */
#include "guest/guest.h"

int main(void)
{
	char text[32] = "", *private, *shared;
	int fd;

	scratch();
	write_file("file", "0123456789");
	fd = OK(open("file", O_RDWR));
	private = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(private != MAP_FAILED && shared != MAP_FAILED);
	CHECK_EQ(private[10], 0); /* the rest of the page */
	private[0] = 'P';
	shared[1] = 'S';
	OK(pread(fd, text, 10, 0));
	say("%s %.10s %.10s\n", text, private, shared);
	OK(pwrite(fd, "W", 1, 2));
	say("%.10s\n", shared);
	shared[20] = 'x'; /* past the end: never in the file */
	OK(msync(shared, PAGE, MS_SYNC));
	say("%ld\n", size_of_file("file"));
	OK(munmap(shared, PAGE));
	say("%s\n", read_file("file"));
	return 0;
}
