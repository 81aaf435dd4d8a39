/* SPDX-License-Identifier: Apache-2.0 */
/* With SIGCHLD ignored, or SA_NOCLDWAIT, children vanish by themselves. */
#include "guest/guest.h"

static int nothing(void *arg)
{
	return 0;
}

int main(void)
{
	struct sigaction sa = { .sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT };
	int status;

	signal(SIGCHLD, SIG_IGN);
	spawn(nothing, NULL);
	spawn(nothing, NULL);
	FAILS(wait(&status), ECHILD); /* after the last has ended */
	OK(sigaction(SIGCHLD, &sa, NULL));
	spawn(nothing, NULL);
	FAILS(wait(&status), ECHILD);
	signal(SIGCHLD, SIG_DFL);
	wait_ok(spawn(nothing, NULL));
	say("ok\n");
	return 0;
}
