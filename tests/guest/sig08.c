/* SPDX-License-Identifier: Apache-2.0 */
/* Real-time signals queue, arrive lowest number first and in order, with their values. */
#include "guest/guest.h"

static volatile int count;
static volatile int got[20][2];

static void handler(int sig, siginfo_t *info, void *context)
{
	got[count][0] = sig - SIGRTMIN;
	got[count++][1] = info->si_value.sival_int;
}

int main(void)
{
	sigset_t set;

	sigemptyset(&set);
	for (int i = 0; i < 4; i++) {
		struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };

		sigfillset(&sa.sa_mask); /* one after the other, not nested */
		OK(sigaction(SIGRTMIN + i, &sa, NULL));
		sigaddset(&set, SIGRTMIN + i);
	}
	OK(sigprocmask(SIG_BLOCK, &set, NULL));
	for (int i = 0; i < 12; i++)
		OK(sigqueue(getpid(), SIGRTMIN + 3 - i % 4, (union sigval){ .sival_int = i }));
	OK(sigprocmask(SIG_UNBLOCK, &set, NULL));
	for (int i = 0; i < count; i++)
		say("%d:%d ", got[i][0], got[i][1]);
	say("\n");
	return 0;
}
