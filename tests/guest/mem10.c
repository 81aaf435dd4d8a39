/* SPDX-License-Identifier: Apache-2.0 */
/* The main stack grows by itself; beyond its limit the program dies of SIGSEGV. */
#include <sys/resource.h>

#include "guest/guest.h"

static __attribute__((noinline)) long deep(int depth)
{
	volatile char frame[4000];

	frame[0] = (char)depth;
	frame[3999] = 1;
	return depth ? deep(depth - 1) + frame[3999] : 0;
}

static int overflow(void *arg)
{
	const struct rlimit limit = { 1 << 20, 1 << 20 };

	OK(setrlimit(RLIMIT_STACK, &limit));
	return deep(1 << 20) == 0;
}

int main(void)
{
	int status;

	say("%ld\n", deep(1500)); /* 6 MB of the usual 8 */
	status = wait_for(spawn(overflow, NULL));
	CHECK(WIFSIGNALED(status));
	say("signal %d\n", WTERMSIG(status));
	return 0;
}
