/* SPDX-License-Identifier: Apache-2.0 */
/* Signals: queues, dequeueing, masks. signal(7). All under the kernel lock. */
#pragma once

#include "abi/linux/signal.h"
#include "base/list.h"
#include "base/types.h"
#include "kernel/proc/task.h"

#define SIGSET_UNBLOCKABLE (SIGSET_BIT(SIGKILL) | SIGSET_BIT(SIGSTOP))
#define SIGSET_STOP \
	(SIGSET_BIT(SIGSTOP) | SIGSET_BIT(SIGTSTP) | SIGSET_BIT(SIGTTIN) | SIGSET_BIT(SIGTTOU))
#define SIGSET_IGNORED_BY_DEFAULT \
	(SIGSET_BIT(SIGCONT) | SIGSET_BIT(SIGCHLD) | SIGSET_BIT(SIGWINCH) | SIGSET_BIT(SIGURG))
#define SIGSET_SYNCHRONOUS                                                                     \
	(SIGSET_BIT(SIGSEGV) | SIGSET_BIT(SIGBUS) | SIGSET_BIT(SIGILL) | SIGSET_BIT(SIGTRAP) | \
	 SIGSET_BIT(SIGFPE) | SIGSET_BIT(SIGSYS))

/* A queued signal with its siginfo. */
struct sigqueue {
	struct list node;
	struct linux_siginfo info;
	struct user *user; /* charged for it; NULL: embedded in a POSIX timer */
	/* Embedded ones: taken off the queue; info is the copy to be delivered, NULL if the signal was discarded. */
	void (*dequeued)(struct sigqueue *q, struct linux_siginfo *info);
};

/* ---- queues (signal.c) ---- */
void sigpending_init(struct sigpending *s);
void sigpending_flush(struct sigpending *s, u64 set); /* forgets the signals in set */
/*
 * Takes the next pending signal among `set` off t's own or its process's queue: its number and *ret, or 0. Synchronous ones first,
 * then the lowest number.
 */
int signal_dequeue(struct task *t, u64 set, struct linux_siginfo *ret);
/* Everything pending for t, blocked or not. */
static inline u64 signal_pending_set(const struct task *t)
{
	return t->pending.set | t->proc->pending.set;
}
/* Queues an embedded entry for a thread (t) or a process (t NULL); false: not queued (ignored, or a standard signal pending). */
bool signal_queue_embedded(struct process *p, struct task *t, struct sigqueue *q);

/* ---- masks ---- */
/* Replaces t's mask; signals of the process that t no longer takes are offered to other threads. */
void signal_set_blocked(struct task *t, u64 set);
/* A mask for the time of one call (ppoll, epoll_pwait, sigsuspend): undone by the signal frame or by signal_restore_mask(). */
void signal_set_temporary_mask(u64 set);
/* At the end of such a call; `interrupted`: the call ends with a pending signal, whose delivery restores the mask. */
void signal_restore_mask(bool interrupted);
/* Reads a mask argument: size must be 8. */
int sigset_from_user(u64 *ret, uptr_t addr, u64 size);

/* ---- state ---- */
/* t must end: its process is ending or another thread executes a new program. */
bool task_must_die(const struct task *t);
/* Sets t->sigpending_flag when there is something to look at. */
void signal_recalc(struct task *t);
/* t leaves its process: what it would have taken is offered to the other threads. */
void signal_thread_gone(struct task *t);
/* All threads of p are to end with this wait status. The first call counts. */
void process_start_exit(struct process *p, int status);
/* Wakes every thread of p to look at what is due. */
void process_kick_all(struct process *p);
bool signal_ignored(const struct process *p, int sig); /* by its action, not by masks */
/* The signal for a stop, continuation or end of p (CLD_*), and a wake-up of those who wait for it. */
void signal_notify_parent(struct process *p, int why, int status);
/* Permission of current to signal p: 0 or -EPERM. */
int signal_may_send(const struct process *p, int sig);
void siginfo_user(struct linux_siginfo *info, int sig, int code); /* from current */

/* ---- action tables ---- */
struct sighand *sighand_new(void);
struct sighand *sighand_copy(const struct sighand *old); /* NULL: no memory */
void sighand_unref(struct sighand *h);

/* ---- frames (sigframe.c) ---- */
/* Builds the frame of a handler on the user stack and lets regs point at it. -EFAULT: no room. */
int sigframe_setup(struct task *t, int sig, const struct linux_sigaction *sa,
		   const struct linux_siginfo *info, u64 saved_mask);
/* rt_sigreturn(2): -EFAULT for a frame that does not hold up. */
int sigframe_restore(struct task *t);
bool altstack_contains(const struct task *t, uptr_t sp);
s64 altstack_change(struct task *t, const struct linux_stack *set, struct linux_stack *ret_old,
		    uptr_t sp);

/* One more queued signal or timer of p's user: a reference, or NULL beyond RLIMIT_SIGPENDING, unless @beyond. */
struct user *sigqueue_charge(const struct process *p, bool beyond);
void sigqueue_uncharge(struct user *u);
