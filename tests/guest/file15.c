/* SPDX-License-Identifier: Apache-2.0 */
/* openat2: what the RESOLVE flags refuse, and its structure's checks. */
#include <linux/openat2.h>

#include "guest/guest.h"

static long openat2(const char *path, uint64_t flags, uint64_t resolve)
{
	struct open_how how = { .flags = flags, .resolve = resolve };

	long r;

	do /* EAGAIN: somebody renamed something meanwhile, anywhere; see openat2(2) */
		r = syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
	while (r < 0 && errno == EAGAIN);
	return r;
}

int main(void)
{
	struct open_how how = { .flags = O_RDONLY };
	struct {
		struct open_how how;
		uint64_t more;
	} longer = { { .flags = O_RDONLY }, 1 };

	scratch();
	OK(mkdir("d", 0755));
	write_file("d/file", "");
	OK(symlink("d/file", "link"));
	OK(symlink("/etc", "absolute"));
	OK(symlink("..", "up"));
	OK(openat2("d/file", O_RDONLY, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS));
	OK(openat2("d/../d/file", O_RDONLY, RESOLVE_BENEATH));
	FAILS(openat2("link", O_RDONLY, RESOLVE_NO_SYMLINKS), ELOOP);
	OK(openat2("link", O_RDONLY, RESOLVE_BENEATH));
	FAILS(openat2("..", O_RDONLY, RESOLVE_BENEATH), EXDEV);
	FAILS(openat2("up", O_RDONLY, RESOLVE_BENEATH), EXDEV);
	FAILS(openat2("/etc/passwd", O_RDONLY, RESOLVE_BENEATH), EXDEV);
	FAILS(openat2("absolute/passwd", O_RDONLY, RESOLVE_BENEATH), EXDEV);
	OK(openat2("/d/file", O_RDONLY, RESOLVE_IN_ROOT));
	OK(openat2("../../d/file", O_RDONLY, RESOLVE_IN_ROOT));
	FAILS(openat2("absolute", O_RDONLY, RESOLVE_IN_ROOT), ENOENT);
	FAILS(openat2("/proc/self/exe", O_RDONLY, RESOLVE_NO_MAGICLINKS), ELOOP);
	FAILS(openat2("/proc/self/stat", O_RDONLY, RESOLVE_NO_XDEV), EXDEV);
	FAILS(openat2("d", O_RDONLY, 1u << 30), EINVAL);
	FAILS(openat2("d", 1ull << 40, 0), EINVAL);
	FAILS(syscall(SYS_openat2, AT_FDCWD, "d", &how, 8), EINVAL);
	FAILS(syscall(SYS_openat2, AT_FDCWD, "d", &longer, sizeof(longer)), E2BIG);
	longer.more = 0;
	OK(syscall(SYS_openat2, AT_FDCWD, "d", &longer, sizeof(longer)));
	how.mode = 0644; /* without O_CREAT */
	FAILS(syscall(SYS_openat2, AT_FDCWD, "d", &how, sizeof(how)), EINVAL);
	say("ok\n");
	return 0;
}
