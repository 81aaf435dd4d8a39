/* SPDX-License-Identifier: Apache-2.0 */
/* The monitor's process: from a fork of the guardian to the end of the sandbox. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cage/core_sched.h"
#include "cage/filter.h"
#include "monitor/channel.h"
#include "monitor/monitor.h"
#include "runtime/descriptors.h"
#include "runtime/runtime.h"
#include "runtime/sandbox.h"

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
 * One descriptor per open host file inside, and those of the platform and of views. Not more than that: each is memory of the
 * host's kernel.
 */
#define DESCRIPTORS_MAX (HC_HANDLES_MAX + 2048u)

static void limit_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max = MIN(limit.rlim_max, (rlim_t)DESCRIPTORS_MAX);
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* Memory of its own that a monitor takes after its start: contexts of tasks and their address spaces, the C library's reserves. */
#define MEMORY_SPARE    (256ul << 20)
#define MEMORY_PER_TASK (64ul << 10)

/* Opened while there is a /proc, read when all threads are made. -1: there is none that shows us. */
static int open_statm(void)
{
	return open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
}

static void limit_memory_to(__rlimit_resource_t resource, u64 bytes)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max = MIN(limit.rlim_max, (rlim_t)bytes);
	setrlimit(resource, &limit);
}

/*
 * The arena is there already, and of fixed size: this is for what a monitor that was taken over might add to it. Addresses too, as
 * page tables are memory.
 */
static void limit_memory(int statm, const struct rf_limits *l)
{
	u64 spare = MEMORY_SPARE + l->pids * MEMORY_PER_TASK;
	unsigned long size, data;
	char text[128] = "";

	if (pread(statm, text, sizeof(text) - 1, 0) <= 0 ||
	    sscanf(text, "%lu %*u %*u %*u %*u %lu", &size, &data) != 2)
		return;
	limit_memory_to(RLIMIT_DATA, data * PAGE_SIZE + spare);
	limit_memory_to(RLIMIT_AS, size * PAGE_SIZE + spare);
}

/* Ends the call that a terminal in use by others refuses: hc_streams.c. */
static void on_terminal_refused(int signo)
{
	(void)signo;
}

/* Those that mean a bug of ours, and the platform's. All others are the caller's process's to receive. */
static void set_signals(void)
{
	static const int faults[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS };
	const struct sigaction refused = { .sa_handler = on_terminal_refused };
	sigset_t set;

	for (int signo = 1; signo < SIGRTMIN; signo++)
		if (signo != SIGBUS) /* the platform's, and it installs it once */
			signal(signo, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	sigaction(SIGTTOU, &refused, NULL);
	sigfillset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
		sigdelset(&set, faults[i]);
	sigdelset(&set, SIGNAL_STUCK);
	pthread_sigmask(SIG_SETMASK, &set, NULL);
}

/*
 * SIGKILL from the host when the guardian ends; a change of credentials undoes it (PR_SET_PDEATHSIG(2const)). The guardian may have
 * ended before.
 */
static void die_with_guardian(const struct sandbox *s)
{
	struct pollfd p = { .fd = s->guardian_pidfd, .events = POLLIN };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (poll(&p, 1, 0) != 0)
		_exit(0);
}

/*
 * The environment holds what its owner tells programs, keys among it. The kernel lays it out between the random bytes and the
 * program's file name (auxiliary vector, getauxval(3)); strings elsewhere may not be writable.
 */
static void wipe_environment(void)
{
	uptr_t start = getauxval(AT_RANDOM), end = getauxval(AT_EXECFN);

	for (char **e = environ; e && *e; e++)
		if ((uptr_t)*e > start && (uptr_t)*e < end)
			explicit_bzero(*e, strlen(*e));
	environ = NULL;
}

/* No thread exists: rights belong to threads, and new ones inherit them. */
static int drop_rights(struct sandbox *s, struct rf_error *err)
{
	int r = isolation_close(s, err);

	if (r == 0)
		die_with_guardian(s); /* after the last change of credentials */
	s->timing.cage_us = sandbox_elapsed_us(s);
	return r;
}

/* Should the event loop not see it: some seconds later the host does. Whole seconds, from the start of this process. */
static void limit_cpu_time(const struct rf_limits *l)
{
	u64 seconds = l->cpu_time_ns / 1000000000 + 1 + LIMIT_GRACE_NS / 1000000000;
	struct rlimit limit = { seconds, seconds };

	if (l->cpu_time_ns)
		setrlimit(RLIMIT_CPU, &limit);
}

/* All threads exist and nothing hostile has run. */
static int filter_calls(struct sandbox *s, int statm, struct rf_error *err)
{
	int r = 0;

	limit_cpu_time(&s->config.limits);
	if (statm >= 0) {
		limit_memory(statm, &s->config.limits);
		close(statm);
	}
	channel_send(s->channel, CHANNEL_STARTED, 0);
	close(s->guardian_pidfd);
	close(s->caller_pidfd);
	close(s->guard);
	if (s->terminal.fd >= 0)
		close(s->terminal.fd);
	if (s->config.isolation != RF_ISOLATION_NONE) {
		/* The last wall: it takes away what building the others needs. */
		r = filter_install(s->choice.platform, err);
		s->cage.refused = r < 0;
	}
	s->timing.filter_us = sandbox_elapsed_us(s);
	return r;
}

/* Takes choice->device. */
static int make_machine(struct sandbox *s, struct monitor *m, enum rf_failure *ret_failure,
			struct rf_error *err)
{
	const struct rf_config *c = &s->config;
	struct rf_options options = {
		.cpus = c->cpus,
		.residency = s->choice.residency,
		.withheld_features = c->withheld_features,
		.memory = { .base = m->arena.base, .size = m->arena.size, .gpa = RF_ARENA_GPA },
	};
	struct rf_machine *machine;
	int r = rf_machine_new(s->choice.platform, s->choice.device, &options, &machine, err);

	s->choice.device = -1;
	if (r < 0) {
		*ret_failure = failure_of(r, RF_FAILURE_NO_PLATFORM);
		return r;
	}
	r = monitor_attach(m, machine, err);
	if (r < 0)
		*ret_failure = failure_of(r, RF_FAILURE_SETUP);
	return r;
}

static int make_arena(struct sandbox *s, struct monitor *m, struct rf_error *err)
{
	const struct rf_config *c = &s->config;
	struct monitor_options options = {
		.image = c->kernel,
		.image_size = c->kernel_size,
		.residency = s->choice.residency,
		.cpus = c->cpus,
		.memory = c->limits.memory,
		.max_tasks = c->limits.pids,
		.limits = { .cpu_ns = c->limits.cpu_time_ns,
			    .wall_ns = c->limits.wall_time_ns,
			    .output = c->limits.output,
			    .file_size = c->limits.file_size },
		.huge_pages = c->huge_pages,
		.inject = c->inject,
		.kpti = c->kpti == RF_KPTI_ON || (c->kpti == RF_KPTI_AUTO && kpti_needed()),
		.log_fd = c->log_fd,
		.strace_fd = c->strace ? c->strace_fd : -1,
		.report = s->report,
		.channel_fd = s->channel,
		.terminal_touched = &s->shared->terminal_touched,
		.watchdog_ns = c->watchdog_seconds == RF_WATCHDOG_OFF
				       ? 0
				       : c->watchdog_seconds * 1000000000ull,
	};

	int r = isolation_mount(s, &options, err);

	s->timing.mounts_us = sandbox_elapsed_us(s);
	return r < 0 ? r : monitor_init(m, &options, err);
}

/* Everything up to running CPUs; records when each step was done. */
static int prepare(struct sandbox *s, struct monitor *m, const bool closed[3],
		   enum rf_failure *ret_failure, struct rf_error *err)
{
	int r = make_arena(s, m, err), statm;

	if (r < 0) {
		*ret_failure = failure_of(r, sandbox_failure(s));
		return r;
	}
	s->timing.arena_us = sandbox_elapsed_us(s);
	r = make_machine(s, m, ret_failure, err);
	s->timing.machine_us = sandbox_elapsed_us(s);
	if (r < 0)
		return r;
	*ret_failure = RF_FAILURE_SETUP;
	r = config_write(&s->config, &s->view, m, closed, err);
	s->timing.config_us = sandbox_elapsed_us(s);
	if (r < 0)
		return r;
	wipe_environment();
	limit_descriptors(); /* after config_write() has read the caller's */
	/*
	 * The sandbox has copies: when it closes its last one, whoever is at the other end is to see that. Standard error stays
	 * for our own messages.
	 */
	descriptors_release_streams();
	filter_prepare();
	if (s->config.core_sched) { /* before there are threads */
		r = core_sched_enter(err);
		if (r < 0)
			return r;
	}
	statm = open_statm();
	r = drop_rights(s, err);
	if (r < 0) {
		*ret_failure = sandbox_failure(s);
		return r;
	}
	r = monitor_start(m, err);
	s->timing.threads_us = sandbox_elapsed_us(s);
	if (r == 0)
		r = filter_calls(s, statm, err);
	*ret_failure = sandbox_failure(s);
	return r;
}

static void collect(const struct sandbox *s, struct monitor *m, struct rf_result *ret)
{
	u64 first = atomic_load(&m->first_call_ns);

	ret->timing = s->timing;
	ret->timing.end_us = sandbox_elapsed_us(s);
	ret->timing.first_call_us = first > s->start_ns ? (first - s->start_ns) / 1000 : 0;
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
static int settle(const struct rf_config *c, u32 ended, struct rf_result *ret, struct rf_error *err)
{
	u32 status = ended >> 8;

	switch (ended & 0xff) {
	case MONITOR_EXITED:
		if (!(status & HC_EXIT_SIGNAL))
			ret->exit_code = status & 0xff;
		else if ((status & 0xff) && (status & 0xff) < _NSIG)
			ret->signal = status & 0xff;
		else
			break;
		if ((status & HC_EXIT_NO_MEMORY) && ret->signal)
			ret->limit = RF_LIMIT_MEMORY;
		return 0;
	case MONITOR_LIMIT:
		return limit_reached((enum rf_limit)status, &c->limits, ret, err);
	case MONITOR_KILLED:
		ret->signal = (int)status;
		return 0;
	case MONITOR_PANIC:
		ret->failure = RF_FAILURE_PANIC;
		return error_set(err, -EIO, "the sandbox's kernel failed");
	default:
		ret->failure = RF_FAILURE_INTERNAL;
		return error_set(err, -EIO, "the sandbox could not go on");
	}
	ret->failure = RF_FAILURE_PANIC;
	return error_set(err, -EIO, "the sandbox's kernel ended with a status that does not exist");
}

static __noreturn void finish(struct sandbox *s, int r, const struct rf_result *result,
			      const struct rf_error *err)
{
	struct sandbox_shared *shared = s->shared;

	shared->error = r;
	shared->result = *result;
	memcpy(shared->message, err->text, sizeof(shared->message));
	atomic_store(&shared->finished, 1);
	_exit(0);
}

void sandbox_fail(struct sandbox *s, enum rf_failure failure, const struct rf_error *err)
{
	struct rf_result result = { .failure = failure, .timing = s->timing };

	finish(s, err->code < 0 ? err->code : -EIO, &result, err);
}

void monitor_main(struct sandbox *s)
{
	static struct monitor monitor; /* too large for a stack */
	struct rf_result result = { 0 };
	struct rf_error err = { 0 };
	bool closed[3];
	int r;

	prctl(PR_SET_NAME, "rf-monitor");
	die_with_guardian(s);
	set_signals();
	reserve_standard_streams(closed);
	s->timing.monitor_us = sandbox_elapsed_us(s);
	r = prepare(s, &monitor, closed, &result.failure, &err);
	if (r < 0) {
		err.code = r;
		sandbox_fail(s, result.failure, &err);
	}
	result.failure = RF_FAILURE_NONE;
	monitor_run(&monitor);
	collect(s, &monitor, &result);
	r = settle(&s->config, atomic_load(&monitor.ended), &result, &err);
	finish(s, r, &result, &err);
}
