/* SPDX-License-Identifier: Apache-2.0 */
/* The caller's side of a sandbox. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "monitor/channel.h"
#include "monitor/monitor.h"
#include "runtime/descriptors.h"
#include "runtime/report_file.h"
#include "runtime/runtime.h"
#include "runtime/sandbox.h"

#define CGROUP_MEMORY_SPARE (96ul << 20)
/* Guardian, monitor, and the host's own threads for a machine. */
#define CGROUP_PIDS_SPARE   16u
/* This near to the end of its time nobody stops any more. */
#define STOP_LEAST_NS       100000000ull

u64 sandbox_elapsed_us(const struct sandbox *s)
{
	return (clock_now_ns(CLOCK_MONOTONIC) - s->start_ns) / 1000;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static bool terminal_touched(const struct sandbox *s)
{
	return atomic_load(&s->shared->terminal_touched);
}

static void guard_message(struct sandbox *s, const struct channel_message *message)
{
	switch (message->type) {
	case CHANNEL_MAPS_WANTED:
		channel_send(s->guard, CHANNEL_MAPS_WRITTEN,
			     (u32)-cage_map_ids(s->guardian, message->value));
		break;
	case CHANNEL_ENDED:
		s->ended = true;
		s->wait_status = (int)message->value;
		if (terminal_touched(s))
			terminal_restore(&s->terminal);
		channel_send(s->guard, CHANNEL_RESTORED, 0);
		break;
	default:
		break;
	}
}

static void kill_monitor(const struct sandbox *s)
{
	if (s->guard >= 0)
		channel_send(s->guard, CHANNEL_SIGNAL_MONITOR, SIGKILL);
}

/*
 * Stopped, until somebody continues us, or the wall time is over: a program stops itself as it likes, and must not get around its
 * limit by that. Sent to this thread: it has stopped when raise() returns.
 */
static void stop_self(const struct sandbox *s)
{
	struct sigevent wake = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGCONT };
	struct itimerspec at = { .it_value = { .tv_sec = (time_t)(s->wall_end_ns / 1000000000),
					       .tv_nsec = (long)(s->wall_end_ns % 1000000000) } };
	timer_t timer;

	if (!s->wall_end_ns) {
		raise(SIGSTOP);
		return;
	}
	/* It must not have gone off before we are stopped; and without a timer, better not stopped than for ever. */
	if (clock_now_ns(CLOCK_MONOTONIC) + STOP_LEAST_NS > s->wall_end_ns ||
	    timer_create(CLOCK_MONOTONIC, &wake, &timer) < 0)
		return;
	if (timer_settime(timer, TIMER_ABSTIME, &at, NULL) == 0)
		raise(SIGSTOP);
	timer_delete(timer);
}

/* As the terminal driver would have stopped us: it was the program's to do so. */
static void stop_with_program(struct sandbox *s)
{
	if (terminal_touched(s))
		terminal_restore(&s->terminal);
	channel_send(s->guard, CHANNEL_SIGNAL_MONITOR, SIGSTOP);
	stop_self(s);
	/* It ends now: the terminal may be somebody else's, who has a mode of their own. */
	if (s->wall_end_ns && clock_now_ns(CLOCK_MONOTONIC) >= s->wall_end_ns) {
		atomic_store(&s->shared->terminal_touched, 0);
		return;
	}
	if (terminal_touched(s))
		terminal_reapply(&s->terminal);
	channel_send(s->guard, CHANNEL_SIGNAL_MONITOR, SIGCONT);
}

/* From now on its time is counted here too: should the monitor not keep to it, it is killed. */
static void program_started(struct sandbox *s)
{
	u64 wall = s->config.limits.wall_time_ns;

	s->started = true;
	if (wall)
		s->wall_end_ns = clock_now_ns(CLOCK_MONOTONIC) + wall + LIMIT_GRACE_NS;
}

/* One at a time: a monitor that sends without end must not keep us from the rest. */
static void read_channel(struct sandbox *s)
{
	struct channel_message message;
	int r = channel_receive(s->channel, &message);

	if (r == 0) {
		close_fd(&s->channel);
	} else if (r == 1 && message.type == CHANNEL_STARTED && !s->started) {
		program_started(s);
	} else if (r == -EPROTO || (r == 1 && message.type != CHANNEL_STOP)) {
		s->broken = true;
		kill_monitor(s);
	} else if (r == 1) {
		if (s->signal_fd >= 0 && !s->end_signal)
			stop_with_program(s);
		channel_send(s->channel, CHANNEL_CONTINUED, 0);
	}
}

static void read_guard(struct sandbox *s)
{
	struct channel_message message;
	int r = channel_receive(s->guard, &message);

	if (r == 1)
		guard_message(s, &message);
	else if (r == 0)
		close_fd(&s->guard);
}

/* -1: no limit. */
static int timeout_ms(struct sandbox *s)
{
	u64 now, end = s->end_ns;

	if (s->wall_end_ns && (!end || s->wall_end_ns < end))
		end = s->wall_end_ns;
	if (!end)
		return -1;
	now = clock_now_ns(CLOCK_MONOTONIC);
	if (now < end) /* not so far that the number overflows */
		return (int)MIN((end - now) / 1000000 + 1, 1000000ul);
	s->overdue = end == s->wall_end_ns;
	s->end_ns = s->wall_end_ns = 0;
	kill_monitor(s);
	return -1;
}

/* Until guardian and monitor are gone: each holds its end of a socket as long as it lives. */
static void supervise(struct sandbox *s)
{
	while (s->guard >= 0 || s->channel >= 0) {
		struct pollfd p[] = { { .fd = s->guard, .events = POLLIN },
				      { .fd = s->channel, .events = POLLIN },
				      { .fd = s->signal_fd, .events = POLLIN } };

		if (poll(p, ARRAY_SIZE(p), timeout_ms(s)) <= 0)
			continue;
		if (p[2].revents)
			signals_forward(s);
		if (p[1].revents)
			read_channel(s);
		if (p[0].revents)
			read_guard(s);
	}
}

static void sandbox_done(struct sandbox *s)
{
	close_fd(&s->channel);
	close_fd(&s->guard);
	close_fd(&s->far_channel);
	close_fd(&s->far_guard);
	terminal_done(&s->terminal);
	report_free(s->report);
	cgroup_remove(&s->cgroup);
	if (s->shared)
		munmap(s->shared, sizeof(*s->shared));
}

static int sandbox_init(struct sandbox *s, struct rf_error *err)
{
	int pair[2], r;

	s->caller = getpid();
	cage_init(&s->cage, s->config.isolation);
	s->shared = mmap(NULL, sizeof(*s->shared), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (s->shared == MAP_FAILED) {
		s->shared = NULL;
		return error_set(err, -errno, "cannot allocate a page");
	}
	r = channel_pair(pair);
	if (r < 0)
		return error_set(err, r, "cannot make a pair of sockets");
	s->channel = pair[0];
	s->far_channel = pair[1];
	r = channel_pair(pair);
	if (r < 0)
		return error_set(err, r, "cannot make a pair of sockets");
	s->guard = pair[0];
	s->far_guard = pair[1];
	s->report = report_prepare(&s->config);
	terminal_init(&s->terminal);
	return 0;
}

/*
 * Where this process may, the host holds the sandbox to its size as well: the arena, what KVM keeps about it, and our own; and a few
 * threads. Without one nothing is lost but the second wall.
 */
static void make_cgroup(struct sandbox *s)
{
	const struct rf_limits *l = &s->config.limits;
	struct cgroup_limits limits = {
		.memory = l->memory + l->memory / 8 + l->pids * KSTACK_SLOT + CGROUP_MEMORY_SPARE,
		.pids = s->config.cpus + CGROUP_PIDS_SPARE,
	};
	char why[256];

	if (cgroup_make_own(&limits, &s->cgroup, why, sizeof(why)) < 0)
		s->cgroup.path[0] = 0;
}

static u64 cpu_time_ns(const struct rusage *u)
{
	return (u64)(u->ru_utime.tv_sec + u->ru_stime.tv_sec) * 1000000000 +
	       (u64)(u->ru_utime.tv_usec + u->ru_stime.tv_usec) * 1000;
}

/* No signal is delivered to the copies of this process while they are not yet something else. */
static int make_guardian(struct sandbox *s, struct rf_error *err)
{
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	s->guardian = fork();
	if (s->guardian == 0)
		guardian_main(s);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (s->guardian < 0)
		return error_set(err, -errno, "cannot make the guardian process");
	close_fd(&s->far_channel);
	close_fd(&s->far_guard);
	close_fd(&s->choice.device);
	return 0;
}

/* Takes over signals, and gives them back. */
static int run_chosen(struct sandbox *s, struct rf_result *ret, struct rf_error *err)
{
	struct rusage usage = { 0 };
	int r = sandbox_init(s, err);

	if (r == 0)
		r = signals_take(s, err);
	if (r == 0)
		make_cgroup(s);
	if (r == 0)
		r = make_guardian(s, err);
	if (r < 0) {
		ret->failure = failure_of(r, RF_FAILURE_SETUP);
		signals_give_back(s);
		return r;
	}
	s->oom_kills = result_oom_kills();
	if (s->config
		    .release_streams) /* whoever is at the other end is to see when the program closes them */
		descriptors_release_streams();
	supervise(s);
	if (!s->ended && terminal_touched(s)) /* the guardian died first */
		terminal_restore(&s->terminal);
	/* -ECHILD where the caller has told the host to reap (SIGCHLD ignored), or does it itself. */
	while (wait4(s->guardian, NULL, 0, &usage) < 0 && errno == EINTR)
		;
	s->cpu_used_ns = cpu_time_ns(&usage);
	signals_give_back(s);
	r = result_take(s, ret, err);
	report_finish(&s->config, s->report, ret, err);
	return r;
}

static int choose(struct sandbox *s, struct rf_result *ret, struct rf_error *err)
{
	int r = rf_choose(&s->config, &s->choice, err);

	s->timing.platform_us = sandbox_elapsed_us(s);
	if (r < 0) {
		ret->failure = s->choice.failure;
		return r;
	}
	ret->residency = s->choice.residency;
	ret->platform = rf_platform_name(s->choice.platform);
	s->choice.device = channel_raise(s->choice.device);
	return 0;
}

int rf_run(const struct rf_config *config, struct rf_result *ret, struct rf_error *err)
{
	struct sandbox s = { .start_ns = clock_now_ns(CLOCK_MONOTONIC),
			     .config = *config,
			     .choice.device = -1,
			     .channel = -1,
			     .guard = -1,
			     .far_channel = -1,
			     .far_guard = -1,
			     .signal_fd = -1,
			     .terminal.fd = -1 };
	sigset_t mask;
	int r;

	memset(ret, 0, sizeof(*ret));
	r = config_complete(&s.config, &ret->failure, err);
	if (r < 0)
		return r;
	r = view_init(&s.view, &s.config, err);
	if (r < 0) {
		ret->failure = failure_of(r, RF_FAILURE_SETUP);
		return r;
	}
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	r = choose(&s, ret, err);
	if (r == 0)
		r = run_chosen(&s, ret, err);
	ret->timing.done_us = sandbox_elapsed_us(&s);
	sandbox_done(&s);
	view_done(&s.view);
	close_fd(&s.choice.device);
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
	return r;
}
