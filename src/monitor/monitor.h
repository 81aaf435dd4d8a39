/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The monitor: owns the arena, the machine, the CPU threads and everything of the host the kernel may use.
 *
 * Threads: one per CPU, which runs kernel and user code and serves that CPU's hostcalls, and the thread that calls
 * monitor_run(), which waits for host events. Locks: handle_table.lock, id_table.lock, watch_lock, stop_lock, output_lock; none
 * is held while another is taken, except handle_table.lock inside watch_lock.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "abi/boot.h"
#include "abi/hostcall.h"
#include "monitor/arena.h"
#include "monitor/clock.h"
#include "monitor/handle.h"
#include "monitor/idtable.h"
#include "monitor/image.h"
#include "monitor/rate.h"
#include "monitor/report.h"
#include <ringfence/platform.h>
#include <ringfence/ringfence.h>

/* A host directory or file that may be bound, opened before: O_PATH. */
struct monitor_view {
	const char *path; /* as config_mount() names it */
	bool writable, is_file;
	int fd; /* taken by the first config_mount(); -1 then */
};

/* Limits that hold whatever the kernel inside does; 0: none (file_size: UINT64_MAX). */
struct monitor_limits {
	u64 cpu_ns;    /* CPU time of this process, from the start of the CPUs on */
	u64 wall_ns;   /* likewise, CLOCK_MONOTONIC */
	u64 output;    /* bytes written to standard output and error */
	u64 file_size; /* no byte of a host file is written beyond */
};

struct monitor_options {
	const void *image;
	size_t image_size;
	enum rf_residency residency;
	u32 cpus;
	u64 memory; /* bytes of page frames */
	u32 max_tasks;
	bool huge_pages;
	bool kpti;
	struct rf_injection inject;
	/* borrowed; strace_fd -1: no trace was asked for; channel_fd: 0 if there is none */
	int log_fd, strace_fd, channel_fd;
	atomic_uint *terminal_touched; /* borrowed; NULL: nobody asks */
	struct monitor_view *views;    /* borrowed; NULL: config_mount() opens paths itself */
	size_t view_count;
	int proc_fd;     /* taken: O_PATH of /proc/self/fd; 0: opened here */
	u64 watchdog_ns; /* CPU time after which a CPU that answers nothing is dumped; 0: never */
	struct report *report; /* borrowed; where a lost sandbox is described; NULL: on the log */
	struct monitor_limits limits;
};

enum monitor_end {
	MONITOR_RUNNING,
	MONITOR_EXITED, /* HC_EXIT; status: its argument */
	MONITOR_PANIC,  /* HC_PANIC */
	MONITOR_FAILED, /* the platform or the monitor failed; reported */
	MONITOR_KILLED, /* ended by hand; status: the signal */
	MONITOR_LIMIT,  /* a limit was reached; status: enum rf_limit */
};

/* Exit statuses of the monitor's process after a signal that means a bug, of ours or the kernel's; the command line's, too. */
#define MONITOR_STATUS_INTERNAL 206
#define MONITOR_STATUS_PANIC    207

#define LAST_CALLS 16u
struct monitor_cpu {
	pthread_t thread;
	struct monitor *monitor;
	u32 number;
	atomic_uint idle; /* in HC_IDLE */
	void *signal_stack;

	/* Written by the CPU's thread, read by whoever describes it. */
	atomic_ulong calls; /* hostcalls begun */
	u32 last_calls[LAST_CALLS];

	/* event thread only: what the watchdog saw last */
	u64 seen_calls, seen_kicks;
	u64 seen_cpu_ns; /* the thread's CPU time then */
	bool asked;      /* has been kicked since */
};

struct monitor {
	/* immutable after start */
	struct arena arena;
	struct image image;
	struct boot_info *info;
	enum rf_residency residency;
	u32 cpus;
	struct rf_machine *machine;
	int log_fd, strace_fd;
	struct report *report;
	int epoll_fd, wake_fd, proc_fd;
	int channel_fd;             /* borrowed; -1: no caller's process to talk to (channel.h) */
	struct monitor_view *views; /* borrowed, until the kernel runs */
	size_t view_count;
	atomic_uint *terminal_touched; /* borrowed; set when the mode of a terminal was changed */
	struct rf_injection inject;
	u64 stacks_start;
	u64 info_free_start; /* ours: the one in boot_info is the kernel's to change */

	struct clock clock;
	struct handle_table handles;
	struct id_table spaces, contexts;
	struct monitor_cpu cpu[RF_MAX_CPUS];
	pthread_mutex_t watch_lock;
	struct rate_bucket rate[RATES];
	atomic_ulong log_bytes,
		log_dropped;    /* of HC_LOG: written; messages since the last written */
	atomic_uint distrusted; /* the kernel has done what ours never does; reported */

	pthread_mutex_t stop_lock;
	pthread_cond_t stop_changed;
	u32 continued; /* guarded by stop_lock: times the caller was continued after a stop */

	pthread_barrier_t
		gate; /* every thread and the one that starts them: before the kernel's first instruction */

	atomic_uint busy;          /* CPUs not in HC_IDLE */
	atomic_uint ticker_asleep; /* the event thread sleeps until woken */
	atomic_uint ended;         /* enum monitor_end | status << 8; the first to set it wins */
	atomic_uint panicked;
	atomic_uint cpus_left; /* CPU threads that have not come to their end */
	atomic_ulong first_call_ns;

	struct monitor_limits limits;  /* immutable after start */
	u64 cpu_start_ns, wall_end_ns; /* immutable after start */
	pthread_mutex_t output_lock;
	u64 output_used; /* guarded by output_lock */

	u64 watchdog_ns;             /* immutable after start */
	atomic_uint stuck_described; /* a thread has answered SIGNAL_STUCK */

	/* event thread only */
	u64 watchdog_next_ns;
};

/* The offsets of boot.h for a sandbox; pure. -EINVAL when they don't fit an arena. */
struct layout {
	u64 tables_start, free_start, stacks_start, arena_size;
};
int layout_compute(struct layout *l, u64 image_end, u64 memory, u32 max_tasks) __must_check;

/* Arena with the kernel in it, boot_info zero but for what is known. On failure nothing is left. */
int monitor_init(struct monitor *m, const struct monitor_options *o,
		 struct rf_error *err) __must_check;
/* Takes @machine (made with the arena as its memory), completes boot_info and, for residency guest, the tables. */
int monitor_attach(struct monitor *m, struct rf_machine *machine,
		   struct rf_error *err) __must_check;
/*
 * Makes the threads of the CPUs; each has done all of its setting up, and waits before the kernel's first instruction. Takes over the
 * handling of fault signals of the process. Returns 0 or an error (some threads may exist then).
 */
int monitor_start(struct monitor *m, struct rf_error *err) __must_check;
/* Lets the CPUs go. Then the event loop; returns once `ended` is set. CPU threads are left parked. */
void monitor_run(struct monitor *m);
/* Only for a monitor that was not started. */
void monitor_done(struct monitor *m);

/* Ends the sandbox, from any thread; only the first call counts. */
void monitor_end(struct monitor *m, enum monitor_end how, u32 status);
/* Serves the hostcall in CPU @cpu's mailbox. Returns false when the CPU must not go on. */
bool monitor_serve(struct monitor *m, u32 cpu);
/* Sets the kick flag of a CPU and makes it look. */
void monitor_kick(struct monitor *m, u32 cpu);
/* Kicks a CPU that can handle an event soonest: an idle one if there is any. */
void monitor_kick_any(struct monitor *m);
/* A message on the log, with prefix; printed whole. */
void monitor_log(struct monitor *m, const char *format, ...) __printf(2, 3);
/* Text from the sandbox: what could drive a terminal is replaced (text.h). Changes @text. */
void monitor_write_text(int fd, char *text, size_t len);

/*
 * A sandbox that is lost, for people; describe.c. All are async-signal-safe. Headlines are lines of the log and the report's; details
 * go to the report, or to the log if there is none.
 */
void monitor_headline(struct monitor *m, const char *format, ...) __printf(2, 3);
void monitor_detail(struct monitor *m, const char *format, ...) __printf(2, 3);
/* A text of several lines. */
void monitor_dump_text(struct monitor *m, const char *text);
/* An address, with its symbol if it is the kernel's text. */
void monitor_dump_address(struct monitor *m, const char *name, u64 addr);
void monitor_dump_registers(struct monitor *m, const struct rf_regs *r);
/* What looks like return addresses on a kernel stack, from @sp on. */
void monitor_dump_stack(struct monitor *m, u64 sp);
/* The last hostcalls and system calls of all CPUs, oldest first; @cpu, the one that failed, comes first. */
void monitor_dump_calls(struct monitor *m, u32 cpu);

/* boot_tables.c */
int boot_tables_build(struct monitor *m, struct rf_error *err) __must_check;

/* inject.c: starts the thread for what m->inject asks for, if anything. */
bool inject_wanted(const struct monitor *m);
int inject_start(struct monitor *m, struct rf_error *err) __must_check;

/* kpti.c: whether the CPU lets user code read what supervisor pages hold; pure in what it is given, and asked of this machine. */
bool kpti_needed_by(const char *sysfs, const char *vendor);
bool kpti_needed(void);

/* events.c */
int events_init(struct monitor *m, struct rf_error *err) __must_check;
void events_loop(struct monitor *m);
/* Handles what has happened already, without waiting. */
void events_poll_once(struct monitor *m);
/* One notification for @h: @events of poll(2), 0 cancels. @handle stays usable without a reference. */
int events_watch(struct monitor *m, u64 handle, u32 events, u32 slot);
/* Closes a handle of any kind, and ends its watch. -EBADF: no such handle. */
int events_close(struct monitor *m, u64 handle);
/* The program was stopped: returns when the caller's process was continued. From any thread. */
void events_stop(struct monitor *m);
/* A CPU went to sleep or came back. */
void events_cpu_idle(struct monitor *m);
void events_cpu_busy(struct monitor *m);

/* cpu.c */
int cpus_start(struct monitor *m, struct rf_error *err) __must_check;

/* limits.c: limits of time, event thread only; ends the sandbox when one is reached. Returns when to look again. */
void limits_start(struct monitor *m);
u64 limits_check_time(struct monitor *m, u64 now);
/* Does a write of at most @len bytes to a standard stream that counts against the limit of output. */
typedef ssize_t (*output_fn)(const struct handle *h, const void *buf, size_t len);
ssize_t limits_output(struct monitor *m, output_fn write_fn, const struct handle *h,
		      const void *buf, size_t len);
/* How much of @len bytes may be written at @offset of a host file; 0 when none may. */
u64 limits_file_size(const struct monitor *m, u64 offset, u64 len);

/* watchdog.c: looks, at most every WATCHDOG_TICK_NS, whether every busy CPU still answers. Event thread only. */
void watchdog_check(struct monitor *m, u64 now);

/* crash.c: handlers for signals that mean a bug of ours. */
/* Sent to a CPU's thread in residency host: describe where you are. */
#define SIGNAL_STUCK (SIGRTMIN + 2)
void crash_init(struct monitor *m);
/* The calling thread's signal stack. */
int crash_thread_init(struct monitor_cpu *cpu);

u64 clock_now_ns(int clock_id);
