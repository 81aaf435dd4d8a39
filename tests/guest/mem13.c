/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that is freed can be used again: far more in total than at a time. */
#include "guest/guest.h"

int main(void)
{
	const size_t pages = 4096; /* 16 MB */
	uint64_t sum = 0;

	for (int round = 0; round < 16; round++) {
		char *p = map_pages(pages, PROT_READ | PROT_WRITE);

		for (size_t i = 0; i < pages; i++) {
			CHECK_EQ(*(uint64_t *)(p + i * PAGE), 0);
			*(uint64_t *)(p + i * PAGE) = i * (size_t)round;
		}
		for (size_t i = 0; i < pages; i++)
			sum += *(uint64_t *)(p + i * PAGE);
		OK(munmap(p, pages * PAGE));
	}
	say("%llu\n", (unsigned long long)sum);
	return 0;
}
