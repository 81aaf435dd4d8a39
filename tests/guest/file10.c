/* SPDX-License-Identifier: Apache-2.0 */
/* stat, fstat, lstat, statx: kind, mode, size, links, times, identity. */
#include <sys/sysmacros.h>

#include "guest/guest.h"

static void show(const char *what, const struct stat *st)
{
	say("%s: mode %o links %d size %ld uid %d gid %d\n", what, st->st_mode,
	    S_ISDIR(st->st_mode) ? 0 : (int)st->st_nlink,
	    S_ISDIR(st->st_mode) ? 0 : (long)st->st_size, (int)st->st_uid, (int)st->st_gid);
}

int main(void)
{
	struct stat st, other;
	struct statx x;

	scratch();
	write_file("file", "0123456789");
	OK(mkdir("d", 0711));
	OK(symlink("file", "link"));
	OK(stat("file", &st));
	show("file", &st);
	CHECK(st.st_blksize >= 512);
	CHECK(labs((long)st.st_mtime - (long)time(NULL)) < 100);
	OK(fstat(OK(open("file", O_RDONLY)), &other));
	CHECK(other.st_ino == st.st_ino && other.st_dev == st.st_dev);
	OK(stat("link", &other));
	CHECK(other.st_ino == st.st_ino);
	OK(lstat("link", &other));
	show("link", &other);
	OK(stat("d", &other));
	show("d", &other);
	OK(fstatat(AT_FDCWD, "", &other, AT_EMPTY_PATH));
	CHECK(S_ISDIR(other.st_mode));
	OK(statx(AT_FDCWD, "file", 0, STATX_BASIC_STATS, &x));
	CHECK(x.stx_ino == st.st_ino && x.stx_dev_major == major(st.st_dev) &&
	      x.stx_dev_minor == minor(st.st_dev));
	say("%o %d %d\n", x.stx_mode, (int)x.stx_size,
	    (x.stx_mask & STATX_BASIC_STATS) == STATX_BASIC_STATS);
	OK(statx(AT_FDCWD, "link", AT_SYMLINK_NOFOLLOW, STATX_TYPE, &x));
	say("%o\n", x.stx_mode & S_IFMT);
	OK(stat("/dev/null", &st));
	say("%o %d %d\n", st.st_mode, major(st.st_rdev), minor(st.st_rdev));
	OK(fstat(0, &st));
	FAILS(stat("missing", &st), ENOENT);
	FAILS(stat("file", bad_address()), EFAULT);
	FAILS(fstat(99, &st), EBADF);
	FAILS(fstatat(AT_FDCWD, "file", &st, 0x8000000), EINVAL);
	FAILS(statx(AT_FDCWD, "file", 0, 0x80000000, &x), EINVAL);
	return 0;
}
