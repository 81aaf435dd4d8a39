/* SPDX-License-Identifier: Apache-2.0 */
/* Sending, queueing and dequeueing of signals. */
#include "kernel/proc/signal.h"

#include "abi/linux/capability.h"
#include "abi/linux/errno.h"
#include "abi/linux/poll.h"
#include "abi/linux/wait.h"
#include "base/bug.h"
#include "base/string.h"
#include "kernel/core/cpu.h"
#include "kernel/core/sched.h"
#include "kernel/fs/tty.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/pgrp.h"
#include "kernel/proc/proc.h"

/* ---- action tables ---- */

struct sighand *sighand_new(void)
{
	struct sighand *h = kzalloc(sizeof(*h));

	if (h)
		h->refs = 1;
	return h;
}

struct sighand *sighand_copy(const struct sighand *old)
{
	struct sighand *h = sighand_new();

	if (h)
		memcpy(h->action, old->action, sizeof(h->action));
	return h;
}

void sighand_unref(struct sighand *h)
{
	if (h && --h->refs == 0)
		kfree(h);
}

static struct linux_sigaction *process_action(const struct process *p, int sig)
{
	struct task *t = process_live_thread(p);

	if (!t)
		t = p->leader;
	return t && t->sighand ? &t->sighand->action[sig - 1] : NULL;
}

bool signal_ignored(const struct process *p, int sig)
{
	const struct linux_sigaction *a = process_action(p, sig);

	if (p == init_process || !a)
		return true;
	if (a->sa_handler == SIG_IGN)
		return !(SIGSET_BIT(sig) & SIGSET_UNBLOCKABLE);
	return a->sa_handler == SIG_DFL && (SIGSET_BIT(sig) & SIGSET_IGNORED_BY_DEFAULT);
}

static bool default_is_fatal(const struct process *p, int sig)
{
	const struct linux_sigaction *a = process_action(p, sig);

	return a && a->sa_handler == SIG_DFL &&
	       !(SIGSET_BIT(sig) & (SIGSET_STOP | SIGSET_IGNORED_BY_DEFAULT));
}

/* ---- queues ---- */

void sigpending_init(struct sigpending *s)
{
	s->set = 0;
	list_init(&s->queue);
}

struct user *sigqueue_charge(const struct process *p, bool beyond)
{
	const struct task *t = p->leader;
	struct user *u = t && t->cred ? t->cred->user : NULL;

	if (!u || (!beyond && u->sigqueues >= p->rlimit[RLIMIT_SIGPENDING].rlim_cur))
		return NULL;
	u->refs++;
	u->sigqueues++;
	return u;
}

void sigqueue_uncharge(struct user *u)
{
	u->sigqueues--;
	user_put(u);
}

/* Takes q off its queue; `info`: where it is delivered to, NULL: it is dropped. */
static void sigqueue_free(struct sigqueue *q, struct linux_siginfo *info)
{
	list_del(&q->node);
	if (!q->user) { /* embedded in its timer, which may free it */
		q->dequeued(q, info);
		return;
	}
	sigqueue_uncharge(q->user);
	kfree(q);
}

void sigpending_flush(struct sigpending *s, u64 set)
{
	struct sigqueue *q, *tmp;

	if (!(s->set & set))
		return;
	s->set &= ~set;
	list_for_each_entry_safe(q, tmp, &s->queue, node)
		if (SIGSET_BIT(q->info.si_signo) & set)
			sigqueue_free(q, NULL);
}

static void process_flush(struct process *p, u64 set)
{
	struct task *t;

	sigpending_flush(&p->pending, set);
	list_for_each_entry(t, &p->threads, thread_node)
		sigpending_flush(&t->pending, set);
}

static int first_signal(u64 set)
{
	u64 sync = set & SIGSET_SYNCHRONOUS;

	return __builtin_ctzll(sync ? sync : set) + 1;
}

/* Takes one instance of sig off the queue; the bit stays while another is queued. */
static void collect(struct sigpending *s, int sig, struct linux_siginfo *ret)
{
	struct sigqueue *q, *tmp, *found = NULL;
	bool more = false;

	list_for_each_entry_safe(q, tmp, &s->queue, node) {
		if (q->info.si_signo != sig)
			continue;
		if (found) {
			more = true;
			break;
		}
		found = q;
	}
	if (!more)
		s->set &= ~SIGSET_BIT(sig);
	if (!found) {
		*ret = (struct linux_siginfo){ .si_signo = sig, .si_code = SI_USER };
		return;
	}
	*ret = found->info;
	sigqueue_free(found, ret);
}

int signal_dequeue(struct task *t, u64 set, struct linux_siginfo *ret)
{
	struct sigpending *s = &t->pending;
	int sig;

	if (!(s->set & set))
		s = &t->proc->pending;
	if (!(s->set & set))
		return 0;
	sig = first_signal(s->set & set);
	collect(s, sig, ret);
	return sig;
}

static struct sigqueue *sigqueue_new(const struct process *p, bool beyond)
{
	struct user *u = sigqueue_charge(p, beyond);
	struct sigqueue *q = u ? kzalloc(sizeof(*q)) : NULL;

	if (q)
		q->user = u;
	else if (u)
		sigqueue_uncharge(u);
	return q;
}

/*
 * Without memory or beyond the limit a signal loses its information, a real-time one sent as such fails. What kill(2) and the
 * kernel send goes beyond the limit: there is one of each number at most.
 */
static int enqueue(struct process *p, struct sigpending *s, int sig,
		   const struct linux_siginfo *info)
{
	struct sigqueue *q;

	if (sig < SIGRTMIN && (s->set & SIGSET_BIT(sig)))
		return 0;
	q = sig == SIGKILL ? NULL
			   : sigqueue_new(p, sig < SIGRTMIN && (!info || info->si_code >= 0));
	if (q) {
		if (info)
			q->info = *info;
		else
			q->info.si_code = SI_KERNEL;
		q->info.si_signo = sig;
		list_add_tail(&q->node, &s->queue);
	} else if (sig >= SIGRTMIN && info && info->si_code != SI_USER) {
		return -EAGAIN;
	}
	s->set |= SIGSET_BIT(sig);
	return 0;
}

/* ---- who takes it ---- */

static u64 blocked_now(const struct task *t)
{
	return t->blocked & ~t->sigwait_set;
}

bool task_must_die(const struct task *t)
{
	const struct process *p = t->proc;

	return p && !t->exiting && (p->group_exiting || (p->exec_task && p->exec_task != t));
}

static bool something_due(const struct task *t)
{
	if (!t->proc || t->exiting)
		return false;
	return task_must_die(t) || t->proc->stopped || (signal_pending_set(t) & ~blocked_now(t));
}

bool signal_pending(const struct task *t)
{
	if (likely(!something_due(t)))
		return false;
	/* Whoever gives up because of this is about to return to user mode: the look there must not be missed. */
	((struct task *)t)->sigpending_flag = true;
	return true;
}

bool signal_fatal_pending(const struct task *t)
{
	if (!task_must_die(t))
		return false;
	((struct task *)t)->sigpending_flag = true;
	return true;
}

void signal_recalc(struct task *t)
{
	t->sigpending_flag = something_due(t);
}

static void task_signal_wake(struct task *t)
{
	t->sigpending_flag = true;
	sched_kick(t);
}

void process_kick_all(struct process *p)
{
	struct task *t;

	list_for_each_entry(t, &p->threads, thread_node)
		if (!t->exiting)
			task_signal_wake(t);
}

void process_start_exit(struct process *p, int status)
{
	if (p->group_exiting)
		return;
	p->group_exiting = true;
	p->exit_code = status;
	process_kick_all(p);
}

static bool wants_signal(const struct task *t, int sig)
{
	return !t->exiting && !(blocked_now(t) & SIGSET_BIT(sig));
}

/* The main thread first, then one that sleeps or has nothing to do already. */
static struct task *choose_thread(struct process *p, int sig)
{
	struct task *t, *busy = NULL;

	if (p->leader && wants_signal(p->leader, sig))
		return p->leader;
	list_for_each_entry(t, &p->threads, thread_node) {
		if (!wants_signal(t, sig))
			continue;
		if (!t->sigpending_flag)
			return t;
		busy = t;
	}
	return busy;
}

/* A signal was queued for p, or for its thread `only`: who acts on it? */
static void complete(struct process *p, struct task *only, int sig)
{
	struct task *t = only && !wants_signal(only, sig) ? NULL : only;

	if (waitq_active(&p->signal_wq))
		waitq_wake_all(&p->signal_wq, POLLIN);
	if (!only)
		t = choose_thread(p, sig);
	if (!t)
		return;
	if (sig == SIGKILL || (!(t->blocked & SIGSET_BIT(sig)) && default_is_fatal(p, sig))) {
		process_start_exit(p, WSTATUS_SIGNALED(sig));
		return;
	}
	task_signal_wake(t);
}

static void process_continue(struct process *p)
{
	if (!p->stopped)
		return;
	p->stopped = false;
	p->continued = true;
	process_kick_all(p);
	signal_notify_parent(p, CLD_CONTINUED, SIGCONT);
}

/* Stop and continue cancel each other, at sending time and whatever is blocked or ignored. False: nothing to queue. */
static bool prepare(struct process *p, struct task *t, int sig)
{
	const u64 bit = SIGSET_BIT(sig);

	if (p->zombie || p->group_exiting || p == init_process)
		return false;
	if (t && t->exiting)
		return false;
	if (bit & SIGSET_STOP)
		process_flush(p, SIGSET_BIT(SIGCONT));
	if (sig == SIGCONT) {
		process_flush(p, SIGSET_STOP);
		process_continue(p);
	}
	if (!signal_ignored(p, sig))
		return true;
	/* A blocked signal may find a handler by the time it is unblocked. */
	if (t)
		return t->blocked & bit;
	t = process_live_thread(p);
	return t && (t->blocked & bit);
}

static int send(struct process *p, struct task *t, int sig, const struct linux_siginfo *info)
{
	int r;

	if (!sig || !prepare(p, t, sig))
		return 0;
	r = enqueue(p, t ? &t->pending : &p->pending, sig, info);
	if (r == 0)
		complete(p, t, sig);
	return r;
}

int signal_send_task(struct task *t, int sig, const struct linux_siginfo *info)
{
	return t->proc ? send(t->proc, t, sig, info) : 0;
}

int signal_send_process(struct process *p, int sig, const struct linux_siginfo *info)
{
	return send(p, NULL, sig, info);
}

int signal_send_pgrp(int pgrp, int sig, const struct linux_siginfo *info)
{
	struct process_group *g = pgrp_find(pgrp);
	struct process *p;
	int r = -ESRCH;

	if (!g)
		return -ESRCH;
	/* Sending changes no group: what a signal does, it does when its target runs. */
	list_for_each_entry(p, &g->members, pgrp_node)
		r = send(p, NULL, sig, info);
	return r;
}

bool signal_queue_embedded(struct process *p, struct task *t, struct sigqueue *q)
{
	int sig = q->info.si_signo;
	struct sigpending *s = t ? &t->pending : &p->pending;

	if (!prepare(p, t, sig))
		return false;
	/* Even beside a pending standard signal of the same number: the timer counts on being dequeued. */
	list_add_tail(&q->node, &s->queue);
	s->set |= SIGSET_BIT(sig);
	complete(p, t, sig);
	return true;
}

/* ---- synchronous ---- */

static void force(int sig, const struct linux_siginfo *info)
{
	struct task *t = current;
	struct linux_sigaction *a = &t->sighand->action[sig - 1];
	u64 bit = SIGSET_BIT(sig);

	if ((t->blocked & bit) || a->sa_handler == SIG_IGN) {
		a->sa_handler = SIG_DFL;
		t->blocked &= ~bit;
	}
	send(t->proc, t, sig, info);
	signal_recalc(t);
}

void signal_force_fault(int sig, int code, uptr_t addr, u32 trapno, u64 error_code)
{
	struct linux_siginfo info = { .si_signo = sig, .si_code = code, .si_addr = addr };
	struct task *t = current;

	t->fault_trapno = trapno;
	t->fault_error = error_code;
	t->fault_addr = addr;
	force(sig, &info);
}

void signal_force(int sig)
{
	struct linux_siginfo info = { .si_signo = sig, .si_code = SI_KERNEL };

	force(sig, &info);
}

/* ---- masks ---- */

/* Offers what is pending for the process, among `set`, to its other threads. */
static void retarget(struct task *t, u64 set)
{
	struct process *p = t->proc;
	struct task *o;

	set &= p->pending.set;
	if (!set)
		return;
	list_for_each_entry(o, &p->threads, thread_node)
		if (o != t && !o->exiting && (set & ~blocked_now(o)))
			task_signal_wake(o);
}

void signal_set_blocked(struct task *t, u64 set)
{
	u64 newly;

	set &= ~SIGSET_UNBLOCKABLE;
	newly = set & ~t->blocked;
	t->blocked = set;
	if (newly)
		retarget(t, newly);
	signal_recalc(t);
}

void signal_thread_gone(struct task *t)
{
	if (t->proc->nr_threads > 1 && !t->proc->group_exiting)
		retarget(t, ~0ull);
}

void signal_set_temporary_mask(u64 set)
{
	struct task *t = current;

	t->saved_blocked = t->blocked;
	t->restore_blocked = true;
	signal_set_blocked(t, set);
}

void signal_restore_mask(bool interrupted)
{
	struct task *t = current;

	if (!t->restore_blocked || (interrupted && signal_pending(t)))
		return;
	t->restore_blocked = false;
	signal_set_blocked(t, t->saved_blocked);
}

int sigset_from_user(u64 *ret, uptr_t addr, u64 size)
{
	if (size != sizeof(u64))
		return -EINVAL;
	return get_user_u64(ret, addr);
}

/* ---- parents, permissions, the host ---- */

void siginfo_user(struct linux_siginfo *info, int sig, int code)
{
	*info = (struct linux_siginfo){ .si_signo = sig, .si_code = code };
	info->si_pid = current->proc->pid;
	info->si_uid = current->cred->uid;
}

static void siginfo_child(struct linux_siginfo *info, const struct process *p, int sig, int why,
			  int status)
{
	u64 u, s;

	process_times(p, &u, &s);
	*info = (struct linux_siginfo){ .si_signo = sig, .si_code = why };
	info->si_pid = p->pid;
	info->si_uid = p->leader->cred->uid;
	info->si_status = status;
	info->si_utime = (s64)(u / (NSEC_PER_SEC / USER_HZ));
	info->si_stime = (s64)(s / (NSEC_PER_SEC / USER_HZ));
}

void signal_notify_parent(struct process *p, int why, int status)
{
	struct process *parent = p->parent;
	bool ended = why == CLD_EXITED || why == CLD_KILLED;
	int sig = ended ? p->leader->exit_signal : SIGCHLD;
	const struct linux_sigaction *a;
	struct linux_siginfo info;

	if (!parent || parent == init_process)
		return;
	a = sig > 0 ? process_action(parent, sig) : NULL;
	if (a && (ended || (a->sa_handler != SIG_IGN && !(a->sa_flags & SA_NOCLDSTOP)))) {
		siginfo_child(&info, p, sig, why, status);
		signal_send_process(parent, sig, &info);
	}
	waitq_wake_all(&parent->child_wq, 0);
}

int signal_may_send(const struct process *p, int sig)
{
	const struct cred *me = current->cred, *c = p->leader->cred;

	if (p == current->proc)
		return 0;
	if (me->euid == c->suid || me->euid == c->uid || me->uid == c->suid || me->uid == c->uid ||
	    capable(CAP_KILL))
		return 0;
	return sig == SIGCONT && p->sid == current->proc->sid ? 0 : -EPERM;
}

void signal_from_host(u64 bits)
{
	int pgrp = tty_foreground_pgrp();

	if (pgrp <= 0 || !pgrp_find(pgrp)) {
		struct process *p = process_find(PID_PROGRAM);

		if (!p)
			return;
		pgrp = process_pgid(p);
	}
	for (; bits; bits &= bits - 1)
		signal_send_pgrp(pgrp, __builtin_ctzll(bits) + 1, NULL);
}
