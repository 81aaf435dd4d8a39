/* SPDX-License-Identifier: Apache-2.0 */
/* ITIMER_VIRTUAL and ITIMER_PROF count processor time: their signals come to a busy program. */
#include <sys/time.h>

#include "guest/guest.h"

static volatile int got_virtual, got_prof;

static void on_virtual(int sig)
{
	got_virtual++;
}

static void on_prof(int sig)
{
	got_prof++;
}

int main(void)
{
	const struct itimerval t = { { 0, 10000 }, { 0, 10000 } };

	handle(SIGVTALRM, on_virtual, SA_RESTART);
	handle(SIGPROF, on_prof, SA_RESTART);
	OK(setitimer(ITIMER_VIRTUAL, &t, NULL));
	OK(setitimer(ITIMER_PROF, &t, NULL));
	while (got_virtual < 3 || got_prof < 3)
		;
	say("ok\n");
	return 0;
}
