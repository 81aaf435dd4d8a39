/* SPDX-License-Identifier: Apache-2.0 */
/* The *at calls: relative to a directory, AT_FDCWD, absolute paths, wrong descriptors; O_PATH. */
#include "guest/guest.h"

int main(void)
{
	struct stat st;
	char text[8] = "";
	int dir, path, file;

	scratch();
	OK(mkdir("d", 0755));
	dir = OK(open("d", O_RDONLY | O_DIRECTORY));
	file = OK(openat(dir, "file", O_RDWR | O_CREAT, 0644));
	OK(mkdirat(dir, "sub", 0755));
	OK(symlinkat("file", dir, "link"));
	OK(linkat(dir, "file", dir, "hard", 0));
	OK(renameat(dir, "hard", AT_FDCWD, "moved"));
	OK(access("moved", F_OK));
	CHECK_EQ(readlinkat(dir, "link", text, 8), 4);
	OK(fstatat(dir, "link", &st, AT_SYMLINK_NOFOLLOW));
	say("%s %d\n", text, S_ISLNK(st.st_mode));
	OK(faccessat(dir, "sub", F_OK, 0));
	OK(unlinkat(dir, "link", 0));
	FAILS(unlinkat(dir, "sub", 0), EISDIR);
	OK(unlinkat(dir, "sub", AT_REMOVEDIR));
	FAILS(openat(file, "x", O_RDONLY), ENOTDIR);
	FAILS(openat(99, "x", O_RDONLY), EBADF);
	OK(openat(99, "/etc/passwd", O_RDONLY));
	FAILS(unlinkat(dir, "file", 0x40), EINVAL);
	path = OK(open("d/file", O_PATH));
	FAILS(read(path, text, 1), EBADF);
	FAILS(fchmod(path, 0600), EBADF);
	OK(fstat(path, &st));
	say("%ld %#x\n", (long)st.st_size, fcntl(path, F_GETFL) & O_PATH);
	OK(rmdir("d") < 0 && errno == ENOTEMPTY ? 0 : -1);
	return 0;
}
