/* SPDX-License-Identifier: Apache-2.0 */
/* Anonymous mappings are zero, MAP_FIXED replaces, and a hole faults with SEGV_MAPERR. */
#include <setjmp.h>

#include "guest/guest.h"

static sigjmp_buf back;
static siginfo_t seen;

static void on_segv(int sig, siginfo_t *info, void *context)
{
	seen = *info;
	siglongjmp(back, sig);
}

int main(void)
{
	char *p = map_pages(8, PROT_READ | PROT_WRITE);

	for (size_t i = 0; i < 8 * PAGE; i++)
		CHECK_EQ(p[i], 0);
	memset(p, 'x', 8 * PAGE);
	CHECK(mmap(p + 2 * PAGE, PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == p + 2 * PAGE);
	CHECK_EQ(p[2 * PAGE], 0);
	CHECK_EQ(p[2 * PAGE - 1], 'x');
	CHECK_EQ(p[3 * PAGE], 'x');
	OK(munmap(p + 5 * PAGE, PAGE));
	handle_info(SIGSEGV, on_segv, 0);
	if (sigsetjmp(back, 1) == 0)
		p[5 * PAGE + 7] = 1;
	CHECK(seen.si_addr == p + 5 * PAGE + 7);
	say("code %d\n", seen.si_code);
	CHECK_EQ(p[6 * PAGE], 'x');
	OK(munmap(p, 8 * PAGE));
	OK(munmap(p, 8 * PAGE)); /* nothing there is no error */
	return 0;
}
