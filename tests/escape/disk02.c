/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes files, directories and links in the writable layer until no more are taken: nothing on the host's disk counts them.
 * Stopped by: the limit on memory; the rest goes on working.
 * Escape-Options: --memory 40M
 * Escape-Expect: stopped: ENOSPC from making names | stopped: ENOMEM from making names
 * Escape-Expect: stopped: a small file can be written afterwards
 */
#include "escape/escape.h"

#define MOST 2000000

void attempt(void)
{
	char name[32], text[200];
	long n;
	int error = 0;

	OK(mkdir("/many", 0755));
	OK(chdir("/many"));
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	for (n = 0; n < MOST && !error; n++) {
		snprintf(name, sizeof(name), "%ld", n);
		if (n % 2 ? symlink(text, name) < 0 : mkdir(name, 0755) < 0)
			error = errno;
	}
	if (!error)
		escaped("%ld names", n);
	for (n = 0; n < 20000; n++) {
		snprintf(name, sizeof(name), "%ld", n);
		if (n % 2 ? unlink(name) : rmdir(name))
			break;
	}
	stopped("%s from making names", strerrorname_np(error));
	write_file("/still", "works");
	stopped("a small file can be written afterwards");
}
