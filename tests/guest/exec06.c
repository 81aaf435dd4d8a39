/* SPDX-License-Identifier: Apache-2.0 */
/* execveat and fexecve: by descriptor, relative to a directory, without following. */
#include <limits.h>

#include "guest/guest.h"

extern char **environ;

static void run(int dir, const char *path, int flags, int error)
{
	pid_t pid = OK(fork());

	if (pid == 0) {
		syscall(SYS_execveat, dir, path, ARGS("x", "y"), environ, flags);
		_exit(errno == error ? 0 : 1);
	}
	wait_ok(pid);
}

int main(int argc, char **argv)
{
	char self[PATH_MAX] = "", *name;
	int exe, dir;

	if (argc > 1) {
		say("ran\n");
		return 0;
	}
	OK(readlink("/proc/self/exe", self, sizeof(self) - 1));
	exe = OK(open(self, O_RDONLY | O_CLOEXEC));
	name = strrchr(self, '/');
	*name++ = 0;
	dir = OK(open(self, O_RDONLY | O_DIRECTORY));
	run(exe, "", AT_EMPTY_PATH, 0);
	run(exe, "", 0, ENOENT);
	run(dir, name, 0, 0);
	run(dir, "missing", 0, ENOENT);
	run(99, name, 0, EBADF);
	run(dir, name, 0x40, EINVAL);
	scratch();
	snprintf(self + strlen(self), 100, "/%s", name);
	OK(symlink(self, "link"));
	run(AT_FDCWD, "link", 0, 0);
	run(AT_FDCWD, "link", AT_SYMLINK_NOFOLLOW, ELOOP);
	return 0;
}
