/* SPDX-License-Identifier: Apache-2.0 */
/* Thousands of signals to spinning threads, none lost, none doubled, in order; and timers against spinning code. */
#include <sys/syscall.h>
#include <sys/time.h>

#include "guest/race.h"

#define SPINNERS 4
#define SIGNALS  2000 /* or as the argument says */
#define WINDOW   64

static struct racer spinners[SPINNERS];
static volatile pid_t tids[SPINNERS];
static volatile int received[SPINNERS];
static __thread int me;

static void handler(int sig, siginfo_t *info, void *context)
{
	/* Each carries its number for this thread. */
	CHECK_EQ(info->si_value.sival_int, received[me]);
	received[me]++;
}

static void spin(struct racer *r)
{
	me = (int)r->id;
	tids[r->id] = (pid_t)syscall(SYS_gettid);
	while (!race_stop)
		;
}

static void send(int to, int number)
{
	siginfo_t info = { .si_signo = SIGRTMIN, .si_code = SI_QUEUE };

	info.si_pid = getpid();
	info.si_value.sival_int = number;
	while (syscall(SYS_rt_tgsigqueueinfo, getpid(), tids[to], SIGRTMIN, &info) < 0) {
		CHECK_EQ(errno, EAGAIN); /* RLIMIT_SIGPENDING */
		sched_yield();
	}
}

static void all_arrive(int count)
{
	int sent[SPINNERS] = { 0 };

	for (int i = 0; i < count; i++) {
		int to = i % SPINNERS;

		while (sent[to] - received[to] >= WINDOW)
			sched_yield();
		send(to, sent[to]++);
	}
	for (int i = 0; i < SPINNERS; i++)
		while (received[i] < sent[i])
			sched_yield();
}

static volatile int ticks;

static void tick(int sig)
{
	ticks++;
}

/* One shot after the other, each against a loop that makes no system call. */
static void timers(void)
{
	const struct itimerval once = { .it_value = { 0, 500 } };
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	const struct itimerspec every = { { 0, 1000000 }, { 0, 1000000 } };
	timer_t timer;

	handle(SIGALRM, tick, 0);
	handle(SIGUSR1, tick, 0);
	for (int i = 0; i < 20; i++) {
		int before = ticks;

		OK(setitimer(ITIMER_REAL, &once, NULL));
		while (ticks == before)
			;
	}
	OK(timer_create(CLOCK_MONOTONIC, &ev, &timer));
	OK(timer_settime(timer, 0, &every, NULL));
	ticks = 0;
	while (ticks < 20)
		;
	OK(timer_delete(timer));
}

int main(int argc, char **argv)
{
	handle_info(SIGRTMIN, handler, 0);
	race_start(spinners, SPINNERS, spin);
	for (int i = 0; i < SPINNERS; i++)
		while (!tids[i])
			sched_yield();
	all_arrive(argc > 1 ? atoi(argv[1]) : SIGNALS);
	race_end(spinners, SPINNERS);
	for (int i = 0; i < SPINNERS; i++)
		say("%d\n", received[i]);
	timers();
	say("ok\n");
	return 0;
}
