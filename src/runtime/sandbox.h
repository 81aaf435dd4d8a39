/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One run of a sandbox and its processes:
 *
 *	caller     rf_run() in the process that called it: owns terminal and signals, waits
 *	guardian   its child: makes the monitor, ends it when the caller dies, gives the terminal back then; reports its end
 *	monitor    the guardian's child: the only one that touches the sandbox
 *
 * Both are made by fork(2) without exec(2): what the caller prepared they have as copies. In both only the thread that forked goes on.
 */
#pragma once

#include <stdatomic.h>
#include <sys/types.h>

#include <ringfence/ringfence.h>

#include "base/types.h"
#include "cage/cage.h"
#include "runtime/cgroup.h"
#include "runtime/terminal.h"
#include "runtime/view.h"

/* What the monitor has beyond a limit of time to end by itself. */
#define LIMIT_GRACE_NS 2000000000ull

/* A page all three share. The monitor may have been taken over: the caller copies it once, then checks. */
struct sandbox_shared {
	atomic_uint terminal_touched; /* the mode of a terminal was changed */
	atomic_uint finished;         /* what follows is complete */
	s32 error;                    /* 0 or -errno of rf_run() */
	struct rf_result result;
	char message[RF_ERROR_MAX];
};

struct sandbox {
	/* the same in all three */
	struct rf_config config; /* complete */
	struct view view;        /* what of the host it shows */
	struct rf_choice choice;
	u64 start_ns;
	struct rf_timing timing; /* as far as it was known when this process was forked */
	struct sandbox_shared *shared;
	struct terminal terminal;
	struct report *report; /* what the monitor says about its end; NULL: on the log */
	struct cage cage;      /* as far as it was built when this process was forked */
	pid_t caller;
	struct cgroup cgroup; /* of guardian and monitor, if there can be one */

	int channel;     /* caller's end to the monitor, the monitor's end to the caller */
	int guard;       /* caller's end to the guardian, the guardian's end to the caller */
	int far_channel; /* until the guardian has its own: the other end of each */
	int far_guard;
	int guardian_pidfd; /* guardian, and monitor until its cage is closed: to see whether it lives */
	int caller_pidfd; /* the same */

	/* caller only */
	pid_t guardian;
	int signal_fd;   /* -1: signals are not ours */
	bool ended;      /* wait_status is known */
	int wait_status; /* the monitor's */
	int end_signal;  /* we were told to end it by this signal; 0: no */
	u64 end_ns;      /* by when it must have ended then */
	u64 kill_since_ns;
	u32 kill_count;
	u64 oom_kills;   /* of the host, before the start */
	bool broken;     /* the monitor broke the protocol */
	bool started;    /* CHANNEL_STARTED has come */
	u64 wall_end_ns; /* by when the monitor must have ended it; 0: no limit */
	bool overdue;    /* it had not */
	u64 cpu_used_ns; /* by guardian and monitor, once they are gone */
};

/* Microseconds since rf_run() was called. */
u64 sandbox_elapsed_us(const struct sandbox *s);

/* guardian.c, monitor_main.c: what the processes do after fork(2); all signals are blocked. */
__noreturn void guardian_main(struct sandbox *s);
__noreturn void monitor_main(struct sandbox *s);
/* The monitor's or guardian's last words: the caller's rf_run() fails with them. */
void sandbox_fail(struct sandbox *s, enum rf_failure failure, const struct rf_error *err);

/* What a failed step of the cage means to the caller. */
static inline enum rf_failure sandbox_failure(const struct sandbox *s)
{
	return s->cage.refused ? RF_FAILURE_ISOLATION : RF_FAILURE_SETUP;
}

/* isolation.c: mounts what of the host the monitor will reach, and fills in its handles. */
struct monitor_options;
int isolation_mount(struct sandbox *s, struct monitor_options *ret,
		    struct rf_error *err) __must_check;
/* Everything else of the cage that comes before threads. */
int isolation_close(struct sandbox *s, struct rf_error *err) __must_check;

/* signals.c: what the caller's process is sent is the program's. */
int signals_take(struct sandbox *s, struct rf_error *err) __must_check;
/* Passes on what has arrived. */
void signals_forward(struct sandbox *s);
void signals_give_back(struct sandbox *s);

/* result.c: what became of the sandbox, from what the monitor left and how it ended. The terminal and processes are done with. */
int result_take(const struct sandbox *s, struct rf_result *ret, struct rf_error *err) __must_check;
/* Processes this host has killed for want of memory so far. */
u64 result_oom_kills(void);
