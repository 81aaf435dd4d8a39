/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host moves a directory out of the writable bind while a descriptor stands in it; ".." from there is outside of the bind.
 * Stopped by: our kernel walks ".." in its own tree, and the monitor opens nothing above a handle.
 * Escape-Host: moveout
 * Escape-Expect: stopped: ENOENT from ../../secret/key
 * Escape-Expect: stopped: ENOENT from ../../../secret/key
 * Escape-Expect: stopped: ENOENT from ../only-outside
 * Escape-Expect: stopped: ENOENT from chroot to there
 * Escape-Expect: stopped: ENOENT from ../../only-outside
 */
#include "escape/escape.h"

void attempt(void)
{
	struct stat st;
	int in;

	OK(chdir(base_path("box")));
	in = OK(open("outgoing/deep", O_RDONLY | O_DIRECTORY));
	write_file("ready", "x");
	while (access("ready", F_OK) == 0 && stat("moved", &st) < 0)
		sleep_ms(1);
	try_read_at("../../secret/key", in, "../../secret/key", 0);
	try_read_at("../../../secret/key", in, "../../../secret/key", 0);
	try_read_at("../only-outside", in, "../only-outside", 0);
	REFUSED("chroot to there", fchdir(in) < 0 ? -1 : chroot("../../../../../no-such-name"));
	try_read("../../only-outside", "../../only-outside");
}
