/* SPDX-License-Identifier: Apache-2.0 */
/* A change of mappings reaches the other threads at once (TLB shootdown). */
#include <pthread.h>
#include <setjmp.h>

#include "guest/guest.h"

static volatile char *page;
static volatile int go, done;
static __thread sigjmp_buf back;

static void on_segv(int sig)
{
	siglongjmp(back, sig);
}

static void *writer(void *arg)
{
	volatile int faults = 0;

	go = 1;
	while (!done) {
		if (sigsetjmp(back, 1) == 0)
			page[0]++;
		else
			faults++;
	}
	return (void *)(intptr_t)faults;
}

int main(void)
{
	pthread_t thread;
	void *faults;
	char before;

	handle(SIGSEGV, on_segv, SA_NODEFER);
	page = map_pages(1, PROT_READ | PROT_WRITE);
	CHECK_EQ(pthread_create(&thread, NULL, writer, NULL), 0);
	while (!go)
		sched_yield();
	for (int i = 0; i < 200; i++) {
		OK(mprotect((void *)page, PAGE, PROT_READ));
		before = page[0];
		for (int j = 0; j < 1000; j++)
			CHECK_EQ(page[0], before);
		OK(mprotect((void *)page, PAGE, PROT_READ | PROT_WRITE));
	}
	for (int i = 0; i < 50; i++) { /* replaced by a zero page: the old one must not come back */
		CHECK(mmap((void *)page, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
			   -1, 0) == page);
		for (int j = 0; j < 1000; j++)
			CHECK_EQ(page[0], 0);
		OK(mprotect((void *)page, PAGE, PROT_READ | PROT_WRITE));
	}
	done = 1;
	pthread_join(thread, &faults);
	say("ok\n");
	return 0;
}
