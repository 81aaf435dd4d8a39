/* SPDX-License-Identifier: Apache-2.0 */
/* A mapping outlives close and unlink; offsets select pages. */
#include "guest/guest.h"

int main(void)
{
	char block[PAGE], *p;
	int fd;

	scratch();
	fd = OK(open("file", O_RDWR | O_CREAT, 0644));
	for (int i = 0; i < 4; i++) {
		memset(block, 'a' + i, PAGE);
		OK(write(fd, block, PAGE));
	}
	p = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fd, PAGE);
	CHECK(p != MAP_FAILED);
	OK(close(fd));
	OK(unlink("file"));
	say("%c%c\n", p[0], p[2 * PAGE - 1]);
	FAILS(mprotect(p, PAGE, PROT_NONE) ? -1 : open("file", O_RDONLY), ENOENT);
	OK(munmap(p, 2 * PAGE));
	return 0;
}
