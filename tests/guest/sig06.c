/* SPDX-License-Identifier: Apache-2.0 */
/* A signal during a blocking read, wait or write: EINTR, or restart with SA_RESTART. */
#include "guest/guest.h"

static int ends[2];
static volatile int handled;

static void handler(int sig)
{
	handled++;
}

/* Signals the parent when it sleeps; then, if a restart is expected, gives it something to read. */
static int disturb(void *arg)
{
	wait_until_state(getppid(), 'S');
	OK(kill(getppid(), SIGUSR1));
	if (*(int *)arg) {
		sleep_ms(20);
		OK(write(ends[1], "x", 1));
	}
	return 0;
}

static void one(int restart)
{
	pid_t pid;
	char c;
	ssize_t n;

	handle(SIGUSR1, handler, restart ? SA_RESTART : 0);
	pid = spawn(disturb, &restart);
	n = read(ends[0], &c, 1);
	say("read: %zd %s, handled %d\n", n, n < 0 && errno == EINTR ? "EINTR" : "-", handled);
	wait_ok(pid);
}

static int disturb_and_stay(void *arg)
{
	wait_until_state(getppid(), 'S');
	OK(kill(getppid(), SIGUSR1));
	sleep_ms(30);
	return 0;
}

static void wait_one(int restart)
{
	int status = 0;
	pid_t pid, got;

	handle(SIGUSR1, handler, restart ? SA_RESTART : 0);
	pid = spawn(disturb_and_stay, NULL);
	got = waitpid(pid, &status, 0);
	say("wait: %s\n", got == pid ? "child" : errno == EINTR ? "EINTR" : "?");
	if (got != pid)
		wait_ok(pid);
}

int main(void)
{
	OK(pipe(ends));
	one(0);
	one(1);
	wait_one(0);
	wait_one(1);
	return 0;
}
