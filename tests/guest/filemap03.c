/* SPDX-License-Identifier: Apache-2.0 */
/* Processes that map one file share its memory. */
#include "guest/guest.h"

static int child(void *arg)
{
	int fd = OK(open("file", O_RDWR));
	char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	CHECK(p != MAP_FAILED);
	CHECK_EQ(p[0], 'p');
	p[PAGE] = 'c';
	return 0;
}

int main(void)
{
	char *p;
	int fd;

	scratch();
	fd = OK(open("file", O_RDWR | O_CREAT, 0644));
	OK(ftruncate(fd, 2 * (off_t)PAGE));
	p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	p[0] = 'p';
	wait_ok(spawn(child, NULL));
	say("%c%c\n", p[0], p[PAGE]);
	return 0;
}
