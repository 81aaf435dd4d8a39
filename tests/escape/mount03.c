/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lays something over the mount point's parents, renames them and removes them, to slip a cover off.
 * Stopped by: a cover goes with its directory, and a directory with a mount in it is not removed.
 */
#include <sys/mount.h>

#include "escape/escape.h"

static void attempt(void)
{
	const char *outside = told("ESCAPE_OUTSIDE");
	char path[512];

	REFUSED("rmdir of a cover", rmdir(outside));
	REFUSED("rename of a cover", rename(outside, "/moved"));
	REFUSED("rename over a cover", rename(base_path("box"), outside));
	OK(mkdir("/empty", 0755));
	REFUSED("exchange with a cover", renameat2(AT_FDCWD, outside, AT_FDCWD, "/empty", RENAME_EXCHANGE));
	/* The parent of the cover is in the writable layer: it may move, and the cover with it. */
	snprintf(path, sizeof(path), "%s", outside);
	*strrchr(path, '/') = 0;
	if (rename(path, "/moved") == 0) {
		snprintf(path, sizeof(path), "/moved%s/file", strrchr(outside, '/'));
		try_read("a cover whose parent moved", path);
	} else {
		stopped("%s from a cover whose parent moved", strerrorname_np(errno));
	}
	try_read("the old name", told("ESCAPE_OUTSIDE_FILE"));
}
