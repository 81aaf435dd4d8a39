/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A killed process that waits for its turn among many that spin ends at once, not after a slice of each of the others.
 * Ringfence-Options: --cpus 1
 */
#include "guest/inside.h"

#define SPINNERS  24
#define KILLED    7
/*
 * One may have its turn because it had none for long, one more when the parent's slice ends; on a busy machine a kill may meet more of that,
 * but not most of them. In turn it would be about ten each.
 */
#define TURNS_MAX 4

static volatile long *progress;

static int spin(void *arg)
{
	volatile long *own = arg;

	for (;;)
		++*own;
	return 0;
}

int main(void)
{
	pid_t pid[SPINNERS];
	long before[SPINNERS];
	int late = 0;

	inside_only();
	progress = map_shared(1);
	for (int i = 0; i < SPINNERS; i++)
		pid[i] = spawn(spin, (void *)&progress[i * 8]);
	for (int i = 0; i < SPINNERS; i++)
		while (!progress[i * 8])
			sleep_ms(1);
	for (int k = 0; k < KILLED; k++) {
		int turns = 0;

		sleep_ms(3);
		for (int i = 0; i < SPINNERS; i++)
			before[i] = progress[i * 8];
		OK(kill(pid[k], SIGKILL));
		CHECK_EQ(WTERMSIG(wait_for(pid[k])), SIGKILL);
		for (int i = 0; i < SPINNERS; i++)
			turns += progress[i * 8] != before[i];
		late += turns > TURNS_MAX;
	}
	if (late > KILLED / 2)
		FAIL("%d of %d killed processes ended after more than %d others had their turn",
		     late, KILLED, TURNS_MAX);
	for (int k = KILLED; k < SPINNERS; k++) {
		OK(kill(pid[k], SIGKILL));
		wait_for(pid[k]);
	}
	say("ok\n");
	return 0;
}
