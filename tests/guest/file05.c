/* SPDX-License-Identifier: Apache-2.0 */
/* rename: over files and directories, into itself, across kinds; NOREPLACE and EXCHANGE. */
#include "guest/guest.h"

int main(void)
{
	scratch();
	write_file("a", "a");
	write_file("b", "b");
	OK(mkdir("d", 0755));
	OK(mkdir("e", 0755));
	OK(rename("a", "b"));
	FAILS(open("a", O_RDONLY), ENOENT);
	say("%s\n", read_file("b"));
	OK(rename("b", "d/c"));
	say("%s\n", read_file("d/c"));
	FAILS(rename("d", "d/x"), EINVAL);
	FAILS(rename("e", "d"), ENOTEMPTY);
	OK(rename("d", "e"));
	say("%s\n", read_file("e/c"));
	OK(mkdir("f", 0755));
	FAILS(rename("e/c", "f"), EISDIR);
	FAILS(rename("f", "e/c"), ENOTDIR);
	FAILS(rename("missing", "x"), ENOENT);
	FAILS(rename("e/c", "missing/x"), ENOENT);
	OK(rename("e/c", "e/c"));
	OK(link("e/c", "e/hard"));
	OK(rename("e/c", "e/hard")); /* one file: nothing happens */
	OK(access("e/c", F_OK));
	write_file("x", "x");
	write_file("y", "y");
	FAILS(renameat2(AT_FDCWD, "x", AT_FDCWD, "y", RENAME_NOREPLACE), EEXIST);
	OK(renameat2(AT_FDCWD, "x", AT_FDCWD, "y", RENAME_EXCHANGE));
	say("%s", read_file("x"));
	say("%s\n", read_file("y"));
	FAILS(renameat2(AT_FDCWD, "x", AT_FDCWD, "y", 0x100), EINVAL);
	FAILS(rename("e/.", "g"), EBUSY);
	OK(symlink("x", "s"));
	OK(rename("s", "t")); /* the link, not its target */
	OK(access("x", F_OK));
	return 0;
}
