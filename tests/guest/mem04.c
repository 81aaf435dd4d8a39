/* SPDX-License-Identifier: Apache-2.0 */
/* mremap: in place, moved, shrunk, to a fixed address, and its errors. */
#include "guest/guest.h"

int main(void)
{
	char *p = map_pages(4, PROT_READ | PROT_WRITE), *q, *target;

	for (int i = 0; i < 4; i++)
		memset(p + (size_t)i * PAGE, 'a' + i, PAGE);
	q = mremap(p, 4 * PAGE, 64 * PAGE, MREMAP_MAYMOVE);
	CHECK(q != MAP_FAILED);
	say("%c%c%c%c %d\n", q[0], q[PAGE], q[2 * PAGE], q[4 * PAGE - 1], q[63 * PAGE]);
	CHECK(mremap(q, 64 * PAGE, 2 * PAGE, 0) == q);
	FAILS(mincore(q + 2 * PAGE, PAGE, (unsigned char[1]){ 0 }), ENOMEM);
	target = map_pages(8, PROT_NONE);
	CHECK(mremap(q, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target + PAGE) ==
	      target + PAGE);
	say("%c%c\n", target[PAGE], target[3 * PAGE - 1]);
	FAILS(mincore(q, PAGE, (unsigned char[1]){ 0 }), ENOMEM);
	FAILS(mremap(target + PAGE, 2 * PAGE, 4 * PAGE, 0), ENOMEM);
	FAILS(mremap(target + 1, PAGE, PAGE, MREMAP_MAYMOVE), EINVAL);
	FAILS(mremap(target, PAGE, 0, MREMAP_MAYMOVE), EINVAL);
	FAILS(mremap(q, PAGE, 2 * PAGE, MREMAP_MAYMOVE), EFAULT);
	FAILS(mremap(target, PAGE, PAGE, MREMAP_FIXED, q), EINVAL);
	return 0;
}
