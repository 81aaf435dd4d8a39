/* SPDX-License-Identifier: Apache-2.0 */
/* Copy on write over three generations of forks: nobody sees another's writes. */
#include "guest/guest.h"

static volatile char *shared, *page;

static int grandchild(void *arg)
{
	CHECK_EQ(page[0], 'c');
	page[0] = 'g';
	shared[2] = page[0];
	return 0;
}

static int child(void *arg)
{
	CHECK_EQ(page[0], 'p');
	page[0] = 'c';
	wait_ok(spawn(grandchild, NULL));
	shared[1] = page[0];
	return 0;
}

int main(void)
{
	shared = map_shared(1);
	page = map_pages(256, PROT_READ | PROT_WRITE);
	for (size_t i = 0; i < 256; i++)
		page[i * PAGE] = 'p';
	wait_ok(spawn(child, NULL));
	shared[0] = page[0];
	say("%c%c%c\n", shared[0], shared[1], shared[2]);
	for (size_t i = 1; i < 256; i++)
		CHECK_EQ(page[i * PAGE], 'p');
	return 0;
}
