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

#define CPUS_DEFAULT_MAX 4u
/* Soft RLIMIT_NOFILE inside: what select(2) can handle. */
#define NOFILE_SOFT      1024u
/* Hard: what a descriptor table of the kernel's holds. */
#define NOFILE_HARD      65536u
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
	limits_defaults(&c->limits);
}

int config_complete(struct rf_config *c, enum rf_failure *ret_failure, struct rf_error *err)
{
	int r;

	config_defaults(c);
	*ret_failure = RF_FAILURE_USAGE;
	if (!c->argv || !c->argv[0])
		return error_set(err, -EINVAL, "no program to run");
	if (!c->kernel || !c->kernel_size)
		return error_set(err, -EINVAL, "no kernel image to boot");
	if (c->cpus > RF_MAX_CPUS)
		return error_set(err, -EINVAL, "%u CPUs are more than the %d supported", c->cpus,
				 RF_MAX_CPUS);
	if (c->mount_count > RF_MOUNTS_MAX)
		return error_set(err, -EINVAL, "%zu mounts are more than the %u supported",
				 c->mount_count, RF_MOUNTS_MAX);
	if (c->debug_crash >= BOOT_DEBUG_KINDS)
		return error_set(err, -EINVAL, "unknown kind of breakdown %u", c->debug_crash);
	if (strlen(c->hostname) > 64)
		return error_set(err, -EINVAL, "the host name is longer than 64 bytes");
	r = limits_check(&c->limits, err);
	*ret_failure = r < 0 ? failure_of(r, RF_FAILURE_USAGE) : RF_FAILURE_NONE;
	return r;
}

static void write_rlimit(struct boot_config *b, int which, u64 soft, u64 hard)
{
	b->rlimits[which][0] = MIN(soft, hard);
	b->rlimits[which][1] = hard;
}

/* The caller's, but where a limit of the sandbox's decides. */
static void write_rlimits(const struct rf_limits *l, struct boot_config *b)
{
	for (int i = 0; i < 16; i++) {
		struct rlimit limit;

		b->rlimits[i][0] = b->rlimits[i][1] = ~0ull;
		if (getrlimit((__rlimit_resource_t)i, &limit) < 0)
			continue;
		b->rlimits[i][0] = limit.rlim_cur;
		b->rlimits[i][1] = limit.rlim_max;
	}
	write_rlimit(b, RLIMIT_NPROC, l->pids, l->pids);
	write_rlimit(b, RLIMIT_NOFILE, NOFILE_SOFT, MIN(l->files, NOFILE_HARD));
	write_rlimit(b, RLIMIT_FSIZE, MIN(b->rlimits[RLIMIT_FSIZE][0], l->file_size),
		     MIN(b->rlimits[RLIMIT_FSIZE][1], l->file_size));
}

static void write_limits(const struct rf_limits *l, struct boot_config *b)
{
	write_rlimits(l, b);
	b->pids_max = l->pids;
	b->files_max = l->files;
	b->file_size = l->file_size;
	b->disk_bytes = l->disk;
	b->disk_inodes = l->disk_inodes;
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
	write_ids(c, &w);
	write_limits(&c->limits, w.config);
	r = view_write(v, c, &w, err);
	for (u32 i = 0; i < 3 && r == 0; i++)
		r = config_stream(&w, i, closed[i] ? -1 : (int)i, err);
	return r < 0 ? r : config_finish(&w, err);
}
