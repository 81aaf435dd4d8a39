/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/exit_codes.h"

#define MIN_US(a, b) ((a) < (b) ? (a) : (b))

/* A file for strace, log or statistics: made, or emptied. -1: not asked for. */
static int open_output(const char *option, const char *path)
{
	int fd;

	if (!path)
		return -1;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0644);
	if (fd < 0) {
		message("--%s: cannot write %s: %s", option, path, strerror(errno));
		exit(EXIT_CODE_SETUP);
	}
	return fd;
}

/* Where the program starts; PWD says the same. @pwd has room for "PWD=" and a path. */
static void settle_workdir(struct run_options *o, char *pwd, size_t size)
{
	char cwd[PATH_MAX];
	const char *by;

	if (!o->config.workdir) {
		if (!getcwd(cwd, sizeof(cwd)))
			strcpy(cwd, "/");
		by = o->config.root ? o->config.root : hidden_by(o, cwd);
		if (by) {
			if (!o->config.root)
				message("the current directory %s is hidden inside by %s; starting in /",
					cwd, by);
			strcpy(cwd, "/");
		}
		snprintf(pwd, size, "PWD=%s", cwd);
		o->config.workdir = pwd + 4;
	} else {
		snprintf(pwd, size, "PWD=%s", o->config.workdir);
	}
	env_add(o, pwd);
}

static void print_timing(const struct rf_result *r)
{
	const struct rf_timing *t = &r->timing;

	fprintf(stderr,
		"ringfence: start of residency %s on %s, microseconds since the start and in each step:\n"
		"  %8lu %8lu platform opened and probed\n"
		"  %8lu %8lu memory mapped, kernel loaded\n"
		"  %8lu %8lu machine made\n"
		"  %8lu %8lu configuration written\n"
		"  %8lu %8lu CPUs started\n"
		"  %8lu %8lu first hostcall\n"
		"  %8lu %8lu end\n",
		r->residency == RF_RESIDENCY_GUEST ? "guest" : "host",
		r->platform ? r->platform : "no platform", t->platform_us, t->platform_us,
		t->arena_us, t->arena_us - t->platform_us, t->machine_us,
		t->machine_us - t->arena_us, t->config_us, t->config_us - t->machine_us, t->boot_us,
		t->boot_us - t->config_us, t->first_call_us,
		t->first_call_us - MIN_US(t->config_us, t->first_call_us), t->end_us,
		t->end_us - MIN_US(t->first_call_us, t->end_us));
}

static void write_stats(const struct rf_result *r, int fd)
{
	const struct rf_stats *p = &r->totals.platform;
	const struct rf_totals *t = &r->totals;
	json_t *o = json_pack(
		"{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
		"platform", r->platform ? r->platform : "", "residency",
		r->residency == RF_RESIDENCY_GUEST ? "guest" : "host", "syscalls",
		(json_int_t)t->syscalls, "hostcalls", (json_int_t)t->hostcalls, "faults",
		(json_int_t)t->faults, "task_switches", (json_int_t)t->switches, "exits",
		(json_int_t)p->exits, "exits_io", (json_int_t)p->exits_io, "exits_hlt",
		(json_int_t)p->exits_hlt, "exits_mmio", (json_int_t)p->exits_mmio, "exits_intr",
		(json_int_t)p->exits_intr, "exits_other", (json_int_t)p->exits_other, "kvm_exits",
		(json_int_t)p->kvm_exits, "kvm_irq_exits", (json_int_t)p->kvm_irq_exits,
		"invalidations", (json_int_t)p->invalidations, "interrupts",
		(json_int_t)p->interrupts, "start_us", (json_int_t)r->timing.first_call_us,
		"total_us", (json_int_t)r->timing.end_us);

	if (!o || json_dumpfd(o, fd, JSON_COMPACT) < 0 || write(fd, "\n", 1) < 0)
		message("--stats: cannot write: %s", strerror(errno));
	json_decref(o);
}

int command_run(int argc, char **argv)
{
	struct run_options o;
	struct rf_result result;
	struct rf_error err = { 0 };
	char pwd[PATH_MAX + 8];
	int r, stats_fd;

	run_options_parse(&o, argc, argv);
	settle_workdir(&o, pwd, sizeof(pwd));
	if (!env_fill_default(&o, environ)) {
		message("out of memory");
		return EXIT_CODE_MEMORY;
	}
	o.config.envp = o.env;
	o.config.strace_fd = open_output("strace-file", o.strace_file);
	o.config.log_fd = open_output("log-file", o.log_file);
	stats_fd = open_output("stats", o.stats_file);
	o.config.kernel = kernel_image_start;
	o.config.kernel_size = (size_t)(kernel_image_end - kernel_image_start);
	r = rf_run(&o.config, &result, &err);
	if (r < 0)
		message("%s", err.text);
	if (o.timing)
		print_timing(&result);
	if (o.stats)
		write_stats(&result, stats_fd < 0 ? STDERR_FILENO : stats_fd);
	run_options_free(&o);
	return exit_code_of(r, &result);
}
