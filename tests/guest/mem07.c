/* SPDX-License-Identifier: Apache-2.0 */
/* mmap: flags, hints, MAP_FIXED_NOREPLACE, and errors. */
#include "guest/guest.h"

static void *map(void *at, size_t length, int prot, int flags, int fd, off_t offset)
{
	return mmap(at, length, prot, flags, fd, offset);
}

int main(void)
{
	const int anon = MAP_PRIVATE | MAP_ANONYMOUS, rw = PROT_READ | PROT_WRITE;
	char *p = map_pages(4, rw), *q;
	int fd;

	FAILS(map(NULL, 0, rw, anon, -1, 0), EINVAL);
	FAILS(map(NULL, PAGE, rw, MAP_ANONYMOUS, -1, 0), EINVAL);
	FAILS(map(NULL, PAGE, rw, MAP_PRIVATE, -1, 0), EBADF);
	FAILS(map(NULL, PAGE, rw, MAP_PRIVATE, 0, 1), EINVAL);
	FAILS(map((void *)(p + 1), PAGE, rw, anon | MAP_FIXED, -1, 0), EINVAL);
	FAILS(map(NULL, 1ul << 62, rw, anon, -1, 0), ENOMEM);
	FAILS(map(NULL, -1ul, rw, anon, -1, 0), ENOMEM);
	FAILS(map(p + PAGE, PAGE, rw, anon | MAP_FIXED_NOREPLACE, -1, 0), EEXIST);
	OK(munmap(p + PAGE, PAGE));
	CHECK(map(p + PAGE, PAGE, rw, anon | MAP_FIXED_NOREPLACE, -1, 0) == p + PAGE);
	q = map(p, PAGE, rw, anon, -1, 0); /* a taken hint is only a hint */
	CHECK(q != MAP_FAILED && q != p);
	OK(munmap(q, PAGE));
	CHECK(map(q, PAGE, rw, anon, -1, 0) == q); /* a free one is followed */
	q = map(NULL, 16 * PAGE, rw, anon | MAP_POPULATE, -1, 0);
	CHECK(q != MAP_FAILED);
	CHECK_EQ(q[15 * PAGE], 0);
	scratch();
	write_file("file", "text");
	fd = OK(open("file", O_RDONLY));
	FAILS(map(NULL, PAGE, rw, MAP_SHARED, fd, 0), EACCES);
	CHECK(map(NULL, PAGE, rw, MAP_PRIVATE, fd, 0) != MAP_FAILED);
	OK(close(fd));
	fd = OK(open("file", O_WRONLY));
	FAILS(map(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0), EACCES);
	fd = OK(open(".", O_RDONLY | O_DIRECTORY));
	FAILS(map(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0), ENODEV);
	FAILS(munmap(p + 1, PAGE), EINVAL);
	FAILS(munmap(p, 0), EINVAL);
	say("mmap ok\n");
	return 0;
}
