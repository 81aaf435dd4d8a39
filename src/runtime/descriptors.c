/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/descriptors.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static int by_number(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

/* [first, last]; before Linux 5.9 one by one. */
static void close_all(unsigned int first, unsigned int last)
{
	struct rlimit limit;

	if (first > last || syscall(SYS_close_range, first, last, 0) == 0)
		return;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur <= last)
		last = (unsigned int)limit.rlim_cur;
	for (unsigned int fd = first; fd <= last && fd < INT_MAX; fd++)
		close((int)fd);
}

void descriptors_release_streams(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return;
	for (int fd = STDIN_FILENO; fd <= STDOUT_FILENO; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			dup2(null, fd);
	if (null > STDERR_FILENO)
		close(null);
}

void descriptors_close_but(int *keep, size_t count)
{
	unsigned int next = 0;

	qsort(keep, count, sizeof(*keep), by_number);
	for (size_t i = 0; i < count; i++) {
		if (keep[i] < 0 || (unsigned int)keep[i] < next)
			continue;
		if (keep[i] > 0)
			close_all(next, (unsigned int)keep[i] - 1);
		next = (unsigned int)keep[i] + 1;
	}
	close_all(next, UINT_MAX);
}
