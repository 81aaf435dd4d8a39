/* SPDX-License-Identifier: Apache-2.0 */
/* Code written to memory runs if the memory is executable, and faults if not. */
#include <setjmp.h>

#include "guest/guest.h"

static const unsigned char return_42[] = { 0xb8, 42, 0, 0, 0, 0xc3 };
static sigjmp_buf back;
static siginfo_t seen;

static void on_segv(int sig, siginfo_t *info, void *context)
{
	seen = *info;
	siglongjmp(back, sig);
}

int main(void)
{
	char *p = map_pages(1, PROT_READ | PROT_WRITE);
	int (*volatile code)(void) = (int (*)(void))(uintptr_t)p;

	memcpy(p, return_42, sizeof(return_42));
	handle_info(SIGSEGV, on_segv, 0);
	if (sigsetjmp(back, 1) == 0)
		code();
	CHECK(seen.si_addr == p);
	say("code %d\n", seen.si_code);
	OK(mprotect(p, PAGE, PROT_READ | PROT_EXEC));
	say("%d\n", code());
	OK(mprotect(p, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC));
	p[1] = 43;
	say("%d\n", code());
	return 0;
}
