/* SPDX-License-Identifier: Apache-2.0 */
/* getrandom: full, different each time, flags and errors; large requests. */
#include <sys/random.h>

#include "guest/guest.h"

int main(void)
{
	static unsigned char a[100000], b[100000];
	int counts[256] = { 0 };

	CHECK_EQ(getrandom(a, 32, 0), 32);
	CHECK_EQ(getrandom(b, 32, GRND_RANDOM), 32);
	CHECK(memcmp(a, b, 32) != 0);
	CHECK_EQ(getrandom(a, sizeof(a), GRND_NONBLOCK), sizeof(a));
	for (size_t i = 0; i < sizeof(a); i++)
		counts[a[i]]++;
	for (int i = 0; i < 256; i++)
		CHECK(counts[i] > 250 && counts[i] < 550);
	CHECK_EQ(getrandom(a, 0, 0), 0);
	FAILS(getrandom(a, 1, 0x1000), EINVAL);
	FAILS(getrandom(bad_address(), 16, 0), EFAULT);
	say("ok\n");
	return 0;
}
