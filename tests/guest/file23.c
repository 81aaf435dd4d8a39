/* SPDX-License-Identifier: Apache-2.0 */
/* chown, lchown, statfs, mknod of a regular file, O_TMPFILE. */
#include <sys/vfs.h>

#include "guest/guest.h"

int main(void)
{
	struct stat st;
	struct statfs fs;
	int fd;

	scratch();
	write_file("file", "");
	OK(chown("file", (uid_t)-1, (gid_t)-1));
	OK(chown("file", getuid(), getgid()));
	OK(symlink("file", "link"));
	OK(lchown("link", getuid(), getgid()));
	OK(fchown(OK(open("file", O_RDONLY)), getuid(), (gid_t)-1));
	FAILS(chown("missing", 0, 0), ENOENT);
	OK(mknod("node", S_IFREG | 0600, 0));
	OK(stat("node", &st));
	say("%o\n", st.st_mode);
	OK(statfs(".", &fs));
	CHECK(fs.f_bsize >= 512 && fs.f_namelen >= 255);
	OK(fstatfs(OK(open(".", O_RDONLY)), &fs));
	FAILS(statfs("missing", &fs), ENOENT);
	fd = open(".", O_TMPFILE | O_RDWR, 0600);
	if (fd >= 0) { /* not every file system has it */
		OK(write(fd, "x", 1));
		OK(fstat(fd, &st));
		CHECK_EQ(st.st_nlink, 0);
	}
	return 0;
}
