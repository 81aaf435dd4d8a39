/* SPDX-License-Identifier: Apache-2.0 */
/* wait4 by process group, and the resources a child used. */
#include <sys/resource.h>

#include "guest/guest.h"

static int burn(void *arg)
{
	int64_t end = now_ns(CLOCK_PROCESS_CPUTIME_ID) + 30000000;
	char *p = map_pages(512, PROT_READ | PROT_WRITE);

	memset(p, 1, 512 * PAGE);
	while (now_ns(CLOCK_PROCESS_CPUTIME_ID) < end)
		;
	return 0;
}

static int in_own_group(void *arg)
{
	OK(setpgid(0, 0));
	return 6;
}

int main(void)
{
	struct rusage usage;
	pid_t pid;
	int status;

	pid = spawn(burn, NULL);
	CHECK_EQ(wait4(pid, &status, 0, &usage), pid);
	CHECK_EQ(status, 0);
	CHECK(usage.ru_utime.tv_sec * 1000000 + usage.ru_utime.tv_usec +
		      usage.ru_stime.tv_sec * 1000000 + usage.ru_stime.tv_usec >=
	      20000);
	CHECK(usage.ru_minflt > 0); /* how many pages a fault brings in is the kernel's choice */
	OK(getrusage(RUSAGE_CHILDREN, &usage));
	CHECK(usage.ru_minflt > 0);
	pid = spawn(in_own_group, NULL);
	wait_until_state(pid, 'Z');
	FAILS(waitpid(0, &status, 0), ECHILD);
	CHECK_EQ(waitpid(-pid, &status, 0), pid);
	say("%d\n", WEXITSTATUS(status));
	return 0;
}
