/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exchanges the root by pivot_root(2) and moves mounts with MS_MOVE, to get at what was below.
 * Stopped by: there is no pivot_root, and mounts do not move.
 * Escape-Expect: stopped: no such call: pivot_root
 * Escape-Expect: stopped: no such call: pivot_root of .
 * Escape-Expect: stopped: EINVAL from MS_MOVE of /
 * Escape-Expect: stopped: EINVAL from MS_MOVE of the cover
 * Escape-Expect: stopped: ENOENT from the secret
 */
#include <sys/mount.h>

#include "escape/escape.h"

void attempt(void)
{
	OK(mkdir("/new", 0755));
	OK(mkdir("/new/old", 0755));
	REFUSED("pivot_root", syscall(SYS_pivot_root, "/new", "/new/old"));
	REFUSED("pivot_root of .", syscall(SYS_pivot_root, ".", "."));
	REFUSED("MS_MOVE of /", mount("/", "/new", NULL, MS_MOVE, NULL));
	REFUSED("MS_MOVE of the cover", mount(base_path("secret"), "/new", NULL, MS_MOVE, NULL));
	try_read("the secret", base_path("secret/key"));
}
