/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lays something over the mount point's parents, renames them and removes them, to slip a cover off.
 * Stopped by: a cover goes with its directory, and a directory with a mount in it is not removed.
 * Escape-Options: --hide /usr/share/doc
 * Escape-Expect: stopped: EROFS from rmdir of a cover
 * Escape-Expect: stopped: EXDEV from rename of a cover
 * Escape-Expect: stopped: EROFS from rename over a cover
 * Escape-Expect: stopped: EXDEV from exchange with a cover
 * Escape-Expect: stopped: ENOENT from a cover whose parent moved
 * Escape-Expect: stopped: ENOENT from it, removed
 * Escape-Expect: stopped: ENOENT from a new directory of the old name
 * Escape-Expect: stopped: ENOENT from the old name
 */
#include <sys/mount.h>

#include "escape/escape.h"

void attempt(void)
{
	const char *outside = told("ESCAPE_OUTSIDE");

	REFUSED("rmdir of a cover", rmdir(outside));
	REFUSED("rename of a cover", rename(outside, "/moved"));
	REFUSED("rename over a cover", rename(base_path("box"), outside));
	OK(mkdir("/empty", 0755));
	REFUSED("exchange with a cover",
		renameat2(AT_FDCWD, outside, AT_FDCWD, "/empty", RENAME_EXCHANGE));
	/* The parent of this one is in the writable layer: it may move, and the cover with it. */
	OK(rename("/usr/share", "/moved"));
	REFUSED("a cover whose parent moved", open("/moved/doc/bash", O_RDONLY));
	rmdir("/moved/doc");
	REFUSED("it, removed", open("/moved/doc/bash", O_RDONLY));
	OK(mkdir("/usr/share", 0755));
	REFUSED("a new directory of the old name", open("/usr/share/doc", O_RDONLY));
	try_read("the old name", told("ESCAPE_OUTSIDE_FILE"));
}
