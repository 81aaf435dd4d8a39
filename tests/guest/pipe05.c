/* SPDX-License-Identifier: Apache-2.0 */
/* A pipe can be opened again through /proc/self/fd, also when all writers have gone: that never waits. */
#include "guest/guest.h"

int main(void)
{
	char path[32], text[8] = "";
	int ends[2], again, writer;

	OK(pipe(ends));
	OK(write(ends[1], "abc", 3));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[1]);
	writer = OK(open(path, O_WRONLY));
	OK(write(writer, "def", 3));
	OK(close(writer));
	OK(close(ends[1]));
	snprintf(path, sizeof(path), "/dev/fd/%d", ends[0]);
	again = OK(open(path, O_RDONLY));
	CHECK_EQ(read(again, text, 3), 3);
	CHECK_EQ(read(ends[0], text + 3, 3), 3);
	say("%s\n", text);
	CHECK_EQ(read(again, text, 1), 0);
	return 0;
}
