/* SPDX-License-Identifier: Apache-2.0 */
/* A shared anonymous mapping is one memory for parent and children. */
#include "guest/guest.h"

static int add(void *arg)
{
	volatile int *slot = arg;

	for (int i = 0; i < 1000; i++)
		__atomic_add_fetch(slot, 1, __ATOMIC_SEQ_CST);
	return 0;
}

int main(void)
{
	int *counter = map_shared(4);
	pid_t pid[4];

	for (int i = 0; i < 4; i++)
		pid[i] = spawn(add, (char *)counter + 3 * PAGE); /* a page nobody has touched yet */
	for (int i = 0; i < 4; i++)
		wait_ok(pid[i]);
	say("%d\n", counter[3 * PAGE / sizeof(int)]);
	return 0;
}
