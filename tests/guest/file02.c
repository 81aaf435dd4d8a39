/* SPDX-License-Identifier: Apache-2.0 */
/* O_APPEND: every write goes to the end, also pwrite's; the two descriptors interleave. */
#include "guest/guest.h"

int main(void)
{
	int a, b;

	scratch();
	write_file("file", "start:");
	a = OK(open("file", O_WRONLY | O_APPEND));
	b = OK(open("file", O_WRONLY | O_APPEND));
	OK(write(a, "one,", 4));
	OK(write(b, "two,", 4));
	OK(lseek(a, 0, SEEK_SET));
	OK(write(a, "three,", 6));
	CHECK_EQ(lseek(a, 0, SEEK_CUR), 20);
	OK(pwrite(b, "four", 4, 0));
	OK(fcntl(a, F_SETFL, 0));
	OK(pwrite(a, "S", 1, 0));
	say("%s\n", read_file("file"));
	return 0;
}
