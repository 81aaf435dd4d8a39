/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads through symbolic links that the host and the program put into a writable bind: absolute, relative, through a directory.
 * Stopped by: our kernel follows links, in its own mount tree; the monitor never does.
 * Escape-Expect: stopped: ENOENT from the host's absolute link
 * Escape-Expect: stopped: ENOENT from the host's relative link
 * Escape-Expect: stopped: ENOENT from a link to a directory
 * Escape-Expect: stopped: ENOENT from an own absolute link
 * Escape-Expect: stopped: ENOENT from an own relative link
 * Escape-Expect: stopped: ENOENT from an own link to a directory
 * Escape-Expect: stopped: ELOOP from O_NOFOLLOW
 */
#include "escape/escape.h"

void attempt(void)
{
	OK(chdir(base_path("box")));
	try_read("the host's absolute link", "to-secret");
	try_read("the host's relative link", "to-secret-relative");
	try_read("a link to a directory", "to-base/secret/key");
	OK(symlink(base_path("secret/key"), "own"));
	try_read("an own absolute link", "own");
	OK(symlink("../secret/key", "own-relative"));
	try_read("an own relative link", "own-relative");
	OK(symlink(base_path("secret"), "own-directory"));
	try_read("an own link to a directory", "own-directory/key");
	try_read_at("O_NOFOLLOW", AT_FDCWD, "own", O_NOFOLLOW);
}
