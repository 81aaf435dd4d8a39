/* SPDX-License-Identifier: Apache-2.0 */
/* Pipes: order, end of file, EPIPE, bad descriptors, close-on-exec. */
#include "guest/guest.h"

int main(void)
{
	char text[16] = "";
	int ends[2];

	OK(pipe(ends));
	OK(write(ends[1], "abc", 3));
	OK(write(ends[1], "def", 3));
	CHECK_EQ(read(ends[0], text, 4), 4);
	say("%s\n", text);
	CHECK_EQ(read(ends[0], text, 16), 2);
	FAILS(read(ends[1], text, 1), EBADF);
	FAILS(write(ends[0], text, 1), EBADF);
	FAILS(lseek(ends[0], 0, SEEK_CUR), ESPIPE);
	FAILS(pread(ends[0], text, 1, 0), ESPIPE);
	close(ends[1]);
	CHECK_EQ(read(ends[0], text, 16), 0);
	close(ends[0]);
	OK(pipe2(ends, O_CLOEXEC | O_NONBLOCK));
	say("%d %d\n", fcntl(ends[0], F_GETFD), (fcntl(ends[0], F_GETFL) & O_NONBLOCK) != 0);
	signal(SIGPIPE, SIG_IGN);
	close(ends[0]);
	FAILS(write(ends[1], "x", 1), EPIPE);
	FAILS(pipe2(ends, 1), EINVAL);
	FAILS(pipe(bad_address()), EFAULT);
	return 0;
}
