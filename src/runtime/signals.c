/* SPDX-License-Identifier: Apache-2.0 */
/* Signals of the caller's process while a sandbox runs, if the configuration says that they are the program's. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "monitor/channel.h"
#include "monitor/monitor.h"
#include "runtime/sandbox.h"

/* This many of SIGTERM or SIGQUIT within this time end a sandbox whose program ignores them. */
#define KILL_COUNT     3
#define KILL_WINDOW_NS 2000000000ull
/* What the monitor has then for its last report; after that it is killed. */
#define END_NS         2000000000ull

static const int forwarded_signals[] = { SIGINT,  SIGTERM, SIGHUP,  SIGQUIT, SIGWINCH,
					 SIGTSTP, SIGCONT, SIGUSR1, SIGUSR2 };

/* What our caller was told to ignore (nohup, a shell's background job) stays ignored. */
int signals_take(struct sandbox *s, struct rf_error *err)
{
	struct sigaction old;
	sigset_t set;

	s->signal_fd = -1;
	if (!s->config.forward_signals)
		return 0;
	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(forwarded_signals); i++)
		if (sigaction(forwarded_signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaddset(&set, forwarded_signals[i]);
	s->signal_fd = channel_raise(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
	if (s->signal_fd < 0)
		return error_set(err, -errno, "cannot receive signals");
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	return 0;
}

/* Returns true when the sandbox is to end now, whatever its program does. */
static bool kill_requested(struct sandbox *s, u32 signo)
{
	u64 now = clock_now_ns(CLOCK_MONOTONIC);

	if (signo != SIGTERM && signo != SIGQUIT)
		return false;
	if (!s->kill_count || now - s->kill_since_ns > KILL_WINDOW_NS) {
		s->kill_count = 0;
		s->kill_since_ns = now;
	}
	return ++s->kill_count >= KILL_COUNT;
}

void signals_forward(struct sandbox *s)
{
	struct signalfd_siginfo si;

	while (read(s->signal_fd, &si, sizeof(si)) == sizeof(si)) {
		if (s->channel < 0 || s->end_signal)
			continue;
		if (kill_requested(s, si.ssi_signo)) {
			s->end_signal = (int)si.ssi_signo;
			s->end_ns = clock_now_ns(CLOCK_MONOTONIC) + END_NS;
			channel_send(s->channel, CHANNEL_END, si.ssi_signo);
		} else {
			channel_send(s->channel, CHANNEL_SIGNAL, si.ssi_signo);
		}
	}
}

void signals_give_back(struct sandbox *s)
{
	if (s->signal_fd < 0)
		return;
	signals_forward(s); /* what came too late was meant for the program, too */
	close(s->signal_fd);
	s->signal_fd = -1;
}
