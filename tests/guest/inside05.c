/* SPDX-License-Identifier: Apache-2.0 */
/* Inside only: the kernel's own memory is out of reach for the program. */
#include <setjmp.h>

#include "guest/inside.h"

static sigjmp_buf back;

static void handler(int sig)
{
	siglongjmp(back, sig);
}

int main(void)
{
	static const uintptr_t addresses[] = { 0x7e0000000000, 0x7e0000200000, 0x7e0001000000,
					       0x7e7ffffff000, 0x7dfffffff000 + 0x1000 };
	char *p;

	inside_only();
	handle(SIGSEGV, handler, SA_NODEFER);
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		if (sigsetjmp(back, 1) == 0)
			FAIL("read %#lx: %d", addresses[i], *(volatile char *)addresses[i]);
		if (sigsetjmp(back, 1) == 0) {
			*(volatile char *)addresses[i] = 1;
			FAIL("wrote %#lx", addresses[i]);
		}
		p = mmap((void *)addresses[i], PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		CHECK(p == MAP_FAILED);
		FAILS(write(1, (void *)addresses[i], 8), EFAULT);
	}
	return 0;
}
