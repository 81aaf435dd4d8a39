/* SPDX-License-Identifier: Apache-2.0 */
/* Touching a page of a file mapping past the end is SIGBUS, also after truncation. */
#include <setjmp.h>

#include "guest/guest.h"

static sigjmp_buf back;
static siginfo_t seen;

static void on_bus(int sig, siginfo_t *info, void *context)
{
	seen = *info;
	siglongjmp(back, sig);
}

static int touch(volatile char *p)
{
	seen.si_signo = seen.si_code = 0;
	if (sigsetjmp(back, 1) == 0)
		(void)*p;
	else
		CHECK(seen.si_addr == p);
	return seen.si_signo * 100 + seen.si_code;
}

int main(void)
{
	char *p;
	int fd;

	scratch();
	fd = OK(open("file", O_RDWR | O_CREAT, 0644));
	OK(ftruncate(fd, 2 * (off_t)PAGE));
	handle_info(SIGBUS, on_bus, 0);
	p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	p[PAGE] = 'x';
	say("%d %d %d\n", touch(p), touch(p + PAGE), touch(p + 2 * PAGE));
	OK(ftruncate(fd, 10));
	say("%d %d\n", touch(p), touch(p + PAGE));
	OK(ftruncate(fd, 3 * (off_t)PAGE));
	say("%d %d %d\n", touch(p + PAGE), touch(p + 2 * PAGE), touch(p + 3 * PAGE));
	say("%d\n", p[PAGE]);
	return 0;
}
