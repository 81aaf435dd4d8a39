/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The classic way out of a chroot: chroot(2) below the directory one has open, then up by "..".
 * Stopped by: the top of the tree is the sandbox's root, and there is nothing above it.
 * Escape-Expect: stopped: the way up ends at the sandbox's root
 * Escape-Expect: stopped: ENOENT from the secret from there
 */
#include "escape/escape.h"

void attempt(void)
{
	struct stat top, before;
	int dir;

	OK(stat("/", &before));
	OK(chdir("/"));
	dir = OK(open("/", O_RDONLY | O_DIRECTORY));
	OK(mkdir("jail", 0755));
	OK(chroot("jail"));
	OK(fchdir(dir));
	for (int i = 0; i < 100; i++)
		OK(chdir(".."));
	OK(chroot("."));
	OK(stat("/", &top));
	if (top.st_ino != before.st_ino || top.st_dev != before.st_dev)
		escaped("another root");
	stopped("the way up ends at the sandbox's root");
	try_read("the secret from there", base_path("secret/key"));
}
