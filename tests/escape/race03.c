/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host exchanges a directory of the writable bind with a link to the secret directory, while this reads through it.
 * Stopped by: the monitor opens each name beneath the directory's handle and follows no link.
 * Escape-Host: swap
 * Escape-Expect: stopped: no open of 600 gave the secret
 */
#include "escape/escape.h"

#define ROUNDS 600

void attempt(void)
{
	char text[64];
	struct stat st;

	OK(chdir(base_path("box")));
	for (int i = 0; i < ROUNDS; i++) {
		int fd = open("swap/key", O_RDONLY);

		if (fd >= 0) {
			check_for_secret("a swapped path", text,
					 (size_t)OK(read(fd, text, sizeof(text))));
			close(fd);
		}
		if (stat("swap/only-outside", &st) == 0)
			escaped("a name of the secret directory is seen");
	}
	stopped("no open of %d gave the secret", ROUNDS);
}
