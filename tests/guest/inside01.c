/* SPDX-License-Identifier: Apache-2.0 */
/* Inside only: files of the host can be changed, replaced and removed here, in the writable layer. */
#include <dirent.h>

#include "guest/inside.h"

int main(void)
{
	int fd;
	char text[8] = "";

	inside_only();
	if (getuid() != 0)
		return 0; /* the files below are root's */
	fd = OK(open("/etc/passwd", O_RDWR));
	OK(pwrite(fd, "ROOT", 4, 0));
	OK(pread(fd, text, 4, 0));
	CHECK(strcmp(text, "ROOT") == 0);
	CHECK(strncmp(read_file("/etc/passwd"), "ROOT", 4) == 0);
	write_file("/etc/rf-new-file", "new");
	CHECK(strcmp(read_file("/etc/rf-new-file"), "new") == 0);
	OK(rename("/etc/rf-new-file", "/etc/hosts"));
	CHECK(strcmp(read_file("/etc/hosts"), "new") == 0);
	OK(unlink("/etc/hosts"));
	FAILS(open("/etc/hosts", O_RDONLY), ENOENT);
	OK(mkdir("/rf-new-directory", 0755));
	OK(rmdir("/rf-new-directory"));
	OK(chmod("/etc/passwd", 0600));
	OK(rename("/usr/bin/env", "/usr/bin/rf-env"));
	OK(access("/usr/bin/rf-env", X_OK));
	FAILS(access("/usr/bin/env", F_OK), ENOENT);
	OK(truncate("/etc/group", 0));
	CHECK_EQ(size_of_file("/etc/group"), 0);
	return 0;
}
