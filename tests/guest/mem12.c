/* SPDX-License-Identifier: Apache-2.0 */
/* Thousands of small mappings: made, split, found again, removed in odd order. */
#include "guest/guest.h"

#define COUNT 2000

int main(void)
{
	char *base = map_pages(2 * COUNT, PROT_NONE);

	for (size_t i = 0; i < COUNT; i++)
		OK(mprotect(base + 2 * i * PAGE, PAGE, PROT_READ | PROT_WRITE));
	for (size_t i = 0; i < COUNT; i++)
		*(size_t *)(base + 2 * i * PAGE) = i * i;
	for (size_t i = 0; i < COUNT; i++)
		CHECK_EQ(*(size_t *)(base + 2 * i * PAGE), i * i);
	for (size_t i = 1; i < COUNT; i += 2)
		OK(munmap(base + 2 * i * PAGE, 2 * PAGE));
	for (size_t i = 0; i < COUNT; i += 2)
		CHECK_EQ(*(size_t *)(base + 2 * i * PAGE), i * i);
	OK(munmap(base, 2 * COUNT * PAGE));
	say("ok\n");
	return 0;
}
