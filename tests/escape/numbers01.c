/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes its own limits and priorities better than the caller's: setrlimit up, nice down, real-time classes, CPU sets beyond the machine, ioprio.
 * Stopped by: they are our kernel's numbers; the runner compares the monitor's caller and the machine.
 * Escape-Expect: stopped: nice changed the sandbox's own number
 * Escape-Expect: stopped: SCHED_FIFO changed the sandbox's own number
 * Escape-Expect: stopped: RLIMIT_NPROC changed the sandbox's own number
 * Escape-Expect: stopped: RLIMIT_MEMLOCK changed the sandbox's own number
 * Escape-Expect: stopped: EINVAL from sched_setaffinity to CPU 1000
 * Escape-Expect: stopped: ioprio changed the sandbox's own number
 * Escape-Expect: stopped: EPERM from RLIMIT_NOFILE
 */
#include <sys/resource.h>

#include "escape/escape.h"

/* Either refused or without meaning outside, and nothing else: the host's side is the runner's to judge. */
static void try_set(const char *what, long r)
{
	if (r < 0)
		judge_call(what, r);
	else
		stopped("%s changed the sandbox's own number", what);
}

void attempt(void)
{
	struct sched_param param = { .sched_priority = 99 };
	struct rlimit most = { RLIM_INFINITY, RLIM_INFINITY };
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(1000, &cpus);
	try_set("nice", setpriority(PRIO_PROCESS, 0, -20));
	try_set("SCHED_FIFO", sched_setscheduler(0, SCHED_FIFO, &param));
	try_set("RLIMIT_NPROC", setrlimit(RLIMIT_NPROC, &most));
	try_set("RLIMIT_MEMLOCK", setrlimit(RLIMIT_MEMLOCK, &most));
	REFUSED("sched_setaffinity to CPU 1000", sched_setaffinity(0, sizeof(cpus), &cpus));
	try_set("ioprio", syscall(SYS_ioprio_set, 1, 0, 1 << 13));
	REFUSED("RLIMIT_NOFILE", setrlimit(RLIMIT_NOFILE, &most));
}
