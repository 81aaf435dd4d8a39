/* SPDX-License-Identifier: Apache-2.0 */
/* More spinning threads than CPUs: all make progress, a sleeper and a pipe partner are served meanwhile, SIGKILL ends them all. */
#include "guest/race.h"

#define SPINNERS 5

static struct racer spinners[SPINNERS];

static void spin(struct racer *r)
{
	for (volatile int i = 0; i < 1000; i++)
		;
}

static unsigned long all_steps(void)
{
	unsigned long n = 0;

	for (int i = 0; i < SPINNERS; i++)
		n += spinners[i].steps;
	return n;
}

/* While one sleeps a little, five times, the others do not get everything: with no service for the sleeper this never ends. */
static void sleeper(void)
{
	for (int i = 0; i < 5; i++)
		sleep_ms(1);
	CHECK(all_steps() > 0);
}

static int echo(void *arg)
{
	const int *ends = arg;
	char c;

	for (int i = 0; i < 8; i++) {
		CHECK_EQ(read(ends[0], &c, 1), 1);
		CHECK_EQ(write(ends[3], &c, 1), 1);
	}
	return 0;
}

/* Another process answers a few times. */
static void partner(void)
{
	int ends[4];
	pid_t pid;
	char c = 'x';

	OK(pipe(ends));
	OK(pipe(ends + 2));
	pid = spawn(echo, ends);
	for (int i = 0; i < 8; i++) {
		CHECK_EQ(write(ends[1], &c, 1), 1);
		CHECK_EQ(read(ends[2], &c, 1), 1);
	}
	wait_ok(pid);
}

static void progress(void)
{
	for (int i = 0; i < SPINNERS; i++)
		while (spinners[i].steps < 3)
			; /* spins as well */
}

static int spinning_process(void *arg)
{
	volatile int *ready = arg;

	race_start(spinners, SPINNERS, spin);
	progress();
	*ready = 1;
	for (;;)
		;
	return 0;
}

/* Killed while all spin in user mode, and by a thread's own exit_group while they do. */
static int exits(void *arg)
{
	race_start(spinners, SPINNERS, spin);
	progress();
	syscall(SYS_exit_group, 3);
	return 0;
}

static void kills(void)
{
	volatile int *ready = map_shared(1);

	for (int i = 0; i < 2; i++) {
		pid_t pid;

		*ready = 0;
		pid = spawn(spinning_process, (void *)ready);
		while (!*ready)
			sched_yield();
		OK(kill(pid, SIGKILL));
		say("%d\n", WTERMSIG(wait_for(pid)));
		say("%d\n", WEXITSTATUS(wait_for(spawn(exits, NULL))));
	}
}

int main(void)
{
	race_start(spinners, SPINNERS, spin);
	progress();
	sleeper();
	partner();
	race_end(spinners, SPINNERS);
	kills();
	say("ok\n");
	return 0;
}
