/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes through symbolic links in a writable bind to files beside it, and makes files through dangling ones.
 * Stopped by: our kernel follows links to mounts that are read-only.
 * Escape-Expect: stopped: EROFS from the host's link
 * Escape-Expect: stopped: EROFS from the host's link, truncating
 * Escape-Expect: stopped: EROFS from an own link
 * Escape-Expect: stopped: EROFS from a dangling link
 * Escape-Expect: stopped: EROFS from a dangling relative link
 * Escape-Expect: stopped: EEXIST from mkdir by a dangling link
 * Escape-Expect: stopped: EROFS from truncate by a link
 * Escape-Expect: stopped: EROFS from chmod by a link
 * Escape-Expect: stopped: EXDEV from rename through a linked directory
 */
#include "escape/escape.h"

void attempt(void)
{
	OK(chdir(base_path("box")));
	try_write("the host's link", "to-beside", 0);
	try_write("the host's link, truncating", "to-beside", O_TRUNC);
	OK(symlink(base_path("beside"), "own"));
	try_write("an own link", "own", 0);
	OK(symlink(base_path("new"), "dangling"));
	try_write("a dangling link", "dangling", O_CREAT);
	OK(symlink("../new", "dangling-relative"));
	try_write("a dangling relative link", "dangling-relative", O_CREAT);
	REFUSED("mkdir by a dangling link", mkdir("dangling", 0755));
	REFUSED("truncate by a link", truncate("own", 0));
	REFUSED("chmod by a link", chmod("own", 0777));
	REFUSED("rename through a linked directory", rename("mine", "to-base/mine"));
}
