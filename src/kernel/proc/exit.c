/* SPDX-License-Identifier: Apache-2.0 */
/* The end of threads and processes: _exit(2), exit_group(2). */
#include "abi/linux/errno.h"
#include "abi/linux/wait.h"
#include "kernel/core/cpu.h"
#include "kernel/core/host.h"
#include "kernel/core/panic.h"
#include "kernel/core/sched.h"
#include "kernel/fs/internal.h"
#include "kernel/fs/tty.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/pgrp.h"
#include "kernel/proc/oom.h"
#include "kernel/proc/proc.h"
#include "kernel/proc/signal.h"
#include "kernel/sys/syscall.h"

void task_release_mm(struct task *t)
{
	struct waitq *vfork_done = t->vfork_done;

	if (t->mm && t->robust_list)
		futex_exit_robust(t);
	t->robust_list = 0;
	/* As Linux: nobody is left to look at the word if the memory goes with us. */
	if (t->mm && t->clear_child_tid && t->mm->users > 1 &&
	    put_user_u32(t->clear_child_tid, 0) == 0)
		futex_wake_address(t->clear_child_tid, 1);
	t->clear_child_tid = 0;
	t->vfork_child = false;
	if (vfork_done) {
		t->vfork_done = NULL;
		waitq_wake_all(vfork_done, 0);
	}
}

static void drop_mm(struct task *t)
{
	struct mm *mm = t->mm;

	task_release_mm(t);
	if (!mm)
		return;
	t->proc->maxrss = MAX(t->proc->maxrss, mm->rss);
	t->mm = NULL;
	mm_unref(mm);
}

static void drop_files(struct task *t)
{
	struct fdtable *files = t->files;
	struct fs_context *fs = t->fs;

	t->files = NULL;
	t->fs = NULL;
	if (files)
		fdtable_unref(files);
	if (fs)
		fs_context_unref(fs);
}

/* ---- the process ---- */

static struct process *new_parent_for_children(const struct process *p)
{
	struct process *q;

	for (q = p->parent; q && q != init_process; q = q->parent)
		if (q->child_subreaper && !q->zombie)
			return q;
	return init_process;
}

static void send_parent_death(struct process *child)
{
	struct task *t;

	list_for_each_entry(t, &child->threads, thread_node)
		if (t->pdeath_signal && !t->exiting)
			signal_send_process(child, t->pdeath_signal, NULL);
}

static int exit_cause(int status)
{
	return status & 0x7f ? CLD_KILLED : CLD_EXITED;
}

static int exit_value(int status)
{
	return status & 0x7f ? status & 0x7f : status >> 8 & 0xff;
}

/* Nobody waits for children of a parent that ignores their end: sigaction(2), SA_NOCLDWAIT. */
static bool parent_reaps_silently(const struct process *p)
{
	const struct task *t = p->parent ? process_live_thread(p->parent) : NULL;
	const struct linux_sigaction *a;

	if (!p->parent || p->parent == init_process)
		return true;
	if (!t || p->leader->exit_signal != SIGCHLD)
		return false;
	a = &t->sighand->action[SIGCHLD - 1];
	return a->sa_handler == SIG_IGN || (a->sa_flags & SA_NOCLDWAIT);
}

/* p, a zombie, has a parent that may want to know. */
static void tell_parent(struct process *p)
{
	struct process *parent = p->parent;
	bool silent = parent_reaps_silently(p);

	signal_notify_parent(p, exit_cause(p->exit_code), exit_value(p->exit_code));
	if (!silent)
		return;
	process_release(p);
	if (parent)
		waitq_wake_all(&parent->child_wq, 0);
}

void process_reparent_children(struct process *p)
{
	struct process *to = new_parent_for_children(p);
	struct process *child, *tmp;

	list_for_each_entry_safe(child, tmp, &p->children, sibling) {
		send_parent_death(child);
		child->parent = to;
		WRITE_ONCE(child->ppid, to->pid);
		list_move_tail(&child->sibling, &to->children);
		pgrp_check_orphans(child, p);
		/* Its exit signal may have been another; the new parent waits for ordinary children. */
		if (child->leader)
			child->leader->exit_signal = SIGCHLD;
		if (child->zombie)
			tell_parent(child);
	}
}

/* The session loses its terminal with its leader: credentials(7). */
static void session_leader_exit(struct process *p)
{
	struct process_group *g = pgrp_find(tty_foreground_pgrp());
	struct process *q;

	if (p->sid != p->pid || !p->ctty)
		return;
	if (g && g->sid == p->sid) {
		signal_send_pgrp(g->id, SIGHUP, NULL);
		signal_send_pgrp(g->id, SIGCONT, NULL);
	}
	list_for_each_entry(q, &processes, all_node)
		if (q->sid == p->sid)
			q->ctty = false;
}

static void sandbox_end(int status)
{
	hostfs_sync();
	if (status & 0x7f)
		sandbox_exit(HC_EXIT_SIGNAL | (u32)(status & 0x7f) |
			     (oom_killed_program() ? HC_EXIT_NO_MEMORY : 0));
	sandbox_exit((u32)exit_value(status));
}

/* The last thread has gone. */
static void process_exit(struct process *p)
{
	struct task *self = current;

	if (!p->group_exiting) {
		p->group_exiting = true;
		p->exit_code = p->leader->exit_code;
	}
	itimers_exit(p);
	posix_timers_exit(p);
	if (p->pid == PID_PROGRAM)
		sandbox_end(p->exit_code);
	p->zombie = true;
	p->stopped = false;
	process_reparent_children(p);
	pgrp_check_orphans(p, p->parent);
	session_leader_exit(p);
	self->state = self == p->leader ? TASK_ZOMBIE : TASK_DEAD;
	if (self != p->leader)
		task_release(self);
	tell_parent(p);
}

void task_exit(int status)
{
	struct task *t = current;
	struct process *p = t->proc;

	task_reap_dead();
	/* From here no signal is looked at, and sleeps are not interrupted. */
	t->exiting = true;
	t->exit_code = status;
	t->sigpending_flag = false;
	signal_thread_gone(t);
	drop_mm(t);
	drop_files(t);
	sched_account_current();
	/* Nothing below sleeps until sched_exit(). */
	p->nr_threads--;
	waitq_wake_all(&p->exit_wq, 0);
	if (!p->nr_threads) {
		process_exit(p);
	} else if (t == p->leader) {
		t->state = TASK_ZOMBIE;
	} else {
		t->state = TASK_DEAD;
		task_release(t);
	}
	sched_exit();
}

void process_exit_group(int status)
{
	struct process *p = current->proc;

	process_start_exit(p, status);
	task_exit(p->exit_code);
}

sysret_t sys_exit(const struct sysargs *a)
{
	task_exit(WSTATUS_EXITED(arg_int(a, 0)));
}

sysret_t sys_exit_group(const struct sysargs *a)
{
	if (unlikely(boot_config()->debug_crash))
		debug_crash(boot_config()->debug_crash);
	process_exit_group(WSTATUS_EXITED(arg_int(a, 0)));
}
