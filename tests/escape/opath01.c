/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plays with O_PATH descriptors: of links, of directories, as roots of openat2(2), after renames, and with /proc names for them.
 * Stopped by: a descriptor is a place in our kernel's mount tree, and lookups start there.
 * Escape-Expect: stopped: ELOOP from the /proc name of a link
 * Escape-Expect: stopped: EXDEV from RESOLVE_BENEATH and ..
 * Escape-Expect: stopped: EXDEV from RESOLVE_BENEATH and a link
 * Escape-Expect: stopped: ENOENT from RESOLVE_IN_ROOT and ..
 * Escape-Expect: stopped: ELOOP from RESOLVE_NO_SYMLINKS
 * Escape-Expect: stopped: EXDEV from RESOLVE_NO_XDEV
 * Escape-Expect: stopped: ENOENT from no restriction
 * Escape-Expect: stopped: ENOENT from .. of a moved directory
 * Escape-Expect: stopped: ENOENT from .. of a removed directory
 */
#include <linux/openat2.h>

#include "escape/escape.h"

static void try_openat2(const char *what, int dir, const char *path, uint64_t resolve)
{
	struct open_how how = { .flags = O_RDONLY, .resolve = resolve };
	char text[64];
	long fd = syscall(SYS_openat2, dir, path, &how, sizeof(how));

	if (fd < 0) {
		judge_call(what, fd);
		return;
	}
	check_for_secret(what, text, (size_t)OK(read((int)fd, text, sizeof(text))));
	stopped("no secret by %s", what);
}

void attempt(void)
{
	char path[128];
	int box, link, deep;

	OK(chdir(base_path("box")));
	OK(mkdir("a", 0755));
	OK(mkdir("a/b", 0755));
	box = OK(open(".", O_PATH | O_DIRECTORY));
	link = OK(open("to-secret", O_PATH | O_NOFOLLOW));
	deep = OK(open("a/b", O_PATH | O_DIRECTORY));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", link);
	try_read("the /proc name of a link", path);
	try_openat2("RESOLVE_BENEATH and ..", box, "../secret/key", RESOLVE_BENEATH);
	try_openat2("RESOLVE_BENEATH and a link", box, "to-secret-relative", RESOLVE_BENEATH);
	try_openat2("RESOLVE_IN_ROOT and ..", box, "../secret/key", RESOLVE_IN_ROOT);
	try_openat2("RESOLVE_NO_SYMLINKS", box, "to-secret", RESOLVE_NO_SYMLINKS);
	try_openat2("RESOLVE_NO_XDEV", box, "../shelf/text", RESOLVE_NO_XDEV);
	try_openat2("no restriction", box, "../secret/key", 0);
	/* The directory moves while a descriptor stands in it. */
	OK(rename("a/b", "b"));
	OK(rmdir("a"));
	try_read_at(".. of a moved directory", deep, "../../secret/key", 0);
	OK(rmdir("b"));
	try_read_at(".. of a removed directory", deep, "../../secret/key", 0);
}
