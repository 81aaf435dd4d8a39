/* SPDX-License-Identifier: Apache-2.0 */
/* open: O_CREAT, O_EXCL, O_TRUNC, O_DIRECTORY, O_NOFOLLOW, access modes, and their errors. */
#include "guest/guest.h"

int main(void)
{
	char c;
	int fd;

	scratch();
	FAILS(open("a", O_RDONLY), ENOENT);
	fd = OK(open("a", O_WRONLY | O_CREAT | O_EXCL, 0640));
	OK(write(fd, "text", 4));
	FAILS(read(fd, &c, 1), EBADF);
	FAILS(open("a", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
	fd = OK(open("a", O_RDONLY | O_CREAT, 0600));
	FAILS(write(fd, "x", 1), EBADF);
	say("%ld\n", size_of_file("a"));
	OK(open("a", O_WRONLY | O_TRUNC));
	say("%ld\n", size_of_file("a"));
	OK(mkdir("d", 0755));
	OK(symlink("a", "link"));
	OK(symlink("nowhere", "dangling"));
	OK(symlink("d", "dlink"));
	OK(open("d", O_RDONLY));
	OK(open("d", O_RDONLY | O_DIRECTORY));
	FAILS(open("d", O_WRONLY), EISDIR);
	FAILS(open("d", O_RDONLY | O_CREAT, 0600), EISDIR);
	FAILS(open("a", O_RDONLY | O_DIRECTORY), ENOTDIR);
	FAILS(open("a/", O_RDONLY), ENOTDIR);
	FAILS(open("new/", O_WRONLY | O_CREAT, 0600), EISDIR);
	FAILS(open("link", O_RDONLY | O_NOFOLLOW), ELOOP);
	FAILS(open("dlink", O_RDONLY | O_NOFOLLOW | O_DIRECTORY), ENOTDIR);
	FAILS(open("dangling", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
	OK(open("dangling", O_RDWR | O_CREAT, 0600)); /* makes its target */
	OK(access("nowhere", F_OK));
	OK(open("dlink/", O_RDONLY));
	FAILS(open("d/missing/x", O_RDONLY | O_CREAT, 0600), ENOENT);
	FAILS(open("a/x", O_RDONLY), ENOTDIR);
	FAILS(open("", O_RDONLY), ENOENT);
	FAILS(open(bad_address(), O_RDONLY), EFAULT);
	return 0;
}
