/* SPDX-License-Identifier: Apache-2.0 */
/* mprotect: protections take effect at once, split mappings, and fault with SEGV_ACCERR. */
#include <setjmp.h>

#include "guest/guest.h"

static sigjmp_buf back;
static int code;

static void on_segv(int sig, siginfo_t *info, void *context)
{
	code = info->si_code;
	siglongjmp(back, sig);
}

static int try_read(volatile char *p)
{
	code = 0;
	if (sigsetjmp(back, 1) == 0)
		(void)*p;
	return code;
}

static int try_write(volatile char *p)
{
	code = 0;
	if (sigsetjmp(back, 1) == 0)
		*p = 'w';
	return code;
}

int main(void)
{
	char *p = map_pages(4, PROT_READ | PROT_WRITE);

	handle_info(SIGSEGV, on_segv, 0);
	memset(p, 'a', 4 * PAGE);
	OK(mprotect(p + PAGE, PAGE, PROT_READ));
	say("read-only: read %d write %d\n", try_read(p + PAGE), try_write(p + PAGE));
	OK(mprotect(p + 2 * PAGE, PAGE, PROT_NONE));
	say("none: read %d write %d\n", try_read(p + 2 * PAGE), try_write(p + 2 * PAGE));
	say("neighbours: %d %d\n", try_write(p), try_write(p + 3 * PAGE));
	OK(mprotect(p, 4 * PAGE, PROT_READ | PROT_WRITE));
	say("again: %d %d %c\n", try_write(p + PAGE), try_write(p + 2 * PAGE), p[2 * PAGE + 1]);
	for (int i = 0; i < 100; i++) {
		OK(mprotect(p, PAGE, PROT_READ));
		CHECK_EQ(try_write(p), SEGV_ACCERR);
		OK(mprotect(p, PAGE, PROT_READ | PROT_WRITE));
		CHECK_EQ(try_write(p), 0);
	}
	FAILS(mprotect(p + 1, PAGE, PROT_READ), EINVAL);
	OK(munmap(p + 2 * PAGE, PAGE));
	FAILS(mprotect(p, 4 * PAGE, PROT_READ), ENOMEM);
	return 0;
}
