/* SPDX-License-Identifier: Apache-2.0 */
/* Many children, one after the other and at once. */
#include "guest/guest.h"

static int end_with(void *arg)
{
	return (int)(intptr_t)arg;
}

int main(void)
{
	int sum = 0, status;

	for (int i = 0; i < 200; i++)
		wait_ok(spawn(end_with, NULL));
	for (intptr_t i = 0; i < 64; i++)
		spawn(end_with, (void *)i);
	while (wait(&status) > 0)
		sum += WEXITSTATUS(status);
	CHECK_EQ(errno, ECHILD);
	say("%d\n", sum);
	return 0;
}
