/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "monitor/boot_config.h"
#include "monitor/monitor.h"
#include "runtime/runtime.h"
#include "runtime/view.h"

#define TASKS_DEFAULT    4096u
#define TASKS_MAX        (1u << 20)
#define CPUS_DEFAULT_MAX 4u
#define GROUPS_MAX       1024

void rf_config_init(struct rf_config *c)
{
	memset(c, 0, sizeof(*c));
	c->uid = c->gid = UINT32_MAX;
	c->strace_fd = c->log_fd = -1;
	c->log_level = 1;
}

enum rf_failure failure_of(int error, enum rf_failure otherwise)
{
	return error == -ENOMEM ? RF_FAILURE_MEMORY : otherwise;
}

static u32 host_cpus(void)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;

	return n < 1 ? 1 : (u32)n;
}

static void config_defaults(struct rf_config *c)
{
	if (!c->cpus)
		c->cpus = MIN(host_cpus(), CPUS_DEFAULT_MAX);
	if (!c->memory)
		c->memory = RF_MEMORY_DEFAULT;
	if (!c->max_tasks)
		c->max_tasks = TASKS_DEFAULT;
	if (!c->root)
		c->root = "/";
	if (!c->watchdog_seconds)
		c->watchdog_seconds = RF_WATCHDOG_DEFAULT;
	if (!c->hostname)
		c->hostname = "ringfence";
	if (!c->program && c->argv)
		c->program = c->argv[0];
	if (c->uid == UINT32_MAX)
		c->uid = getuid();
	if (c->gid == UINT32_MAX)
		c->gid = getgid();
	if (c->strace_fd < 0)
		c->strace_fd = STDERR_FILENO;
	if (c->log_fd < 0)
		c->log_fd = STDERR_FILENO;
	c->memory = ALIGN_UP(c->memory, (u64)PAGE_SIZE);
}

int config_complete(struct rf_config *c, enum rf_failure *ret_failure, struct rf_error *err)
{
	config_defaults(c);
	*ret_failure = RF_FAILURE_USAGE;
	if (!c->argv || !c->argv[0])
		return error_set(err, -EINVAL, "no program to run");
	if (!c->kernel || !c->kernel_size)
		return error_set(err, -EINVAL, "no kernel image to boot");
	if (c->cpus > RF_MAX_CPUS)
		return error_set(err, -EINVAL, "%u CPUs are more than the %d supported", c->cpus,
				 RF_MAX_CPUS);
	if (c->max_tasks < 16 || c->max_tasks > TASKS_MAX)
		return error_set(err, -EINVAL, "a limit of %u tasks is not between 16 and %u",
				 c->max_tasks, TASKS_MAX);
	if (c->mount_count > RF_MOUNTS_MAX)
		return error_set(err, -EINVAL, "%zu mounts are more than the %u supported",
				 c->mount_count, RF_MOUNTS_MAX);
	if (c->debug_crash >= BOOT_DEBUG_KINDS)
		return error_set(err, -EINVAL, "unknown kind of breakdown %u", c->debug_crash);
	if (strlen(c->hostname) > 64)
		return error_set(err, -EINVAL, "the host name is longer than 64 bytes");
	*ret_failure = RF_FAILURE_MEMORY;
	if (c->memory < RF_MEMORY_MIN) {
		error_set(err, 0,
			  "%lu MiB of memory are too little: a sandbox needs at least %lu MiB",
			  c->memory >> 20, RF_MEMORY_MIN >> 20);
		return -ENOMEM;
	}
	if (c->memory > RF_MEMORY_MAX) {
		error_set(err, 0, "%lu GiB of memory are more than the %lu GiB supported",
			  c->memory >> 30, RF_MEMORY_MAX >> 30);
		return -ENOMEM;
	}
	*ret_failure = RF_FAILURE_NONE;
	return 0;
}

static void write_rlimits(const struct rf_config *c, struct boot_config *b)
{
	for (int i = 0; i < 16; i++) {
		struct rlimit limit;

		b->rlimits[i][0] = b->rlimits[i][1] = ~0ull;
		if (getrlimit((__rlimit_resource_t)i, &limit) < 0)
			continue;
		b->rlimits[i][0] = limit.rlim_cur;
		b->rlimits[i][1] = limit.rlim_max;
	}
	b->rlimits[RLIMIT_NPROC][0] = MIN(b->rlimits[RLIMIT_NPROC][0], (u64)c->max_tasks);
	b->rlimits[RLIMIT_NPROC][1] = MIN(b->rlimits[RLIMIT_NPROC][1], (u64)c->max_tasks);
}

static void write_ids(const struct rf_config *c, struct config_writer *w)
{
	struct boot_config *b = w->config;
	gid_t groups[GROUPS_MAX];
	int n = getgroups(GROUPS_MAX, groups);

	b->uid = c->uid;
	b->gid = c->gid;
	/* Supplementary groups are the caller's; another user inside has none of them. */
	if (n <= 0 || c->uid != getuid())
		return;
	b->groups = config_bytes(w, groups, (u32)n * sizeof(groups[0]), 4);
	b->ngroups = (u32)n;
}

/* The host's mode bits are the kernel's to decide: no umask of ours on top of what it asks for. */
static u32 take_umask(void)
{
	return umask(0);
}

int config_write(const struct rf_config *c, const struct view *v, struct monitor *m,
		 const bool closed[3], struct rf_error *err)
{
	struct config_writer w;
	int r = 0;

	config_begin(&w, m);
	w.config->flags = c->strace ? BOOT_F_STRACE : 0;
	w.config->program = config_string(&w, c->program);
	w.config->argv = config_strings(&w, c->argv, &w.config->argc);
	w.config->envp = config_strings(&w, c->envp, &w.config->envc);
	w.config->cwd = config_string(&w, v->workdir);
	w.config->hostname = config_string(&w, c->hostname);
	w.config->strace_set = config_string(&w, c->strace_set);
	w.config->log_level = c->log_level;
	w.config->umask = take_umask();
	w.config->debug_crash = c->debug_crash;
	w.config->max_tasks = c->max_tasks;
	write_ids(c, &w);
	write_rlimits(c, w.config);
	r = view_write(v, c, &w, err);
	for (u32 i = 0; i < 3 && r == 0; i++)
		r = config_stream(&w, i, closed[i] ? -1 : (int)i, err);
	return r < 0 ? r : config_finish(&w, err);
}
