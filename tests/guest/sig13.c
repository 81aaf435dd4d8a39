/* SPDX-License-Identifier: Apache-2.0 */
/* Default actions: which signals kill, which are ignored, with which wait status. */
#include <sys/resource.h>

#include "guest/guest.h"

static int send(void *arg)
{
	const struct rlimit none = { 0, 0 };
	int sig = (int)(intptr_t)arg;

	OK(setrlimit(RLIMIT_CORE, &none));
	OK(kill(getpid(), sig));
	return 0;
}

int main(void)
{
	for (intptr_t sig = 1; sig <= 64; sig++) {
		int status;

		if (sig == SIGSTOP || sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU ||
		    sig == 32 || sig == 33)
			continue;
		status = wait_for(spawn(send, (void *)sig));
		if (WIFSIGNALED(status))
			say("%d killed by %d\n", (int)sig, WTERMSIG(status));
		else
			say("%d exit %d\n", (int)sig, WEXITSTATUS(status));
	}
	return 0;
}
