/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel reads and writes user memory that is absent, copy-on-write or across pages. */
#include <sys/uio.h>

#include "guest/guest.h"

static int child(void *arg)
{
	char *p = arg;
	int fd = OK(open("file", O_RDONLY));

	CHECK_EQ(OK(pread(fd, p + PAGE - 100, 200, 0)),
		 200); /* into pages shared with the parent */
	CHECK_EQ(p[PAGE - 100], 'A');
	CHECK_EQ(p[PAGE + 99], 'A');
	return 0;
}

int main(void)
{
	char *p = map_pages(16, PROT_READ | PROT_WRITE), text[301];
	int fd;

	scratch();
	memset(text, 'A', 300);
	text[300] = 0;
	write_file("file", text);
	fd = OK(open("file", O_RDWR));
	CHECK_EQ(OK(pread(fd, p + 2 * PAGE - 150, 300, 0)), 300); /* absent pages */
	CHECK_EQ(p[2 * PAGE + 149], 'A');
	CHECK_EQ(OK(pwrite(fd, p + 8 * PAGE - 10, 20, 0)), 20); /* never touched: zeros */
	CHECK_EQ(OK(pread(fd, text, 20, 0)), 20);
	CHECK_EQ(text[0], 0);
	CHECK_EQ(OK(pwrite(fd, "AAAAAAAAAAAAAAAAAAAA", 20, 0)), 20);
	memset(p, 'p', 2 * PAGE);
	wait_ok(spawn(child, p));
	CHECK_EQ(p[PAGE - 100], 'p');
	CHECK_EQ(p[PAGE + 99], 'p');
	OK(mprotect(p + PAGE, PAGE, PROT_READ));
	FAILS(pread(fd, p + PAGE, 10, 0), EFAULT);
	CHECK_EQ(OK(pread(fd, p + PAGE - 10, 20, 0)), 10); /* up to the fault */
	say("ok\n");
	return 0;
}
