/* SPDX-License-Identifier: Apache-2.0 */
/* mlock, munlock and msync: accepted on what is mapped, ENOMEM on what is not. */
#include "guest/guest.h"

int main(void)
{
	char *p = map_pages(4, PROT_READ | PROT_WRITE);

	OK(mlock(p, 2 * PAGE));
	OK(munlock(p, 2 * PAGE));
	OK(msync(p, 4 * PAGE, MS_SYNC));
	OK(msync(p, 4 * PAGE, MS_ASYNC));
	FAILS(msync(p + 1, PAGE, MS_SYNC), EINVAL);
	FAILS(msync(p, PAGE, MS_SYNC | MS_ASYNC), EINVAL);
	OK(munmap(p + PAGE, PAGE));
	FAILS(msync(p, 4 * PAGE, MS_SYNC), ENOMEM);
	FAILS(mlock(p, 4 * PAGE), ENOMEM);
	say("ok\n");
	return 0;
}
