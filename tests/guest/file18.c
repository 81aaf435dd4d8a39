/* SPDX-License-Identifier: Apache-2.0 */
/* Path errors: too long, empty components, not a directory, slashes and dots. */
#include <limits.h>

#include "guest/guest.h"

int main(void)
{
	char name[300], path[PATH_MAX + 10];
	struct stat st;

	scratch();
	memset(name, 'n', sizeof(name));
	name[255] = 0;
	OK(mkdir(name, 0755));
	OK(rmdir(name));
	name[255] = 'n';
	name[256] = 0;
	FAILS(mkdir(name, 0755), ENAMETOOLONG);
	FAILS(stat(name, &st), ENAMETOOLONG);
	memset(path, '/', sizeof(path));
	path[PATH_MAX] = 0;
	FAILS(stat(path, &st), ENAMETOOLONG);
	path[PATH_MAX - 1] = 0;
	OK(stat(path, &st));
	write_file("file", "");
	OK(mkdir("d", 0755));
	OK(stat(".//d/./../d//.///", &st));
	FAILS(stat("file/", &st), ENOTDIR);
	FAILS(stat("file/.", &st), ENOTDIR);
	FAILS(stat("file/..", &st), ENOTDIR);
	FAILS(stat("missing/..", &st), ENOENT);
	OK(stat("/../../..", &st));
	FAILS(mkdir("d", 0755), EEXIST);
	FAILS(mkdir("/", 0755), EEXIST);
	FAILS(mkdir("missing/x", 0755), ENOENT);
	OK(mkdir("slash/", 0755));
	OK(mkdir("d/sub", 0755));
	FAILS(rmdir("d"), ENOTEMPTY);
	FAILS(rmdir("d/sub/."), EINVAL);
	FAILS(rmdir("d/sub/.."), ENOTEMPTY);
	FAILS(rmdir("file"), ENOTDIR);
	FAILS(rmdir("missing"), ENOENT);
	OK(rmdir("d/sub"));
	OK(rmdir("d"));
	say("ok\n");
	return 0;
}
