/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "monitor/monitor.h"
#include "monitor/terminal.h"
#include "runtime/report_file.h"
#include "runtime/runtime.h"

/* Lives as long as the process: CPU threads and signal handlers refer to it. */
static struct monitor the_monitor;
static bool the_monitor_used;
static struct report *the_report;

/* Descriptors we open must not land on 0 to 2, where a closed standard stream would seem to be open. */
static void reserve_standard_streams(bool closed[3])
{
	for (int fd = 0; fd < 3; fd++) {
		closed[fd] = fcntl(fd, F_GETFD) < 0;
		if (closed[fd] && open("/dev/null", O_RDWR) != fd)
			continue; /* lower ones are all taken, so this cannot be */
	}
}

/*
 * Input and output are the sandbox's now, through copies: when it closes its last one, whoever is at the other end is to see
 * that. Standard error stays for our own messages.
 */
static void give_standard_streams(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return;
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	close(null);
}

/* One descriptor per open host file inside, and those of the platform. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static u64 elapsed_us(u64 start_ns)
{
	return (clock_now_ns(CLOCK_MONOTONIC) - start_ns) / 1000;
}

/* Takes choice->device. */
static int make_machine(const struct rf_config *c, struct rf_choice *choice, struct rf_result *ret,
			struct rf_error *err)
{
	struct monitor *m = &the_monitor;
	struct rf_options options = {
		.cpus = c->cpus,
		.residency = choice->residency,
		.withheld_features = c->withheld_features,
		.memory = { .base = m->arena.base, .size = m->arena.size, .gpa = RF_ARENA_GPA },
	};
	struct rf_machine *machine;
	int r = rf_machine_new(choice->platform, choice->device, &options, &machine, err);

	choice->device = -1;
	if (r < 0) {
		ret->failure = failure_of(r, RF_FAILURE_NO_PLATFORM);
		return r;
	}
	r = monitor_attach(m, machine, err);
	if (r < 0)
		ret->failure = failure_of(r, RF_FAILURE_SETUP);
	return r;
}

/* Everything up to running CPUs; records when each step was done. */
static int prepare(const struct rf_config *c, struct rf_choice *choice, const bool closed[3],
		   u64 start_ns, struct rf_result *ret, struct rf_error *err)
{
	struct monitor *m = &the_monitor;
	struct monitor_options options = {
		.image = c->kernel,
		.image_size = c->kernel_size,
		.residency = choice->residency,
		.cpus = c->cpus,
		.memory = c->memory,
		.max_tasks = c->max_tasks,
		.huge_pages = c->huge_pages,
		.inject = c->inject,
		.kpti = c->kpti == RF_KPTI_ON || (c->kpti == RF_KPTI_AUTO && kpti_needed()),
		.log_fd = c->log_fd,
		.strace_fd = c->strace_fd,
		.report = the_report,
		.watchdog_ns = c->watchdog_seconds == RF_WATCHDOG_OFF
				       ? 0
				       : c->watchdog_seconds * 1000000000ull,
	};
	int r = monitor_init(m, &options, err);

	if (r < 0) {
		ret->failure = failure_of(r, RF_FAILURE_SETUP);
		return r;
	}
	ret->timing.arena_us = elapsed_us(start_ns);
	r = make_machine(c, choice, ret, err);
	ret->timing.machine_us = elapsed_us(start_ns);
	if (r == 0) {
		r = config_write(c, m, closed, err);
		ret->failure = r < 0 ? RF_FAILURE_SETUP : RF_FAILURE_NONE;
	}
	ret->timing.config_us = elapsed_us(start_ns);
	if (r < 0)
		monitor_done(m);
	return r;
}

static void collect(struct monitor *m, u64 start_ns, struct rf_result *ret)
{
	u64 first = atomic_load(&m->first_call_ns);

	ret->timing.end_us = elapsed_us(start_ns);
	ret->timing.first_call_us = first > start_ns ? (first - start_ns) / 1000 : 0;
	for (u32 i = 0; i < m->cpus; i++) {
		const struct cpu_shared *cpu = &m->info->cpu[i];

		ret->totals.hostcalls += cpu->hostcalls;
		ret->totals.syscalls += cpu->syscalls;
		ret->totals.faults += cpu->faults;
		ret->totals.switches += cpu->switches;
	}
	rf_machine_stats(m->machine, &ret->totals.platform);
}

/* What the end of the sandbox means to the caller. */
static int settle(u32 ended, struct rf_result *ret, struct rf_error *err)
{
	u32 status = ended >> 8;

	switch (ended & 0xff) {
	case MONITOR_EXITED:
		if (status & 0x100)
			ret->signal = status & 0x7f;
		else
			ret->exit_code = status & 0xff;
		return 0;
	case MONITOR_KILLED:
		ret->signal = (int)status;
		return 0;
	case MONITOR_PANIC:
		ret->failure = RF_FAILURE_PANIC;
		error_set(err, 0, "the sandbox's kernel failed");
		return -EIO;
	default:
		ret->failure = RF_FAILURE_INTERNAL;
		error_set(err, 0, "the sandbox could not go on");
		return -EIO;
	}
}

static int run_chosen(const struct rf_config *c, struct rf_choice *choice, const bool closed[3],
		      u64 start_ns, struct rf_result *ret, struct rf_error *err)
{
	struct monitor *m = &the_monitor;
	int r = prepare(c, choice, closed, start_ns, ret, err);

	if (r < 0)
		return r;
	raise_descriptor_limit(); /* after config_write() has read the caller's */
	terminal_save();
	give_standard_streams();
	r = monitor_start(m, err);
	ret->timing.boot_us = elapsed_us(start_ns);
	if (r < 0) {
		ret->failure = RF_FAILURE_SETUP;
		return r;
	}
	monitor_run(m);
	terminal_restore();
	collect(m, start_ns, ret);
	return settle(atomic_load(&m->ended), ret, err);
}

int rf_run(const struct rf_config *config, struct rf_result *ret, struct rf_error *err)
{
	u64 start_ns = clock_now_ns(CLOCK_MONOTONIC);
	struct rf_config c = *config;
	struct rf_choice choice;
	bool closed[3];
	int r;

	memset(ret, 0, sizeof(*ret));
	r = config_complete(&c, &ret->failure, err);
	if (r < 0)
		return r;
	if (the_monitor_used) {
		ret->failure = RF_FAILURE_USAGE;
		return error_set(err, -EBUSY, "this process has run a sandbox already");
	}
	the_monitor_used = true;
	reserve_standard_streams(closed);
	r = rf_choose(&c, &choice, err);
	ret->timing.platform_us = elapsed_us(start_ns);
	if (r < 0) {
		ret->failure = choice.failure;
		goto out;
	}
	ret->residency = choice.residency;
	ret->platform = rf_platform_name(choice.platform);
	the_report = report_prepare(&c);
	r = run_chosen(&c, &choice, closed, start_ns, ret, err);
	report_finish(&c, the_report, ret, err);
out:
	if (choice.device >= 0)
		close(choice.device);
	return r;
}
