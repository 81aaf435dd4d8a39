/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes the scheduling and limits of a host's process: setpriority, prlimit, sched_setaffinity, sched_setscheduler, ioprio_set, migrate_pages, move_pages.
 * Stopped by: there is no such process inside; the runner compares the values.
 * Escape-Expect: stopped: ESRCH from setpriority
 * Escape-Expect: stopped: ESRCH from setpriority of a group
 * Escape-Expect: stopped: ESRCH from prlimit
 * Escape-Expect: stopped: ESRCH from prlimit read
 * Escape-Expect: stopped: ESRCH from sched_setaffinity
 * Escape-Expect: stopped: ESRCH from sched_setscheduler
 * Escape-Expect: stopped: ESRCH from sched_getscheduler
 * Escape-Expect: stopped: ESRCH from ioprio_set
 * Escape-Expect: stopped: no such call: migrate_pages
 * Escape-Expect: stopped: no such call: move_pages
 * Escape-Expect: stopped: ESRCH from getpgid
 * Escape-Expect: stopped: ESRCH from getsid
 * Escape-Expect: stopped: ESRCH from setpgid
 * Escape-Expect: stopped: ESRCH from get_robust_list
 */
#include <sys/resource.h>
#include <sys/time.h>

#include "escape/escape.h"

void attempt(void)
{
	pid_t victim = (pid_t)told_number("ESCAPE_VICTIM");
	struct sched_param param = { 0 };
	struct rlimit limit = { 0, 0 };
	cpu_set_t cpus;
	unsigned long nodes = 1;

	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	REFUSED("setpriority", setpriority(PRIO_PROCESS, (id_t)victim, 19));
	REFUSED("setpriority of a group",
		setpriority(PRIO_PGRP, (id_t)told_number("ESCAPE_VICTIM_GROUP"), 19));
	REFUSED("prlimit", prlimit(victim, RLIMIT_NOFILE, &limit, NULL));
	REFUSED("prlimit read", prlimit(victim, RLIMIT_NOFILE, NULL, &limit));
	REFUSED("sched_setaffinity", sched_setaffinity(victim, sizeof(cpus), &cpus));
	REFUSED("sched_setscheduler", sched_setscheduler(victim, SCHED_IDLE, &param));
	REFUSED("sched_getscheduler", sched_getscheduler(victim));
	REFUSED("ioprio_set", syscall(SYS_ioprio_set, 1, victim, 3 << 13));
	REFUSED("migrate_pages", syscall(SYS_migrate_pages, victim, 8, &nodes, &nodes));
	REFUSED("move_pages", syscall(SYS_move_pages, victim, 0, NULL, NULL, NULL, 0));
	REFUSED("getpgid", getpgid(victim));
	REFUSED("getsid", getsid(victim));
	REFUSED("setpgid", setpgid(victim, 0));
	REFUSED("get_robust_list", syscall(SYS_get_robust_list, victim, &nodes, &nodes));
}
