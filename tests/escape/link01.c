/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gives a file outside a second name inside the writable bind: link(2), linkat(2) by descriptor and by /proc.
 * Stopped by: a link may not cross mounts.
 * Escape-Expect: stopped: EXDEV from link
 * Escape-Expect: stopped: ENOENT from link of the hidden file
 * Escape-Expect: stopped: EXDEV from link of a read-only bind's file
 * Escape-Expect: stopped: EXDEV from linkat by descriptor
 * Escape-Expect: stopped: EXDEV from linkat by /proc
 * Escape-Expect: stopped: EROFS from link outwards
 */
#include "escape/escape.h"

void attempt(void)
{
	char path[64];
	int fd, dir;

	OK(chdir(base_path("box")));
	REFUSED("link", link("../beside", "beside"));
	REFUSED("link of the hidden file", link("../secret/key", "key"));
	REFUSED("link of a read-only bind's file", link("../shelf/text", "text"));
	fd = OK(open("../beside", O_PATH));
	dir = OK(open(".", O_PATH | O_DIRECTORY));
	REFUSED("linkat by descriptor", linkat(fd, "", dir, "beside", AT_EMPTY_PATH));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	REFUSED("linkat by /proc", linkat(AT_FDCWD, path, dir, "beside", AT_SYMLINK_FOLLOW));
	REFUSED("link outwards", link("mine", "../mine"));
}
