/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Climbs out of a writable bind by ".." and writes beside it.
 * Stopped by: the mount that is found there is read-only, whatever way leads to it.
 * Escape-Expect: stopped: EROFS from ../beside
 * Escape-Expect: stopped: EROFS from a new file in ..
 * Escape-Expect: stopped: EROFS from ../shelf/text
 * Escape-Expect: stopped: EROFS from truncate
 * Escape-Expect: stopped: EROFS from unlink
 * Escape-Expect: stopped: EROFS from mkdir
 * Escape-Expect: stopped: EXDEV from rename out
 * Escape-Expect: stopped: EXDEV from rename in
 * Escape-Expect: stopped: EROFS from chmod
 * Escape-Expect: stopped: EROFS from chown
 * Escape-Expect: stopped: EROFS from utimensat
 * Escape-Expect: stopped: EROFS from symlink
 * Escape-Expect: stopped: EROFS from mknod
 */
#include "escape/escape.h"

void attempt(void)
{
	OK(chdir(base_path("box")));
	try_write("../beside", "../beside", 0);
	try_write("a new file in ..", "../new", O_CREAT | O_EXCL);
	try_write("../shelf/text", "../shelf/text", O_TRUNC);
	REFUSED("truncate", truncate("../beside", 0));
	REFUSED("unlink", unlink("../beside"));
	REFUSED("mkdir", mkdir("../new", 0755));
	REFUSED("rename out", rename("mine", "../mine"));
	REFUSED("rename in", rename("../beside", "beside"));
	REFUSED("chmod", chmod("../beside", 0777));
	REFUSED("chown", chown("../beside", 1, 1));
	REFUSED("utimensat", utimensat(AT_FDCWD, "../beside", NULL, 0));
	REFUSED("symlink", symlink("/etc/passwd", "../link"));
	REFUSED("mknod", mknod("../fifo2", S_IFIFO | 0644, 0));
}
