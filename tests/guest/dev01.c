/* SPDX-License-Identifier: Apache-2.0 */
/* /dev: null, zero, full, random, urandom behave; wrong operations fail. */
#include "guest/guest.h"

static int dev(const char *path)
{
	return OK(open(path, O_RDWR));
}

int main(void)
{
	char a[64], b[64];
	int fd;
	char *p;

	fd = dev("/dev/null");
	CHECK_EQ(write(fd, "xyz", 3), 3);
	CHECK_EQ(read(fd, a, 64), 0);
	CHECK_EQ(lseek(fd, 100, SEEK_SET), 0);
	OK(open("/dev/null", O_WRONLY | O_TRUNC | O_CREAT, 0666));
	fd = dev("/dev/zero");
	memset(a, 1, sizeof(a));
	CHECK_EQ(read(fd, a, 64), 64);
	for (int i = 0; i < 64; i++)
		CHECK_EQ(a[i], 0);
	CHECK_EQ(write(fd, a, 64), 64);
	p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	CHECK(p != MAP_FAILED);
	CHECK_EQ(p[PAGE + 5], 0);
	p[0] = 1;
	fd = dev("/dev/full");
	FAILS(write(fd, "x", 1), ENOSPC);
	CHECK_EQ(read(fd, a, 64), 64);
	CHECK_EQ(a[63], 0);
	CHECK_EQ(read(dev("/dev/urandom"), a, 64), 64);
	CHECK_EQ(read(OK(open("/dev/random", O_RDONLY)), b, 64), 64);
	CHECK(memcmp(a, b, 64) != 0);
	FAILS(open("/dev/missing", O_RDONLY), ENOENT);
	FAILS(open("/dev/null/x", O_RDONLY), ENOTDIR);
	FAILS(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, dev("/dev/null"), 0), ENODEV);
	say("ok\n");
	return 0;
}
