/* SPDX-License-Identifier: Apache-2.0 */
/* POSIX timers: signal with value, overruns, read back, deleted, SIGEV_NONE, errors. */
#include "guest/guest.h"

static volatile int count, value, code;
static timer_t timer;

static void handler(int sig, siginfo_t *info, void *context)
{
	count++;
	value = info->si_value.sival_int;
	code = info->si_code;
}

int main(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL,
				  .sigev_signo = SIGUSR1,
				  .sigev_value.sival_int = 42 };
	struct itimerspec t = { { 0, 2000000 }, { 0, 2000000 } }, old;

	handle_info(SIGUSR1, handler, 0);
	OK(timer_create(CLOCK_MONOTONIC, &event, &timer));
	OK(timer_settime(timer, 0, &t, NULL));
	while (count < 4)
		pause();
	say("%d %d\n", value, code);
	block(SIGUSR1);
	sleep_ms(30); /* expirations meanwhile are one signal with overruns */
	count = 0;
	unblock(SIGUSR1);
	CHECK(count >= 1);
	CHECK(OK(timer_getoverrun(timer)) >= 0);
	memset(&t, 0, sizeof(t));
	OK(timer_settime(timer, 0, &t, &old));
	say("%ld\n", old.it_interval.tv_nsec);
	OK(timer_gettime(timer, &old));
	say("%ld\n", old.it_value.tv_nsec);
	OK(timer_delete(timer));
	FAILS(timer_settime(timer, 0, &t, NULL), EINVAL);
	FAILS(timer_delete(timer), EINVAL);
	event.sigev_notify = SIGEV_NONE;
	OK(timer_create(CLOCK_REALTIME, &event, &timer));
	t.it_value.tv_sec = 50;
	OK(timer_settime(timer, 0, &t, NULL));
	OK(timer_gettime(timer, &old));
	say("%d\n", old.it_value.tv_sec >= 45);
	FAILS(timer_create(99, &event, &timer), EINVAL);
	event.sigev_notify = 99;
	FAILS(timer_create(CLOCK_MONOTONIC, &event, &timer), EINVAL);
	return 0;
}
