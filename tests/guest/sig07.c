/* SPDX-License-Identifier: Apache-2.0 */
/* SA_RESETHAND: the action is the default again before the handler runs. */
#include "guest/guest.h"

static void handler(int sig)
{
	struct sigaction sa;

	OK(sigaction(sig, NULL, &sa));
	say("handled, now %s\n", sa.sa_handler == SIG_DFL ? "default" : "?");
}

static int child(void *arg)
{
	handle(SIGUSR1, handler, SA_RESETHAND);
	raise(SIGUSR1);
	raise(SIGUSR1);
	return 0;
}

int main(void)
{
	say("killed by %d\n", WTERMSIG(wait_for(spawn(child, NULL))));
	return 0;
}
