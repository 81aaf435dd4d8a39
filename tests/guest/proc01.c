/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/self: exe, cwd, root, fd links, and opening through them. */
#include <limits.h>
#include <dirent.h>

#include "guest/guest.h"

int main(void)
{
	char text[PATH_MAX] = "", path[64];
	int fd, ends[2], count = 0;
	struct stat a, b;
	DIR *d;

	scratch();
	OK(readlink("/proc/self/cwd", text, sizeof(text) - 1));
	CHECK(strcmp(text, scratch_path) == 0);
	OK(stat("/proc/self/exe", &a));
	CHECK(S_ISREG(a.st_mode));
	memset(text, 0, sizeof(text));
	OK(readlink("/proc/self/exe", text, sizeof(text) - 1));
	OK(stat(text, &b));
	CHECK(a.st_ino == b.st_ino);
	memset(text, 0, sizeof(text));
	OK(readlink("/proc/self/root", text, sizeof(text) - 1));
	say("%s\n", text);
	write_file("file", "through proc");
	fd = OK(open("file", O_RDWR));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	memset(text, 0, sizeof(text));
	OK(readlink(path, text, sizeof(text) - 1));
	say("%s\n", text + strlen(scratch_path));
	OK(lseek(fd, 5, SEEK_SET));
	say("%s\n", read_file(path)); /* a new open: from the start */
	OK(unlink("file"));
	say("%s\n", read_file(path));
	memset(text, 0, sizeof(text));
	OK(readlink(path, text, sizeof(text) - 1));
	say("%s\n", text + strlen(scratch_path));
	OK(pipe(ends));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[0]);
	memset(text, 0, sizeof(text));
	OK(readlink(path, text, sizeof(text) - 1));
	CHECK(strncmp(text, "pipe:[", 6) == 0);
	d = opendir("/proc/self/fd");
	for (struct dirent *e; (e = readdir(d));)
		count += e->d_name[0] != '.';
	CHECK_EQ(count, 3 + 1 + 2 + 1); /* standard, file, pipe, the directory */
	FAILS(readlink("/proc/self/fd/99", text, 10), ENOENT);
	memset(text, 0, sizeof(text));
	OK(readlink("/proc/self", text, sizeof(text) - 1));
	CHECK_EQ(atoi(text), getpid());
	return 0;
}
