/* SPDX-License-Identifier: Apache-2.0 */
/* madvise: MADV_DONTNEED gives zeros (anonymous) or the file again (private file mapping). */
#include "guest/guest.h"

int main(void)
{
	char *p = map_pages(4, PROT_READ | PROT_WRITE), *m;
	int fd;

	memset(p, 'x', 4 * PAGE);
	OK(madvise(p + PAGE, 2 * PAGE, MADV_DONTNEED));
	say("%d %d %d %d\n", p[0], p[PAGE], p[2 * PAGE], p[3 * PAGE]);
	OK(madvise(p, 4 * PAGE, MADV_WILLNEED));
	OK(madvise(p, 4 * PAGE, MADV_NORMAL));
	OK(madvise(p, 4 * PAGE, MADV_SEQUENTIAL));
	OK(madvise(p, 4 * PAGE, MADV_FREE));
	p[0] = 'y';
	CHECK_EQ(p[0], 'y');
	scratch();
	write_file("file", "from the file");
	fd = OK(open("file", O_RDWR));
	m = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	CHECK(m != MAP_FAILED);
	memcpy(m, "CHANGED", 7);
	say("%s\n", m);
	OK(madvise(m, PAGE, MADV_DONTNEED));
	say("%s\n", m);
	FAILS(madvise(p + 1, PAGE, MADV_DONTNEED), EINVAL);
	FAILS(madvise(p, PAGE, 12345), EINVAL);
	OK(munmap(p, PAGE));
	FAILS(madvise(p, 2 * PAGE, MADV_DONTNEED), ENOMEM);
	return 0;
}
