/* SPDX-License-Identifier: Apache-2.0 */
/* Hard links: one inode, link counts, unlink one by one, errors. */
#include "guest/guest.h"

static void show(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		say("%s: %s\n", path, strerror(errno));
	else
		say("%s: %d links, %ld bytes\n", path, (int)st.st_nlink, (long)st.st_size);
}

int main(void)
{
	struct stat a, b;

	scratch();
	write_file("a", "text");
	OK(link("a", "b"));
	show("a");
	OK(stat("a", &a));
	OK(stat("b", &b));
	CHECK(a.st_ino == b.st_ino && a.st_dev == b.st_dev);
	OK(unlink("a"));
	show("a");
	show("b");
	say("%s\n", read_file("b"));
	OK(mkdir("d", 0755));
	FAILS(link("d", "e"), EPERM);
	FAILS(link("b", "d"), EEXIST);
	FAILS(link("missing", "x"), ENOENT);
	FAILS(link("b", "b/x"), ENOTDIR);
	FAILS(unlink("d"), EISDIR);
	FAILS(unlink("missing"), ENOENT);
	FAILS(unlink("b/x"), ENOTDIR);
	OK(symlink("b", "s"));
	OK(linkat(AT_FDCWD, "s", AT_FDCWD, "to-link", 0));
	OK(linkat(AT_FDCWD, "s", AT_FDCWD, "to-target", AT_SYMLINK_FOLLOW));
	show("b");
	return 0;
}
