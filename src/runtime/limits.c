/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of a sandbox: defaults, ranges and what is said when one is reached. Pure. */
#include <errno.h>
#include <stdio.h>

#include "base/types.h"
#include "monitor/arena.h"
#include "platform/platform.h"
#include "runtime/runtime.h"

#define NS_PER_S 1000000000ul

void limits_defaults(struct rf_limits *l)
{
	if (!l->memory)
		l->memory = RF_MEMORY_DEFAULT;
	if (l->memory <= RF_MEMORY_MAX)
		l->memory = ALIGN_UP(l->memory, (u64)PAGE_SIZE);
	if (!l->pids)
		l->pids = RF_PIDS_DEFAULT;
	if (!l->files)
		l->files = RF_FILES_DEFAULT;
	if (!l->disk) /* as tmpfs has it: tmpfs(5), size */
		l->disk = l->memory / 2;
	if (!l->disk_inodes)
		l->disk_inodes =
			MIN(MAX(l->disk / PAGE_SIZE, (u64)RF_INODES_MIN), (u64)RF_INODES_MAX);
	if (!l->file_size)
		l->file_size = UINT64_MAX;
}

static int check_memory(const struct rf_limits *l, struct rf_error *err)
{
	if (l->memory < RF_MEMORY_MIN)
		return rf_error_set(
			err, -ENOMEM,
			"%lu MiB of memory are too little: a sandbox needs at least %lu MiB",
			l->memory >> 20, RF_MEMORY_MIN >> 20);
	if (l->memory > RF_MEMORY_MAX)
		return rf_error_set(err, -ENOMEM,
				    "%lu GiB of memory are more than the %lu GiB supported",
				    l->memory >> 30, RF_MEMORY_MAX >> 30);
	return 0;
}

static int check_time(const char *what, u64 ns, struct rf_error *err)
{
	if (!ns || (ns >= RF_TIME_MIN_NS && ns <= RF_TIME_MAX_NS))
		return 0;
	return rf_error_set(err, -EINVAL,
			    "a limit of %lu ns of %s is not between 1 ms and 1000 days", ns, what);
}

int limits_check(const struct rf_limits *l, struct rf_error *err)
{
	int r = check_memory(l, err);

	if (r == 0)
		r = check_time("CPU time", l->cpu_time_ns, err);
	if (r == 0)
		r = check_time("wall time", l->wall_time_ns, err);
	if (r < 0)
		return r;
	if (l->pids > RF_PIDS_MAX)
		return error_set(err, -EINVAL, "a limit of %u processes and threads is over %u",
				 l->pids, RF_PIDS_MAX);
	if (l->files < RF_FILES_MIN || l->files > RF_FILES_MAX)
		return error_set(err, -EINVAL, "a limit of %u open files is not between %u and %u",
				 l->files, RF_FILES_MIN, RF_FILES_MAX);
	if (l->disk < RF_DISK_MIN)
		return error_set(err, -EINVAL, "%lu bytes of disk are less than the %lu needed",
				 l->disk, RF_DISK_MIN);
	if (l->disk_inodes > RF_INODES_MAX)
		return error_set(err, -EINVAL, "a limit of %lu inodes is over %u", l->disk_inodes,
				 RF_INODES_MAX);
	return 0;
}

/* Seconds with as many decimals as it takes, at most 9. */
static void format_seconds(u64 ns, char *text, size_t size)
{
	int n = snprintf(text, size, "%lu.%09lu", ns / NS_PER_S, ns % NS_PER_S);

	while (n > 0 && text[n - 1] == '0')
		text[--n] = 0;
	if (n > 0 && text[n - 1] == '.')
		text[n - 1] = 0;
}

void limit_describe(enum rf_limit which, const struct rf_limits *l, char *text, size_t size)
{
	char seconds[40];

	switch (which) {
	case RF_LIMIT_CPU_TIME:
		format_seconds(l->cpu_time_ns, seconds, sizeof(seconds));
		snprintf(text, size, "limit of %s s of CPU time reached (--cpu-time)", seconds);
		break;
	case RF_LIMIT_WALL_TIME:
		format_seconds(l->wall_time_ns, seconds, sizeof(seconds));
		snprintf(text, size, "limit of %s s of wall time reached (--wall-time)", seconds);
		break;
	case RF_LIMIT_OUTPUT:
		snprintf(text, size, "limit of %lu bytes of output reached (--output)", l->output);
		break;
	case RF_LIMIT_MEMORY:
		snprintf(text, size, "limit of %lu MiB of memory reached (--memory)",
			 l->memory >> 20);
		break;
	case RF_LIMIT_NONE:
		snprintf(text, size, "no limit reached");
		break;
	}
}

int limit_reached(enum rf_limit which, const struct rf_limits *l, struct rf_result *ret,
		  struct rf_error *err)
{
	char text[96];

	ret->failure = RF_FAILURE_LIMIT;
	ret->limit = which;
	limit_describe(which, l, text, sizeof(text));
	return rf_error_set(err, -EDQUOT, "%s", text);
}
