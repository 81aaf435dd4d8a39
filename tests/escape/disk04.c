/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes files look larger than any disk: sparse files, fallocate, seeks to the end of the number range, writes there.
 * Stopped by: the largest file size, and the limit on memory.
 * Escape-Options: --memory 64M
 */
#include "escape/escape.h"

static void attempt(void)
{
	int fd = OK(open("/huge", O_RDWR | O_CREAT, 0644));

	REFUSED("ftruncate to 2^63-1", ftruncate(fd, INT64_MAX) < 0 ? -1 : fallocate(fd, 0, 0, INT64_MAX));
	REFUSED("ftruncate below 0", ftruncate(fd, -1));
	OK(ftruncate(fd, 1l << 40));
	OK(pwrite(fd, "x", 1, (1l << 40) - 1));
	OK(ftruncate(fd, 0));
	REFUSED("fallocate of 1 TiB", fallocate(fd, 0, 0, 1l << 40));
	REFUSED("pwrite at 2^63-1", pwrite(fd, "xx", 2, INT64_MAX));
	REFUSED("lseek below 0", lseek(fd, -5, SEEK_SET));
	REFUSED("pread at a negative offset", pread(fd, (char[1]){ 0 }, 1, INT64_MIN));
}
