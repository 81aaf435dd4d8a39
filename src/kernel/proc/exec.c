/* SPDX-License-Identifier: Apache-2.0 */
/* What execve(2) does to the process around the program: threads, signals, descriptors, credentials. */
#include "abi/linux/capability.h"
#include "abi/linux/errno.h"
#include "abi/linux/wait.h"
#include "base/string.h"
#include "kernel/core/cpu.h"
#include "kernel/core/sched.h"
#include "kernel/fs/vfs.h"
#include "kernel/mm/mm.h"
#include "kernel/proc/proc.h"
#include "kernel/proc/rseq.h"
#include "kernel/proc/signal.h"

static int wait_for_other_threads(struct process *p)
{
	struct waiter w;
	int r = 0;

	waitq_add(&p->exit_wq, &w);
	while (p->nr_threads > 1 && r == 0)
		r = task_sleep(TASK_KILLABLE, DEADLINE_NONE);
	waitq_remove(&w);
	return p->nr_threads > 1 ? -EAGAIN : 0;
}

/* A thread other than the leader goes on as the process: it takes the leader's number. */
static void become_leader(struct task *t)
{
	struct process *p = t->proc;
	struct task *old = p->leader;

	t->exit_signal = old->exit_signal;
	pid_hold(p->pid); /* t's hold, before the old leader drops its own */
	task_release(old);
	tid_hash_del(t);
	pid_drop(t->tid);
	t->tid = p->pid;
	tid_hash_add(t);
	p->leader = t;
}

/* What other processes share with us by clone(2) flags is ours alone from here. */
static int unshare_tables(struct task *t)
{
	if (t->sighand->refs > 1) {
		struct sighand *h = sighand_copy(t->sighand);

		if (!h)
			return -ENOMEM;
		sighand_unref(t->sighand);
		t->sighand = h;
	}
	return fdtable_unshare(&t->files);
}

int process_begin_exec(void)
{
	struct task *t = current;
	struct process *p = t->proc;
	int r = 0;

	if (p->exec_task || task_must_die(t))
		return -EAGAIN;
	p->exec_task = t;
	if (p->nr_threads > 1) {
		process_kick_all(p);
		r = wait_for_other_threads(p);
	}
	if (r == 0 && p->leader != t)
		become_leader(t);
	p->exec_task = NULL;
	task_reap_dead();
	if (r < 0)
		return r;
	r = unshare_tables(t);
	if (r < 0)
		/* The other threads are gone: there is nothing to return to. */
		process_start_exit(p, WSTATUS_SIGNALED(SIGKILL));
	return r;
}

static void reset_signals(struct task *t)
{
	for (int i = 0; i < _NSIG; i++) {
		u64 handler = t->sighand->action[i].sa_handler;

		t->sighand->action[i] =
			(struct linux_sigaction){ .sa_handler =
							  handler == SIG_IGN ? SIG_IGN : SIG_DFL };
	}
	t->altstack = (struct linux_stack){ .ss_flags = SS_DISABLE };
	t->restart = NULL;
	signal_recalc(t);
}

/* Capabilities across execve(2) of a file without any of its own: capabilities(7). */
static void exec_capabilities(struct cred *c, bool keeps_ambient)
{
	u64 ambient = keeps_ambient ? c->cap_ambient : 0;
	bool root = c->uid == 0 || c->euid == 0;

	c->cap_ambient = ambient;
	c->cap_permitted = root ? c->cap_inheritable | c->cap_bounding : ambient;
	c->cap_effective = c->euid == 0 ? c->cap_permitted : ambient;
	c->suid = c->fsuid = c->euid;
	c->sgid = c->fsgid = c->egid;
}

static void set_exec_cred(struct task *t, const struct cred *new_cred)
{
	const struct cred *from = new_cred ? new_cred : t->cred;
	bool same_ids = from->euid == t->cred->euid && from->egid == t->cred->egid;
	struct cred *c = cred_copy(from);

	if (!c) {
		process_start_exit(t->proc, WSTATUS_SIGNALED(SIGKILL));
		return;
	}
	exec_capabilities(c, same_ids);
	cred_commit(c);
	t->dumpable_off = !same_ids;
	t->proc->keep_caps = false;
}

void process_end_exec(const char *comm, struct mm *new_mm, const struct cred *new_cred)
{
	struct task *t = current;
	struct process *p = t->proc;
	struct mm *old = t->mm;

	task_release_mm(t);
	if (old)
		p->maxrss = MAX(p->maxrss, old->rss);
	t->mm = new_mm;
	mm_switch(new_mm);
	if (old)
		mm_unref(old);
	t->set_child_tid = 0;
	rseq_exec(t);
	strlcpy(t->comm, comm, sizeof(t->comm));
	p->did_exec = true;
	p->membarrier_registered = 0;
	posix_timers_exit(p);
	reset_signals(t);
	fdtable_close_on_exec(t->files);
	set_exec_cred(t, new_cred);
}
