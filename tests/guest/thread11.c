/* SPDX-License-Identifier: Apache-2.0 */
/* Threads map, touch and unmap at the same time. */
#include <pthread.h>

#include "guest/guest.h"

static void *run(void *arg)
{
	uintptr_t tag = (uintptr_t)arg;

	for (int round = 0; round < 100; round++) {
		uintptr_t *p = map_pages(16, PROT_READ | PROT_WRITE);

		for (size_t i = 0; i < 16; i++) {
			CHECK_EQ(p[i * PAGE / 8], 0);
			p[i * PAGE / 8] = tag + i;
		}
		for (size_t i = 0; i < 16; i++)
			CHECK_EQ(p[i * PAGE / 8], tag + i);
		OK(munmap(p, 16 * PAGE));
	}
	return NULL;
}

int main(void)
{
	pthread_t thread[4];

	for (uintptr_t i = 0; i < 4; i++)
		CHECK_EQ(pthread_create(&thread[i], NULL, run, (void *)(i << 32 | 1)), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	say("ok\n");
	return 0;
}
