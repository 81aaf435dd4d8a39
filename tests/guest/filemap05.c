/* SPDX-License-Identifier: Apache-2.0 */
/* memfd: size, mapping, sharing over fork, close-on-exec flag. */
#include "guest/guest.h"

static int child(void *arg)
{
	((char *)arg)[1] = 'c';
	return 0;
}

int main(void)
{
	int fd = OK(memfd_create("name", MFD_CLOEXEC));
	char *p, text[8] = "";

	say("%d\n", fcntl(fd, F_GETFD));
	OK(ftruncate(fd, PAGE));
	p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	p[0] = 'p';
	wait_ok(spawn(child, p));
	OK(pread(fd, text, 2, 0));
	say("%s\n", text);
	FAILS(memfd_create("name", 0x8000), EINVAL);
	FAILS(syscall(SYS_memfd_create, 1, 0), EFAULT);
	return 0;
}
