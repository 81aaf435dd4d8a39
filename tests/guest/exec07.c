/* SPDX-License-Identifier: Apache-2.0 */
/* exec in a thread ends all other threads and takes the process's id. */
#include <pthread.h>

#include "guest/guest.h"

static char pid_text[16];

static void *spin(void *arg)
{
	for (;;)
		sched_yield();
	return NULL;
}

static void *run(void *arg)
{
	CHECK(syscall(SYS_gettid) != getpid());
	execl("/proc/self/exe", "x", pid_text, NULL);
	FAIL("exec");
}

int main(int argc, char **argv)
{
	pthread_t thread;

	if (argc > 1) {
		CHECK_EQ(getpid(), atoi(argv[1]));
		CHECK_EQ(syscall(SYS_gettid), getpid());
		say("ok\n");
		return 0;
	}
	snprintf(pid_text, sizeof(pid_text), "%d", getpid());
	CHECK_EQ(pthread_create(&thread, NULL, spin, NULL), 0);
	CHECK_EQ(pthread_create(&thread, NULL, run, NULL), 0);
	for (;;)
		pause();
}
