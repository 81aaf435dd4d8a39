/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fills the writable layer, /dev/shm and /tmp with data until no more is taken.
 * Stopped by: the layers are in the sandbox's memory, whose limit is --memory; the rest goes on working.
 * Escape-Options: --memory 64M
 * Escape-Expect: stopped: ENOSPC from filling /fill
 * Escape-Expect: stopped: ENOSPC from filling /dev/shm/fill
 * Escape-Expect: stopped: ENOSPC from filling /tmp/fill
 * Escape-Expect: stopped: a small file can be written afterwards
 */
#include "escape/escape.h"

static void fill(const char *path)
{
	static char data[1 << 16];
	int fd = OK(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644)), error;
	long size = 0;
	ssize_t n;

	while ((n = write(fd, data, sizeof(data))) > 0 && size < 1l << 30)
		size += n;
	error = errno;
	OK(close(fd));
	OK(unlink(path));
	if (n >= 0)
		escaped("%ld bytes in %s", size, path);
	stopped("%s from filling %s", strerrorname_np(error), path);
}

void attempt(void)
{
	fill("/fill");
	fill("/dev/shm/fill");
	fill("/tmp/fill");
	write_file("/still", "works");
	stopped("a small file can be written afterwards");
}
