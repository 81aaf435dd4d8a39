/* SPDX-License-Identifier: Apache-2.0 */
/* What became of a sandbox: from what the monitor left in the shared page, and from how it ended. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "monitor/monitor.h"
#include "monitor/text.h"
#include "runtime/runtime.h"
#include "runtime/sandbox.h"

#define ERRNO_MAX  4095
#define SIGNAL_MAX 64

u64 result_oom_kills(void)
{
	FILE *f = fopen("/proc/vmstat", "re");
	unsigned long kills = 0;
	char line[128];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "oom_kill %lu", &kills) == 1)
			break;
	if (f)
		fclose(f);
	return kills;
}

static int fail(struct rf_result *ret, enum rf_failure failure, struct rf_error *err,
		const char *text)
{
	ret->failure = failure;
	return error_set(err, -EIO, "%s", text);
}

static bool limit_ends_sandbox(enum rf_limit limit)
{
	return limit > RF_LIMIT_MEMORY && limit <= RF_LIMIT_OUTPUT;
}

/* A monitor that was taken over may have written anything. @copy is ours: nobody changes it while it is checked. */
static bool makes_sense(const struct sandbox_shared *copy)
{
	const struct rf_result *r = &copy->result;

	if (copy->error > 0 || copy->error < -ERRNO_MAX)
		return false;
	if (copy->error < 0)
		return r->failure > RF_FAILURE_NONE && r->failure <= RF_FAILURE_LIMIT &&
		       !r->signal && !r->exit_code &&
		       (r->failure == RF_FAILURE_LIMIT ? limit_ends_sandbox(r->limit)
						       : r->limit == RF_LIMIT_NONE);
	return r->failure == RF_FAILURE_NONE && r->signal >= 0 && r->signal <= SIGNAL_MAX &&
	       (r->limit == RF_LIMIT_NONE || (r->limit == RF_LIMIT_MEMORY && r->signal)) &&
	       r->exit_code >= 0 && r->exit_code <= 255 && !(r->signal && r->exit_code);
}

/* Shown to people: nothing in it may drive a terminal. */
static void take_message(char *text, struct rf_error *err)
{
	text[RF_ERROR_MAX - 1] = 0;
	text_defuse(text, strlen(text));
	for (char *c = text; *c; c++)
		if (*c == '\n' || *c == '\t')
			*c = '?';
	if (err)
		memcpy(err->text, text, RF_ERROR_MAX);
}

static int take_finished(const struct sandbox *s, struct rf_result *ret, struct rf_error *err)
{
	struct sandbox_shared copy;
	enum rf_residency residency = ret->residency;
	const char *platform = ret->platform;

	memcpy(&copy, s->shared, sizeof(copy));
	if (!makes_sense(&copy))
		return fail(ret, RF_FAILURE_INTERNAL, err,
			    "the monitor left a result that makes no sense");
	*ret = copy.result;
	ret->residency = residency;
	ret->platform = platform;
	if (copy.error == 0)
		return 0;
	take_message(copy.message, err);
	if (err)
		err->code = copy.error;
	return copy.error;
}

/* Nobody of ours sends SIGKILL but the guardian, and not while its caller lives unless it was told to. */
static int killed(const struct sandbox *s, struct rf_result *ret, struct rf_error *err)
{
	u64 cpu_time = s->config.limits.cpu_time_ns;

	/* RLIMIT_CPU of the monitor. */
	if (cpu_time && s->cpu_used_ns >= cpu_time + LIMIT_GRACE_NS)
		return limit_reached(RF_LIMIT_CPU_TIME, &s->config.limits, ret, err);
	if (result_oom_kills() != s->oom_kills) {
		ret->failure = RF_FAILURE_MEMORY;
		return error_set(
			err, -ENOMEM,
			"the monitor was killed (SIGKILL), and the host has killed processes since for want of memory");
	}
	return fail(ret, RF_FAILURE_INTERNAL, err,
		    "the monitor was killed (SIGKILL) by another process");
}

static int take_signal(const struct sandbox *s, int signo, struct rf_result *ret,
		       struct rf_error *err)
{
	if (signo == SIGKILL)
		return killed(s, ret, err);
	ret->failure = RF_FAILURE_INTERNAL;
	if (signo == SIGSYS)
		return error_set(
			err, -EIO,
			"the monitor was killed by its seccomp filter: it asked for what no sandbox needs");
	return error_set(err, -EIO, "the monitor died of signal %d (%s)", signo, strsignal(signo));
}

int result_take(const struct sandbox *s, struct rf_result *ret, struct rf_error *err)
{
	if (s->broken)
		return fail(ret, RF_FAILURE_INTERNAL, err,
			    "the monitor sent what no monitor sends, and was killed");
	if (atomic_load(&s->shared->finished))
		return take_finished(s, ret, err);
	if (s->overdue)
		return limit_reached(RF_LIMIT_WALL_TIME, &s->config.limits, ret, err);
	if (s->end_signal) {
		ret->signal = s->end_signal;
		return 0;
	}
	if (!s->ended)
		return fail(ret, RF_FAILURE_INTERNAL, err,
			    "the guardian process was killed, and the sandbox with it");
	if (WIFSIGNALED(s->wait_status))
		return take_signal(s, WTERMSIG(s->wait_status), ret, err);
	if (WEXITSTATUS(s->wait_status) == MONITOR_STATUS_PANIC)
		return fail(ret, RF_FAILURE_PANIC, err, "the sandbox's kernel crashed");
	ret->failure = RF_FAILURE_INTERNAL;
	return error_set(err, -EIO, "the monitor ended without a result (status %d)",
			 WEXITSTATUS(s->wait_status));
}
