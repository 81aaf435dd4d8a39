/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host exchanges a directory of the writable bind with a link to the secret directory, while this makes, renames and removes names in it.
 * Stopped by: the monitor makes each name beneath the directory's handle and follows no link.
 * Escape-Host: swap
 * Escape-Expect: stopped: all of 300 rounds stayed in the bind
 */
#include "escape/escape.h"

#define ROUNDS 300

void attempt(void)
{
	char name[32];

	OK(chdir(base_path("box")));
	for (int i = 0; i < ROUNDS; i++) {
		int fd;

		snprintf(name, sizeof(name), "swap/new%d", i);
		fd = open(name, O_WRONLY | O_CREAT, 0644);
		if (fd >= 0)
			close(fd);
		mkdir("swap/directory", 0755);
		symlink("x", "swap/link");
		rename("mine", "swap/mine");
		rename("swap/mine", "mine");
		link("mine", "swap/linked");
		unlink("swap/linked");
		unlink("swap/link");
		rmdir("swap/directory");
		truncate("swap/key", 0);
		chmod("swap/key", 0666);
		unlink("swap/key");
	}
	stopped("all of %d rounds stayed in the bind", ROUNDS);
}
