/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Climbs out of a writable bind by "..", down to the secret beside it.
 * Stopped by: paths are walked by our kernel, in its own mount tree; --hide covers the directory there.
 * Escape-Expect: stopped: ENOENT from ../secret/key
 * Escape-Expect: stopped: ENOENT from a long climb
 * Escape-Expect: stopped: ENOENT from the climb above /
 * Escape-Expect: stopped: ENOENT from the absolute path
 * Escape-Expect: stopped: ENOENT from a directory tree hidden as a whole
 * Escape-Expect: stopped: ENOENT from openat with ..
 */
#include "escape/escape.h"

void attempt(void)
{
	OK(chdir(base_path("box")));
	try_read("../secret/key", "../secret/key");
	try_read("a long climb", "../box/../box/.././box/../secret/key");
	try_read("the climb above /",
		 "../../../../../../../../../../../../../../../../../secret/key");
	try_read("the absolute path", base_path("secret/key"));
	try_read("a directory tree hidden as a whole", told("ESCAPE_OUTSIDE_FILE"));
	try_read_at("openat with ..", OK(open(".", O_PATH | O_DIRECTORY)), "../secret/key", 0);
}
