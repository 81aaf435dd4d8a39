/* SPDX-License-Identifier: Apache-2.0 */
/* Symbolic links: chains, loops, long targets, trailing slashes, readlink cuts. */
#include <limits.h>

#include "guest/guest.h"

int main(void)
{
	char text[PATH_MAX + 1] = "", name[16], target[16], large[PATH_MAX + 2];

	scratch();
	write_file("l0", "end of the chain");
	for (int i = 1; i <= 41; i++) {
		snprintf(name, sizeof(name), "l%d", i);
		snprintf(target, sizeof(target), "l%d", i - 1);
		OK(symlink(target, name));
	}
	say("%s\n", read_file("l40"));
	FAILS(open("l41", O_RDONLY), ELOOP);
	OK(symlink("loop", "loop"));
	FAILS(open("loop", O_RDONLY), ELOOP);
	FAILS(stat("loop/x", &(struct stat){ 0 }), ELOOP);
	OK(lstat("loop", &(struct stat){ 0 }));
	CHECK_EQ(readlink("l1", text, 1), 1);
	say("%.1s %ld\n", text, (long)readlink("l41", text, sizeof(text)));
	FAILS(readlink("l0", text, 10), EINVAL);
	FAILS(readlink("l1", text, 0), EINVAL);
	FAILS(symlink("x", "l1"), EEXIST);
	FAILS(symlink("", "empty"), ENOENT);
	memset(large, 'x', PATH_MAX);
	large[PATH_MAX] = 0;
	FAILS(symlink(large, "long"), ENAMETOOLONG);
	large[PATH_MAX - 1] = 0;
	OK(symlink(large, "long"));
	CHECK_EQ(readlink("long", text, sizeof(text)), PATH_MAX - 1);
	OK(mkdir("d", 0755));
	OK(symlink("d", "dl"));
	OK(symlink("../l0", "d/up"));
	say("%s\n", read_file("dl/up"));
	say("%s\n", read_file("dl/../l0"));
	FAILS(unlink("dl/"), ENOTDIR);
	FAILS(rmdir("dl"), ENOTDIR);
	OK(lstat("dl/", &(struct stat){ 0 }));
	OK(unlink("dl"));
	OK(access("d", F_OK));
	return 0;
}
