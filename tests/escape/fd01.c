/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks for descriptors that the caller left open: files, sockets and directories with numbers that the runner tells.
 * Stopped by: a program inside has the three standard streams; descriptors are numbers of our kernel.
 * Escape-Host: descriptors
 * Escape-Expect: stopped: EBADF from the caller's descriptors
 * Escape-Expect: stopped: no descriptors above 2
 * Escape-Expect: stopped: ENOENT from the victim's descriptors
 */
#include <dirent.h>

#include "escape/escape.h"

void attempt(void)
{
	char text[64];
	char *list = strdup(told("ESCAPE_DESCRIPTORS"));
	struct stat st;
	int open_ones = 0;

	for (char *word = strtok(list, ","); word; word = strtok(NULL, ",")) {
		int fd = atoi(word);

		CHECK(fd > 2);
		if (read(fd, text, sizeof(text)) >= 0 || errno != EBADF)
			escaped("descriptor %d is there", fd);
		if (openat(fd, "key", O_RDONLY) >= 0 || errno != EBADF)
			escaped("directory %d is there", fd);
	}
	stopped("EBADF from the caller's descriptors");
	for (int fd = 3; fd < 4096; fd++)
		open_ones += fstat(fd, &st) == 0;
	if (open_ones)
		escaped("%d descriptors above 2", open_ones);
	stopped("no descriptors above 2");
	try_read("the victim's descriptors", "/proc/2/fd/3");
}
