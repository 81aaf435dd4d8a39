/* SPDX-License-Identifier: Apache-2.0 */
/* siglongjmp out of a handler, a thousand times, restores the mask. */
#include <setjmp.h>

#include "guest/guest.h"

static sigjmp_buf back;

static void handler(int sig)
{
	siglongjmp(back, 1);
}

int main(void)
{
	volatile int count = 0;
	sigset_t set;

	handle(SIGSEGV, handler, 0);
	while (count < 1000) {
		if (sigsetjmp(back, 1) == 0)
			*(volatile int *)bad_address() = 1;
		count++;
	}
	OK(sigprocmask(SIG_BLOCK, NULL, &set));
	say("%d %d\n", count, sigismember(&set, SIGSEGV));
	return 0;
}
