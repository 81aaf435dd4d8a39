/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Maps a read-only file shared and makes the mapping writable afterwards, then writes what it may have of it.
 * Stopped by: mprotect(2) knows how the file was opened; a private copy is not the file.
 * Escape-Expect: stopped: EACCES from mprotect
 * Escape-Expect: stopped: a private copy was written
 * Escape-Expect: stopped: EFAULT from read into a read-only mapping
 * Escape-Expect: stopped: EIO from pwrite to /proc/self/mem
 */
#include "escape/escape.h"

void attempt(void)
{
	int fd = OK(open(base_path("shelf/text"), O_RDONLY));
	char *shared = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	char *private = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	char first;

	CHECK(shared != MAP_FAILED && private != MAP_FAILED);
	first = shared[0];
	REFUSED("mprotect", mprotect(shared, PAGE, PROT_READ | PROT_WRITE));
	private[0] = '!';
	if (shared[0] != first)
		escaped("a private mapping changed the file");
	stopped("a private copy was written");
	/* Writing through the kernel instead of through the page tables. */
	REFUSED("read into a read-only mapping", read(OK(open("/dev/zero", O_RDONLY)), shared, 1));
	fd = OK(open("/proc/self/mem", O_RDWR));
	REFUSED("pwrite to /proc/self/mem", pwrite(fd, "!", 1, (off_t)(uintptr_t)shared));
	if (shared[0] != first)
		escaped("the page cache of the file changed");
}
