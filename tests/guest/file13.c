/* SPDX-License-Identifier: Apache-2.0 */
/* utimensat and futimens: given times, now, omitted, and errors; writing changes mtime. */
#include "guest/guest.h"

static void show(const char *path)
{
	struct stat st;

	OK(stat(path, &st));
	say("%ld.%09ld %ld.%09ld\n", st.st_atim.tv_sec, st.st_atim.tv_nsec, st.st_mtim.tv_sec,
	    st.st_mtim.tv_nsec);
}

int main(void)
{
	struct timespec times[2] = { { 1000, 111 }, { 2000, 222 } };
	struct stat st;
	int fd;

	scratch();
	write_file("file", "");
	OK(utimensat(AT_FDCWD, "file", times, 0));
	show("file");
	times[0].tv_nsec = UTIME_OMIT;
	times[1] = (struct timespec){ 3000, 333 };
	OK(utimensat(AT_FDCWD, "file", times, 0));
	show("file");
	times[1].tv_nsec = UTIME_NOW;
	fd = OK(open("file", O_RDWR));
	OK(futimens(fd, times));
	OK(fstat(fd, &st));
	CHECK(labs((long)st.st_mtime - (long)time(NULL)) < 100);
	CHECK_EQ(st.st_atime, 1000);
	times[0] = times[1] = (struct timespec){ 5, 5 };
	OK(futimens(fd, times));
	OK(write(fd, "x", 1));
	OK(fstat(fd, &st));
	CHECK(labs((long)st.st_mtime - (long)time(NULL)) < 100);
	OK(symlink("file", "link"));
	OK(utimensat(AT_FDCWD, "link", times, AT_SYMLINK_NOFOLLOW));
	OK(lstat("link", &st));
	say("%ld\n", (long)st.st_mtime);
	OK(utimensat(AT_FDCWD, "file", NULL, 0));
	times[0].tv_nsec = 1000000000;
	FAILS(utimensat(AT_FDCWD, "file", times, 0), EINVAL);
	FAILS(utimensat(AT_FDCWD, "missing", NULL, 0), ENOENT);
	return 0;
}
