/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes files look larger than any disk: sparse files, fallocate, seeks to the end of the number range, writes there.
 * Stopped by: the largest file size, and the limit on memory.
 * Escape-Options: --memory 64M
 * Escape-Expect: stopped: EINVAL from ftruncate below 0
 * Escape-Expect: stopped: ENOSPC from a file full of holes
 * Escape-Expect: stopped: EFBIG from fallocate beyond 2^63
 * Escape-Expect: stopped: EINVAL from ftruncate to 2^64-1
 * Escape-Expect: stopped: EFBIG from pwrite at 2^63-1
 * Escape-Expect: stopped: EINVAL from lseek below 0
 * Escape-Expect: stopped: EINVAL from pread at a negative offset
 */
#include "escape/escape.h"

/* One page in each of many gigabytes. */
static void fill(int fd)
{
	long n = 0;

	while (n < 1 << 20 && pwrite(fd, "x", 1, n << 30) == 1)
		n++;
	if (n == 1 << 20)
		escaped("%ld pages", n);
	stopped("%s from a file full of holes", strerrorname_np(errno));
	OK(ftruncate(fd, 0));
}

void attempt(void)
{
	int fd = OK(open("/huge", O_RDWR | O_CREAT, 0644));

	REFUSED("ftruncate below 0", ftruncate(fd, -1));
	OK(ftruncate(fd, 1l << 40));
	OK(pwrite(fd, "x", 1, (1l << 40) - 1));
	OK(ftruncate(fd, 0));
	fill(fd);
	REFUSED("fallocate beyond 2^63", fallocate(fd, 0, INT64_MAX, INT64_MAX));
	REFUSED("ftruncate to 2^64-1", syscall(SYS_ftruncate, fd, -1l));
	REFUSED("pwrite at 2^63-1", pwrite(fd, "xx", 2, INT64_MAX));
	REFUSED("lseek below 0", lseek(fd, -5, SEEK_SET));
	REFUSED("pread at a negative offset", pread(fd, (char[1]){ 0 }, 1, INT64_MIN));
}
