/* SPDX-License-Identifier: Apache-2.0 */
/* A reservation larger than memory costs only what is touched. */
#include "guest/guest.h"

int main(void)
{
	const size_t size = 16ul << 30;
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	int sum = 0;

	CHECK(p != MAP_FAILED);
	for (size_t at = 0; at < size; at += 64ul << 20)
		p[at] = 1;
	for (size_t at = 0; at < size; at += 32ul << 20)
		sum += p[at];
	say("%d\n", sum);
	OK(munmap(p, size));
	p = mmap(NULL, 1ul << 40, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CHECK(p != MAP_FAILED);
	OK(munmap(p, 1ul << 40));
	return 0;
}
