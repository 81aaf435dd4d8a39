/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opens read-only files of the host again for writing, by /proc/self/fd, by O_PATH descriptors, by fcntl and by mmap.
 * Stopped by: the read-only mount and the mode of the first open count again each time.
 * Escape-Expect: stopped: EROFS from a read-only file by /proc/self/fd
 * Escape-Expect: stopped: EROFS from a read-only file by /dev/fd
 * Escape-Expect: stopped: EBADF from write
 * Escape-Expect: stopped: EBADF from pwrite
 * Escape-Expect: stopped: EINVAL from ftruncate
 * Escape-Expect: stopped: EBADF from fallocate
 * Escape-Expect: stopped: EACCES from shared mmap
 * Escape-Expect: stopped: EBADF from write after F_SETFL
 * Escape-Expect: stopped: EROFS from fchmod
 * Escape-Expect: stopped: EROFS from fchown
 * Escape-Expect: stopped: EROFS from futimens
 * Escape-Expect: stopped: EROFS from an O_PATH descriptor by /proc/self/fd
 * Escape-Expect: stopped: EROFS from an O_PATH descriptor by /dev/fd
 * Escape-Expect: stopped: EBADF from write to O_PATH
 * Escape-Expect: stopped: ENOENT from openat AT_EMPTY_PATH
 */
#include "escape/escape.h"

static void try_descriptor(const char *name, int fd)
{
	char path[64], what[96];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	snprintf(what, sizeof(what), "%s by /proc/self/fd", name);
	REFUSED(what, open(path, O_RDWR));
	snprintf(path, sizeof(path), "/dev/fd/%d", fd);
	snprintf(what, sizeof(what), "%s by /dev/fd", name);
	REFUSED(what, open(path, O_WRONLY | O_TRUNC));
}

void attempt(void)
{
	int fd = OK(open(base_path("shelf/text"), O_RDONLY)), path_fd;

	try_descriptor("a read-only file", fd);
	REFUSED("write", write(fd, "x", 1));
	REFUSED("pwrite", pwrite(fd, "x", 1, 0));
	REFUSED("ftruncate", ftruncate(fd, 0));
	REFUSED("fallocate", fallocate(fd, 0, 0, 1 << 20));
	REFUSED("shared mmap", mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	OK(fcntl(fd, F_SETFL, O_RDWR | O_APPEND));
	REFUSED("write after F_SETFL", write(fd, "x", 1));
	REFUSED("fchmod", fchmod(fd, 0777));
	REFUSED("fchown", fchown(fd, 1, 1));
	REFUSED("futimens", futimens(fd, NULL));
	path_fd = OK(open(base_path("beside"), O_PATH));
	try_descriptor("an O_PATH descriptor", path_fd);
	REFUSED("write to O_PATH", write(path_fd, "x", 1));
	REFUSED("openat AT_EMPTY_PATH", openat(path_fd, "", O_RDWR));
}
