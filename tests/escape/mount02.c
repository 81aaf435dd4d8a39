/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Binds the tree above a hidden directory somewhere else, where nothing would cover it.
 * Stopped by: a tree with covers in it is not shown a second time.
 * Escape-Expect: stopped: EINVAL from a bind of /
 * Escape-Expect: stopped: ENOENT from a bind of /
 * Escape-Expect: stopped: EINVAL from a recursive bind of /
 * Escape-Expect: stopped: ENOENT from a recursive bind of /
 * Escape-Expect: stopped: ENOENT from the host's /proc in it
 * Escape-Expect: stopped: EINVAL from a bind of the directory above
 * Escape-Expect: stopped: EINVAL from a bind of its name in /proc
 * Escape-Expect: stopped: ENOENT from a bind of the cover
 * Escape-Expect: stopped: ENOENT from a way up from another bind
 */
#include <sys/mount.h>

#include "escape/escape.h"

static void try_under(const char *what, const char *prefix, const char *path)
{
	char name[512];

	snprintf(name, sizeof(name), "%s%s", prefix, path);
	try_read(what, name);
}

void attempt(void)
{
	OK(mkdir("/copy", 0755));
	OK(mkdir("/copy2", 0755));
	OK(mkdir("/copy3", 0755));
	REFUSED("a bind of /", mount("/", "/copy", NULL, MS_BIND, NULL));
	try_under("a bind of /", "/copy", base_path("secret/key"));
	REFUSED("a recursive bind of /", mount("/", "/copy", NULL, MS_BIND | MS_REC, NULL));
	try_under("a recursive bind of /", "/copy", base_path("secret/key"));
	try_under("the host's /proc in it", "/copy", "/proc/1/cmdline");
	REFUSED("a bind of the directory above",
		mount(base_path(""), "/copy", NULL, MS_BIND, NULL));
	REFUSED("a bind of its name in /proc",
		mount("/proc/self/root", "/copy", NULL, MS_BIND, NULL));
	/* The cover itself, or what has none below it, may be shown twice. */
	OK(mount(base_path("secret"), "/copy2", NULL, MS_BIND, NULL));
	try_under("a bind of the cover", "/copy2", "/key");
	OK(mount("/usr", "/copy3", NULL, MS_BIND, NULL));
	try_under("a way up from another bind", "/copy3/..", base_path("secret/key"));
}
