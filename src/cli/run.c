/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/exit_codes.h"
#include "monitor/channel.h"
#include "runtime/view.h"

/* A file for strace, log or statistics: made, or emptied. -1: not asked for. */
static int open_output(const char *option, const char *path)
{
	int fd;

	if (!path)
		return -1;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0644);
	fd = channel_raise(fd); /* where a standard stream is closed, this must not look like one */
	if (fd < 0) {
		message("--%s: cannot write %s: %s", option, path, strerror(errno));
		exit(EXIT_CODE_SETUP);
	}
	return fd;
}

/* Whether the current directory is not what has its name inside; says so and what helps, if that is a surprise. */
static bool cwd_is_hidden(const struct run_options *o, const char *cwd)
{
	struct rf_error err;
	struct view v;
	const char *by;

	if (view_init(&v, &o->config, &err) < 0)
		return false; /* rf_run() will say why */
	by = view_covers(&v, cwd);
	if (by && !o->config.root)
		message("the current directory %s is hidden inside by %s; starting in / (\"--rw .\" or \"--ro .\" shows it)",
			cwd, by);
	view_done(&v);
	return by;
}

/* Where the program starts; PWD says the same. @pwd has room for "PWD=" and a path. */
static void settle_workdir(struct run_options *o, char *pwd, size_t size)
{
	char cwd[PATH_MAX];

	if (!o->config.workdir) {
		if (!getcwd(cwd, sizeof(cwd)) || cwd_is_hidden(o, cwd))
			strcpy(cwd, "/");
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
	const struct {
		const char *step;
		uint64_t us;
	} steps[] = {
		{ "platform opened and probed", t->platform_us },
		{ "guardian process made", t->guardian_us },
		{ "namespaces made", t->namespaces_us },
		{ "monitor process made", t->monitor_us },
		{ "views of host files mounted", t->mounts_us },
		{ "memory mapped, kernel loaded", t->arena_us },
		{ "machine made", t->machine_us },
		{ "configuration written", t->config_us },
		{ "host mounts and rights dropped", t->cage_us },
		{ "CPU threads made", t->threads_us },
		{ "system calls filtered", t->filter_us },
		{ "first hostcall", t->first_call_us },
		{ "program ended", t->end_us },
		{ "processes gone", t->done_us },
	};
	uint64_t last = 0;

	fprintf(stderr,
		"ringfence: start of residency %s on %s, microseconds since the start and in each step:\n",
		r->residency == RF_RESIDENCY_GUEST ? "guest" : "host",
		r->platform ? r->platform : "no platform");
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (!steps[i].us) /* did not come to that */
			continue;
		fprintf(stderr, "  %8" PRIu64 " %8" PRIu64 " %s\n", steps[i].us, steps[i].us - last,
			steps[i].step);
		last = steps[i].us;
	}
}

static void write_stats(const struct rf_result *r, const char *path)
{
	const struct rf_stats *p = &r->totals.platform;
	const struct rf_totals *t = &r->totals;
	FILE *f = path ? fopen(path, "we") : stderr;
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

	if (!f)
		message("--stats: cannot write %s: %s", path, strerror(errno));
	else if (o && json_dumpf(o, f, JSON_COMPACT) == 0)
		fputc('\n', f);
	if (f && f != stderr)
		fclose(f);
	json_decref(o);
}

int command_run(int argc, char **argv)
{
	struct run_options o;
	struct rf_result result;
	struct rf_error err = { 0 };
	char pwd[PATH_MAX + 8];
	int r;

	run_options_parse(&o, argc, argv);
	settle_workdir(&o, pwd, sizeof(pwd));
	if (!env_fill_default(&o, environ)) {
		message("out of memory");
		return EXIT_CODE_MEMORY;
	}
	o.config.envp = o.env;
	o.config.forward_signals = true;
	o.config.release_streams = true;
	o.config.strace_fd = open_output("strace-file", o.strace_file);
	o.config.log_fd = open_output("log-file", o.log_file);
	o.config.kernel = kernel_image_start;
	o.config.kernel_size = (size_t)(kernel_image_end - kernel_image_start);
	r = rf_run(&o.config, &result, &err);
	if (r < 0)
		message("%s", err.text);
	if (o.timing)
		print_timing(&result);
	if (o.stats)
		write_stats(&result, o.stats_file);
	run_options_free(&o);
	return exit_code_of(r, &result);
}
