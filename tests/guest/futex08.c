/* SPDX-License-Identifier: Apache-2.0 */
/* futex's errors: bad addresses, alignment, operations. */
#include "guest/futex.h"

int main(void)
{
	uint32_t words[2] = { 0, 0 };
	void *odd = (char *)words + 1;

	FAILS(futex(bad_address(), FUTEX_WAIT, 0, NULL, NULL, 0), EFAULT);
	FAILS(futex(odd, FUTEX_WAIT, 0, NULL, NULL, 0), EINVAL);
	FAILS(futex(odd, FUTEX_WAKE, 1, NULL, NULL, 0), EINVAL);
	FAILS(futex(words, 100, 0, NULL, NULL, 0), ENOSYS);
	FAILS(futex(words, FUTEX_WAIT, 0, bad_address(), NULL, 0), EFAULT);
	FAILS(futex(map_pages(1, PROT_NONE), FUTEX_WAIT, 0, NULL, NULL, 0), EFAULT);
	FAILS(futex(words, FUTEX_REQUEUE, 1, (void *)1, odd, 0), EINVAL);
	say("ok\n");
	return 0;
}
