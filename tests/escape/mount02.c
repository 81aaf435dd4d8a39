/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Binds the tree above a hidden directory somewhere else, where nothing would cover it.
 * Stopped by: a bind takes along the covers beneath it.
 */
#include <sys/mount.h>

#include "escape/escape.h"

static void try_under(const char *what, const char *prefix, const char *path)
{
	char name[512];

	snprintf(name, sizeof(name), "%s%s", prefix, path);
	try_read(what, name);
}

static void attempt(void)
{
	OK(mkdir("/copy", 0755));
	OK(mkdir("/copy2", 0755));
	OK(mkdir("/copy3", 0755));
	OK(mount("/", "/copy", NULL, MS_BIND, NULL));
	try_under("a bind of /", "/copy", base_path("secret/key"));
	try_under("a bind of /, outside", "/copy", told("ESCAPE_OUTSIDE_FILE"));
	OK(mount("/", "/copy2", NULL, MS_BIND | MS_REC, NULL));
	try_under("a recursive bind of /", "/copy2", base_path("secret/key"));
	OK(mount(base_path(""), "/copy3", NULL, MS_BIND, NULL));
	try_under("a bind of the directory above", "/copy3", "/secret/key");
	OK(mount("/copy", "/copy3", NULL, MS_BIND, NULL));
	try_under("a bind of a bind", "/copy3", base_path("secret/key"));
	OK(chroot("/copy"));
	try_read("a bind as root", base_path("secret/key"));
}
