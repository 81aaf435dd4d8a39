/* SPDX-License-Identifier: Apache-2.0 */
/* epoll with threads: each event wakes one waiter; epoll_pwait's mask; timeouts. */
#include <sys/epoll.h>
#include <pthread.h>
#include <sys/eventfd.h>

#include "guest/guest.h"

static int ep, events;
static long taken;

static void *run(void *arg)
{
	struct epoll_event got;
	uint64_t value;

	for (;;) {
		CHECK_EQ(epoll_wait(ep, &got, 1, -1), 1);
		if (read(events, &value, 8) == 8 &&
		    __atomic_add_fetch(&taken, 1, __ATOMIC_SEQ_CST) >= 100)
			return NULL;
		if (__atomic_load_n(&taken, __ATOMIC_SEQ_CST) >= 100)
			return NULL;
	}
}

static void handler(int sig)
{
}

int main(void)
{
	struct epoll_event e = { .events = EPOLLIN }, got;
	pthread_t thread[3];
	sigset_t none;
	int64_t start;

	ep = OK(epoll_create1(0));
	events = OK(eventfd(0, EFD_NONBLOCK | EFD_SEMAPHORE));
	OK(epoll_ctl(ep, EPOLL_CTL_ADD, events, &e));
	start = now_ns(CLOCK_MONOTONIC);
	CHECK_EQ(epoll_wait(ep, &got, 1, 15), 0);
	CHECK(now_ns(CLOCK_MONOTONIC) - start >= 15000000);
	handle(SIGUSR1, handler, 0);
	block(SIGUSR1);
	raise(SIGUSR1);
	sigemptyset(&none);
	FAILS(epoll_pwait(ep, &got, 1, -1, &none), EINTR);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(pthread_create(&thread[i], NULL, run, NULL), 0);
	for (int i = 0; i < 110; i++)
		OK(write(events, &(uint64_t){ 1 }, 8));
	for (int i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	say("%d\n", taken >= 100);
	return 0;
}
