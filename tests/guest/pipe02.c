/* SPDX-License-Identifier: Apache-2.0 */
/* A pipe holds 64 KiB; then EAGAIN; F_SETPIPE_SZ changes it; FIONREAD tells what is in it. */
#include <sys/ioctl.h>

#include "guest/guest.h"

int main(void)
{
	char block[4096] = "";
	long total = 0;
	int ends[2], n;
	ssize_t w;

	OK(pipe2(ends, O_NONBLOCK));
	FAILS(read(ends[0], block, 1), EAGAIN);
	while ((w = write(ends[1], block, sizeof(block))) > 0)
		total += w;
	CHECK_EQ(errno, EAGAIN);
	OK(ioctl(ends[0], FIONREAD, &n));
	say("%ld %d %d\n", total, n, fcntl(ends[0], F_GETPIPE_SZ));
	CHECK_EQ(read(ends[0], block, 4096), 4096);
	CHECK_EQ(write(ends[1], block, 4096), 4096);
	while (read(ends[0], block, sizeof(block)) > 0)
		;
	say("%d\n", fcntl(ends[1], F_SETPIPE_SZ, 100000));
	total = 0;
	while ((w = write(ends[1], block, sizeof(block))) > 0)
		total += w;
	say("%ld\n", total);
	FAILS(fcntl(ends[1], F_SETPIPE_SZ, 4096), EBUSY);
	return 0;
}
