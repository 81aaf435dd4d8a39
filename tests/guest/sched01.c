/* SPDX-License-Identifier: Apache-2.0 */
/* Scheduling calls: yield, affinity, priority, policies. */
#include <sys/resource.h>

#include "guest/guest.h"

int main(void)
{
	struct sched_param param = { .sched_priority = 77 };
	cpu_set_t set, one;
	unsigned cpu;
	int first = -1;

	OK(sched_yield());
	CPU_ZERO(&set);
	OK(sched_getaffinity(0, sizeof(set), &set));
	CHECK(CPU_COUNT(&set) >= 1);
	for (int i = 0; i < CPU_SETSIZE && first < 0; i++)
		if (CPU_ISSET(i, &set))
			first = i;
	CPU_ZERO(&one);
	CPU_SET(first, &one);
	OK(sched_setaffinity(0, sizeof(one), &one));
	OK(syscall(SYS_getcpu, &cpu, NULL, NULL));
	CHECK_EQ(cpu, first);
	CHECK_EQ(sched_getcpu(), first);
	CPU_ZERO(&one);
	FAILS(sched_setaffinity(0, sizeof(one), &one), EINVAL);
	FAILS(sched_getaffinity(1 << 22, sizeof(set), &set), ESRCH);
	FAILS(syscall(SYS_sched_getaffinity, 0, 1, &set), EINVAL);
	CHECK_EQ(sched_getscheduler(0), SCHED_OTHER);
	OK(sched_getparam(0, &param));
	say("%d\n", param.sched_priority);
	say("%d %d\n", sched_get_priority_min(SCHED_FIFO), sched_get_priority_max(SCHED_FIFO));
	errno = 0;
	say("%d\n", getpriority(PRIO_PROCESS, 0));
	OK(setpriority(PRIO_PROCESS, 0, 5));
	say("%d\n", getpriority(PRIO_PROCESS, 0));
	say("%d\n", nice(2));
	return 0;
}
