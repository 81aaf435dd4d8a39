/* SPDX-License-Identifier: Apache-2.0 */
/* mincore tells touched pages, and ENOMEM, EINVAL and EFAULT. */
#include "guest/guest.h"

int main(void)
{
	unsigned char vec[4];
	char *p = map_pages(4, PROT_READ | PROT_WRITE);

	p[0] = p[2 * PAGE] = 1;
	OK(mincore(p, 4 * PAGE, vec));
	say("%d %d\n", vec[0] & 1, vec[2] & 1);
	FAILS(mincore(p + 1, PAGE, vec), EINVAL);
	FAILS(mincore(p, PAGE, (unsigned char *)8), EFAULT);
	OK(munmap(p + PAGE, PAGE));
	FAILS(mincore(p, 2 * PAGE, vec), ENOMEM);
	return 0;
}
