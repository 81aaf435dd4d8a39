/* SPDX-License-Identifier: Apache-2.0 */
/* poll wakes when another process writes; ppoll swaps the mask and is interrupted. */
#include <poll.h>

#include "guest/guest.h"

static volatile int handled;

static void handler(int sig)
{
	handled = 1;
}

static int write_late(void *arg)
{
	wait_until_state(getppid(), 'S');
	OK(write(*(int *)arg, "x", 1));
	return 0;
}

static int signal_late(void *arg)
{
	wait_until_state(getppid(), 'S');
	OK(kill(getppid(), SIGUSR1));
	return 0;
}

int main(void)
{
	struct pollfd p;
	int ends[2];
	pid_t pid;
	sigset_t none;
	struct timespec limit = { 0, 10000000 };

	OK(pipe(ends));
	p = (struct pollfd){ ends[0], POLLIN, 0 };
	pid = spawn(write_late, &ends[1]);
	say("%d %#x\n", poll(&p, 1, 10000), p.revents);
	wait_ok(pid);
	OK(read(ends[0], &(char){ 0 }, 1));
	sigemptyset(&none);
	handle(SIGUSR1, handler, SA_RESTART);
	block(SIGUSR1);
	raise(SIGUSR1);
	FAILS(ppoll(&p, 1, NULL, &none), EINTR);
	say("%d\n", handled);
	pid = spawn(signal_late, NULL);
	FAILS(ppoll(&p, 1, NULL, &none), EINTR);
	wait_ok(pid);
	CHECK_EQ(ppoll(&p, 1, &limit, &none), 0);
	limit.tv_nsec = -1;
	FAILS(ppoll(&p, 1, &limit, &none), EINVAL);
	return 0;
}
