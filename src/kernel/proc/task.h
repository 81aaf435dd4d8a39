/* SPDX-License-Identifier: Apache-2.0 */
/* Tasks (threads) and processes (thread groups). All under the kernel lock. */
#pragma once

#include "abi/linux/resource.h"
#include "abi/linux/signal.h"
#include "base/list.h"
#include "base/rbtree.h"
#include "base/types.h"
#include "kernel/core/time.h"
#include "kernel/core/wait.h"
#include <ringfence/platform.h>

struct mm;
struct fdtable;
struct fs_context;
struct process;
struct user;

struct cred { /* immutable once shared: copy, change, replace */
	u32 refs;
	u32 uid, euid, suid, fsuid, gid, egid, sgid, fsgid;
	u64 cap_effective, cap_permitted, cap_inheritable, cap_bounding, cap_ambient;
	u32 ngroups;
	u32 *groups;
	u32 securebits;
	struct user *user; /* accounting of the real uid (proc/cred.c) */
};

struct sigpending {
	u64 set;           /* bit N-1 */
	struct list queue; /* struct sigqueue */
};
struct sighand { /* shared with CLONE_SIGHAND */
	u32 refs;
	struct linux_sigaction action[64];
};

#define TASK_COMM_LEN 16

struct task {
	struct rf_regs regs; /* user registers while in the kernel; first */
	/* scheduler */
	enum task_state state;
	u32 cpu; /* last CPU */
	bool on_runqueue, on_cpu;
	bool queued_woken; /* queued by a wake-up, ahead of those whose slice ended */
	struct list run_node;
	void *kstack;   /* lowest address above the guard */
	u64 kernel_rsp; /* while switched out */
	u64 cpu_mask;
	u64 utime_ns, stime_ns, run_start_ns; /* accounting */
	u64 nvcsw, nivcsw;
	struct ktimer sleep_timer;
	bool sleep_timed_out;
	/* platform */
	u64 plat_ctx;   /* host: HC_PLAT_CTX_NEW id */
	void *fpu;      /* guest: XSAVE area, 64-byte aligned */
	bool fpu_valid; /* guest: the area, not the registers of fpu_cpu, is current */
	u32 fpu_cpu;
	/* identity */
	int tid;
	struct process *proc;
	struct list thread_node; /* proc->threads */
	struct list tid_hash;
	char comm[TASK_COMM_LEN];
	u32 refs;
	/* resources */
	struct mm *mm; /* NULL after exit */
	struct fdtable *files;
	struct fs_context *fs;
	struct sighand *sighand;
	struct cred *cred;
	/* signals */
	u64 blocked;
	u64 saved_blocked; /* sigsuspend, ppoll…: restored after the handler's frame is built */
	bool restore_blocked;
	struct sigpending pending;
	struct linux_stack altstack;
	u64 (*restart)(struct task *t); /* restart_syscall(2) */
	u64 restart_arg[6];
	bool sigpending_flag; /* something deliverable may be pending: look before returning to user mode */
	u8 rseq_due;          /* RSEQ_DUE_*: look before returning to user mode */
	u64 sigwait_set;                           /* signals a sigtimedwait waits for */
	u64 fault_trapno, fault_error, fault_addr; /* last exception, for signal frames */
	/* exit and thread library */
	uptr_t set_child_tid, clear_child_tid, robust_list;
	uptr_t rseq; /* registered area, 0: none (proc/rseq.h) */
	u32 rseq_sig;
	int exit_code; /* wait status */
	int exit_signal;
	bool exiting, group_exit_seen;
	bool vfork_child;
	struct waitq *vfork_done; /* parent's wait queue while it waits for vfork's child */
	int pdeath_signal;
	u32 personality;
	u32 sched_policy;
	int sched_priority, nice;
	bool no_new_privs, dumpable_off;
	bool in_syscall;
	u64 syscall_nr;
	u64 timer_slack_ns;
};

struct process {
	int pid;
	u32 refs;
	struct list threads; /* struct task.thread_node */
	unsigned nr_threads;
	struct task *leader;
	struct process *parent;
	int ppid; /* its pid: getppid(2) reads it without the kernel lock */
	struct list children, sibling;
	struct list all_node; /* `processes` */
	struct process_group *pgrp;
	struct list pgrp_node;
	int sid;
	bool ctty;                 /* session has the controlling terminal */
	struct sigpending pending; /* shared pending signals */
	struct waitq child_wq;     /* wait4: state changes of children */
	struct waitq signal_wq;    /* signalfd */
	int exit_code;             /* wait status once zombie */
	bool group_exiting, zombie, stopped, continued, stop_reported;
	int stop_signal;
	bool did_exec;
	bool child_subreaper;
	struct linux_rlimit64 rlimit[16];
	u64 utime_ns, stime_ns, child_utime_ns,
		child_stime_ns; /* of ended threads / waited children */
	u64 minflt, majflt, child_minflt, child_majflt, maxrss, child_maxrss; /* maxrss: pages */
	u64 start_ns; /* ktime_up(): process start */
	struct ktimer itimer_real;
	u64 itimer_real_interval;
	u64 itimer_virt[2], itimer_virt_interval[2]; /* VIRTUAL, PROF: remaining CPU ns */
	struct rb_root posix_timers;
	int next_timer_id;
	int oom_score_adj;
	struct task *exec_task;   /* thread in execve(2) that waits for the others to go, or NULL */
	struct waitq exit_wq;     /* threads that wait for other threads to end */
	struct ktimer itimer_cpu; /* looks at ITIMER_VIRTUAL, ITIMER_PROF and RLIMIT_CPU */
	u64 cpu_limit_warned_s;   /* RLIMIT_CPU: second of the last SIGXCPU */
	u32 membarrier_registered; /* MEMBARRIER_CMD_* accepted */
	int ioprio;
	bool keep_caps;
};

extern struct list processes; /* struct process.all_node */
extern unsigned nr_tasks, max_tasks;

struct task *task_find(int tid);       /* borrowed; NULL */
struct process *process_find(int pid); /* borrowed; NULL; zombies included */
struct task *task_ref(struct task *t);
void task_unref(struct task *t);
struct cred *cred_ref(struct cred *c);
void cred_unref(struct cred *c);
struct cred *cred_copy(const struct cred *c); /* NULL: no memory */
bool cred_capable(const struct cred *c, int cap);
static inline u64 task_rlimit(const struct task *t, unsigned which)
{
	return t->proc->rlimit[which].rlim_cur;
}

/* The first task: called once by the kernel's start on CPU 0. Never returns to it. */
void init_start(void);
/* New task with a kernel stack, not yet in any table; platform part initialised. */
struct task *task_alloc(void);
/* The main loop of every task; entered by the scheduler on the task's own stack (core/trap.c). */
__attribute__((noreturn)) void user_loop(struct task *t);

/* Ends the current thread / the whole process; status as in wait(2). */
__attribute__((noreturn)) void task_exit(int status);
__attribute__((noreturn)) void process_exit_group(int status);

/* ---- signals (proc/signal.c) ---- */
#define SIG_FORCE 1u /* even if blocked or ignored: reset to default */
int signal_send_task(struct task *t, int sig, const struct linux_siginfo *info);
int signal_send_process(struct process *p, int sig, const struct linux_siginfo *info);
int signal_send_pgrp(int pgrp, int sig, const struct linux_siginfo *info);
/* Synchronous fault of current: forced. addr for si_addr. */
void signal_force_fault(int sig, int code, uptr_t addr, u32 trapno, u64 error_code);
void signal_force(int sig);
/* Anything that must interrupt an interruptible sleep of t (unblocked pending signal, group exit, stop)? */
bool signal_pending(const struct task *t);
bool signal_fatal_pending(const struct task *t);
/*
 * Before returning to user mode, when t->sigpending_flag: builds a handler frame, restarts or ends the interrupted call, stops or kills.
 * In a system call the result is in regs.rax and regs.orig_rax is the number.
 */
void signal_deliver(struct task *t);
/* The monitor's signals_pending bits: to the foreground process group. */
void signal_from_host(u64 bits);

/* ---- exec (exec/) ---- */
/*
 * Replaces current's program. argv, envp: NULL-terminated kernel arrays of kernel strings. On success current->regs is the new
 * program's start. After the point of no return a failure kills current with SIGKILL and the function does not return.
 */
int exec_load(int dirfd, const char *path, char *const *argv, char *const *envp, u32 at_flags);
/* execve(2)'s other half: what exec resets in the process (signals, cloexec, timers, robust list, threads). proc/exec.c */
int process_begin_exec(void); /* kills other threads; -EAGAIN if current is being killed */
void process_end_exec(const char *comm, struct mm *new_mm,
		      const struct cred *new_cred); /* takes new_mm */
/* clear_child_tid, robust futexes, vfork parent: before the old mm goes. proc/ */
void task_release_mm(struct task *t);
