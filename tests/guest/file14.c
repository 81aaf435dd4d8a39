/* SPDX-License-Identifier: Apache-2.0 */
/* The current directory: chdir, fchdir, getcwd, removed, renamed. */
#include <limits.h>

#include "guest/guest.h"

static const char *below(void)
{
	static char cwd[PATH_MAX];

	if (!getcwd(cwd, sizeof(cwd)))
		return strerror(errno);
	return strncmp(cwd, scratch_path, strlen(scratch_path)) == 0 ? cwd + strlen(scratch_path)
								     : cwd;
}

int main(void)
{
	char small[4];
	int fd;

	scratch();
	OK(mkdir("a", 0755));
	OK(mkdir("a/b", 0755));
	OK(chdir("a/b"));
	say("[%s]\n", below());
	fd = OK(open("..", O_RDONLY | O_DIRECTORY));
	OK(chdir("../.."));
	say("[%s]\n", below());
	OK(fchdir(fd));
	say("[%s]\n", below());
	OK(rename("../a", "../renamed"));
	say("[%s]\n", below());
	OK(chdir("b"));
	OK(rmdir("../b"));
	say("[%s]\n", below());
	FAILS(open("x", O_RDWR | O_CREAT, 0600), ENOENT);
	OK(chdir(scratch_path));
	FAILS(syscall(SYS_getcwd, small, sizeof(small)), ERANGE);
	FAILS(syscall(SYS_getcwd, bad_address(), 4096), EFAULT);
	FAILS(chdir("missing"), ENOENT);
	write_file("file", "");
	FAILS(chdir("file"), ENOTDIR);
	FAILS(fchdir(OK(open("file", O_RDONLY))), ENOTDIR);
	OK(chdir("/"));
	OK(chdir(".."));
	say("[%s]\n", below());
	return 0;
}
