/* SPDX-License-Identifier: Apache-2.0 */
/* brk grows with zeros, shrinks, and forgets what was there. */
#include "guest/guest.h"

static unsigned long raw_brk(unsigned long address)
{
	return (unsigned long)syscall(SYS_brk, address);
}

int main(void)
{
	unsigned long start = raw_brk(0);
	char *p = (char *)start;

	CHECK_EQ(raw_brk(start + 64 * PAGE), start + 64 * PAGE);
	for (size_t i = 0; i < 64 * PAGE; i += 512)
		CHECK_EQ(p[i], 0);
	memset(p, 1, 64 * PAGE);
	CHECK_EQ(raw_brk(start + PAGE), start + PAGE);
	CHECK_EQ(raw_brk(start + 64 * PAGE), start + 64 * PAGE);
	CHECK_EQ(p[0], 1);
	CHECK_EQ(p[32 * PAGE], 0);
	CHECK_EQ(raw_brk(1), start + 64 * PAGE); /* refused: the old break comes back */
	CHECK_EQ(raw_brk(start), start);
	say("brk ok\n");
	return 0;
}
