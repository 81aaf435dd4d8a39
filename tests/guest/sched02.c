/* SPDX-License-Identifier: Apache-2.0 */
/* Programs that spin share the processors: each of many makes progress. */
#include "guest/guest.h"

static volatile int *progress;

static int spin(void *arg)
{
	volatile int *own = arg;

	for (;;)
		++*own;
	return 0;
}

int main(void)
{
	pid_t pid[5];

	progress = map_shared(1);
	for (int i = 0; i < 5; i++)
		pid[i] = spawn(spin, (void *)&progress[i * 16]);
	for (int i = 0; i < 5; i++)
		while (progress[i * 16] < 1000)
			; /* spins as well */
	for (int i = 0; i < 5; i++) {
		OK(kill(pid[i], SIGKILL));
		say("%d\n", WTERMSIG(wait_for(pid[i])));
	}
	return 0;
}
