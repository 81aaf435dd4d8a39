/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of proc/, time/ and sys/sys_misc*.c share among themselves. */
#pragma once

#include "base/types.h"
#include "kernel/proc/task.h"

#define PID_MAX     32768
#define PID_INIT    1 /* the kernel's own reaper */
#define PID_PROGRAM 2 /* the sandboxed program: the sandbox ends with it */

struct linux_rusage;

/* ---- cred.c ---- */
/* Accounting by real uid. */
struct user {
	struct list node;
	u32 refs, uid;
	unsigned tasks;     /* RLIMIT_NPROC */
	unsigned sigqueues; /* RLIMIT_SIGPENDING */
};
struct user *user_get(u32 uid); /* new reference or NULL */
void user_put(struct user *u);
struct cred *cred_new_root(void);
/* Gives current the new cred (taken) and moves its accounting. */
void cred_commit(struct cred *c);
bool capable(int cap); /* of current */

/* ---- pid.c ---- */
void pid_init(void);
int pid_alloc(void);   /* with one hold; -EAGAIN: none free */
void pid_hold(int nr); /* as thread, group or session id */
void pid_drop(int nr);
void tid_hash_add(struct task *t);
void tid_hash_del(struct task *t);

/* ---- process.c ---- */
extern struct process *init_process;
/* A process without threads in no table; parent's limits, group and session are inherited at process_link(). */
struct process *process_new(struct process *parent);
struct process *process_ref(struct process *p);
void process_unref(struct process *p);
int process_link(struct process *p, int pid, struct process *parent); /* -ENOMEM */
/* Adds t, which owns a reference to its process already, to that and to all tables. */
void task_link(struct task *t);
/* Takes t out of all tables and drops the tables' reference (later, if t is current). */
void task_release(struct task *t);
/* Removes a zombie process and its leader for good. */
void process_release(struct process *p);
/* Frees tasks that ended since. */
void task_reap_dead(void);
static inline struct task *process_live_thread(const struct process *p)
{
	struct task *t;

	list_for_each_entry(t, &p->threads, thread_node)
		if (!t->exiting)
			return t;
	return NULL;
}

/* ---- times ---- */
void process_times(const struct process *p, u64 *ret_utime_ns, u64 *ret_stime_ns);
u64 process_cpu_time_ns(const struct process *p, bool user_only);
void process_rusage(const struct process *p, struct linux_rusage *ret); /* RUSAGE_SELF */
void process_rusage_both(const struct process *p,
			 struct linux_rusage *ret); /* and waited-for children */
void process_rusage_children(const struct process *p, struct linux_rusage *ret);
void task_rusage(const struct task *t, struct linux_rusage *ret);

/* ---- exit.c ---- */
void process_reparent_children(struct process *p);

/* ---- ipc/futex.c ---- */
void futex_init(void);
/* robust_list of an ending thread: marks its locks FUTEX_OWNER_DIED and wakes a waiter each. */
void futex_exit_robust(struct task *t);
/* FUTEX_WAKE of n waiters at addr of current's memory (clear_child_tid). */
int futex_wake_address(uptr_t addr, unsigned n);

/* ---- time/ ---- */
void itimers_init(struct process *p);
void itimers_exit(struct process *p);      /* cancels interval timers */
void posix_timers_exit(struct process *p); /* deletes all: exec and exit */
void rlimit_cpu_changed(struct process *p);

/* ---- sys/sys_misc_limits.c ---- */
/* The highest hard limit anyone may set, CAP_SYS_RESOURCE or not: what the sandbox was given. */
u64 rlimit_ceiling(unsigned which);
