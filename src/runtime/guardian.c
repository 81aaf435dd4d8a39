/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guardian: between the caller and the monitor, so that whichever of them dies, and by whatever signal, the rest ends too.
 *
 *	the caller dies      it sees it (a pidfd), kills the monitor and gives the terminal its mode back
 *	the monitor dies     it reports the wait status to the caller
 *	it dies itself       the host kills the monitor (PR_SET_PDEATHSIG), and the caller sees the end of the socket
 *
 * It never touches anything that comes from the sandbox but one flag.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "monitor/arena.h"
#include "monitor/channel.h"
#include "runtime/descriptors.h"
#include "runtime/sandbox.h"

/* A process descriptor is readable at the end of its process. */
struct guardian {
	struct sandbox *s;
	int monitor;
	pid_t monitor_pid;
};

static int pidfd_of(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

/* User ids of our new namespace: the caller may map all that it has, we only our own. */
static int get_maps(const struct sandbox *s, struct rf_error *err)
{
	struct channel_message message = { 0 };
	struct pollfd p = { .fd = s->guard, .events = POLLIN };
	int r = channel_send(s->guard, CHANNEL_MAPS_WANTED, cage_user_namespace());

	if (r < 0)
		return error_set(err, r, "cannot ask for maps of user ids");
	do {
		poll(&p, 1, -1);
		r = channel_receive(s->guard, &message);
	} while (r < 0 || (r == 1 && message.type != CHANNEL_MAPS_WRITTEN));
	if (r == 0)
		_exit(0); /* the caller is dead */
	return message.value ? cage_map_own_ids(&s->cage, err) : 0;
}

/* Namespaces for the monitor-to-be: its process will be the first of a new process namespace. */
static int guardian_isolate(struct sandbox *s, struct rf_error *err)
{
	int r = cage_unshare(&s->cage, err);

	if (r == 0 && cage_has(&s->cage, CAGE_USER))
		r = get_maps(s, err);
	s->timing.namespaces_us = sandbox_elapsed_us(s);
	return r;
}

/* Ours and the monitor's; the caller's other descriptors are nobody's business here. */
static void keep_descriptors(const struct guardian *g)
{
	const struct sandbox *s = g->s;
	int keep[] = { 0,
		       1,
		       2,
		       s->config.log_fd,
		       s->config.strace_fd,
		       s->choice.device,
		       s->far_channel,
		       s->far_guard,
		       s->guardian_pidfd,
		       s->caller_pidfd,
		       s->terminal.fd };

	descriptors_close_but(keep, ARRAY_SIZE(keep));
}

/* The monitor's are closed: when the sandbox closes its last copy of a stream, whoever is at the other end is to see that. */
static void drop_descriptors(const struct guardian *g)
{
	int keep[] = { g->s->guard, g->s->caller_pidfd, g->monitor, g->s->terminal.fd };

	descriptors_close_but(keep, ARRAY_SIZE(keep));
}

static int guardian_init(struct guardian *g, struct rf_error *err)
{
	struct sandbox *s = g->s;

	prctl(PR_SET_NAME, "rf-guardian");
	prctl(PR_SET_PDEATHSIG, SIGCONT); /* one that was stopped must see it, too */
	s->timing.guardian_us = sandbox_elapsed_us(s);
	s->caller_pidfd = pidfd_of(s->caller);
	s->guardian_pidfd = pidfd_of(getpid());
	if (s->caller_pidfd < 0 || s->guardian_pidfd < 0)
		return error_set(err, -errno, "cannot watch processes: Linux 5.3 or newer can");
	if (getppid() != s->caller)
		_exit(0); /* dead before it was watched */
	if (cgroup_enter(&s->cgroup, 0) < 0)
		s->cgroup.path[0] = 0; /* the caller removes it */
	keep_descriptors(g);
	s->channel = s->far_channel;
	s->guard = s->far_guard;
	return guardian_isolate(s, err);
}

static int make_monitor(struct guardian *g, struct rf_error *err)
{
	g->monitor_pid = fork();
	if (g->monitor_pid < 0)
		return error_set(err, -errno, "cannot make the monitor's process");
	if (g->monitor_pid == 0)
		monitor_main(g->s);
	g->monitor = pidfd_of(g->monitor_pid);
	if (g->monitor < 0)
		error_set(err, -errno, "cannot watch the monitor's process");
	else if (cage_guardian(&g->s->cage, err) == 0)
		return 0;
	kill(g->monitor_pid, SIGKILL);
	return err->code;
}

static bool terminal_touched(const struct guardian *g)
{
	return atomic_load(&g->s->shared->terminal_touched);
}

/* The terminal at once, before whoever gets it next has set a mode of its own. */
static __noreturn void caller_died(const struct guardian *g)
{
	int status;

	kill(g->monitor_pid, SIGKILL);
	if (terminal_touched(g))
		terminal_restore(&g->s->terminal);
	waitpid(g->monitor_pid, &status, 0);
	_exit(0);
}

static void guardian_message(const struct guardian *g)
{
	struct channel_message message = { 0 };
	int r = channel_receive(g->s->guard, &message);
	int signo = (int)message.value;

	if (r == 0)
		caller_died(g);
	if (r == 1 && message.type == CHANNEL_SIGNAL_MONITOR &&
	    (signo == SIGSTOP || signo == SIGCONT || signo == SIGKILL))
		kill(g->monitor_pid, signo);
}

/* Until the caller has given the terminal back, or is dead without having done so. */
static void wait_for_terminal(const struct guardian *g)
{
	struct channel_message message = { 0 };
	struct pollfd p = { .fd = g->s->guard, .events = POLLIN };
	int r;

	if (!terminal_touched(g))
		return;
	do {
		poll(&p, 1, -1);
		r = channel_receive(g->s->guard, &message);
	} while (r < 0 || (r == 1 && message.type != CHANNEL_RESTORED));
	if (r == 0)
		terminal_restore(&g->s->terminal);
}

static __noreturn void monitor_ended(const struct guardian *g)
{
	int status = 0;

	waitpid(g->monitor_pid, &status, 0);
	channel_send(g->s->guard, CHANNEL_ENDED, (u32)status);
	wait_for_terminal(g);
	_exit(0);
}

void guardian_main(struct sandbox *s)
{
	struct guardian g = { .s = s, .monitor = -1 };
	struct rf_error err = { 0 };

	if (guardian_init(&g, &err) < 0 || make_monitor(&g, &err) < 0)
		sandbox_fail(s, sandbox_failure(s), &err);
	drop_descriptors(&g);
	for (;;) {
		struct pollfd p[] = { { .fd = s->guard, .events = POLLIN },
				      { .fd = s->caller_pidfd, .events = POLLIN },
				      { .fd = g.monitor, .events = POLLIN } };

		if (poll(p, ARRAY_SIZE(p), -1) < 0)
			continue;
		if (p[1].revents)
			caller_died(&g);
		if (p[0].revents)
			guardian_message(&g);
		if (p[2].revents)
			monitor_ended(&g);
	}
}
