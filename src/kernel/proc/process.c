/* SPDX-License-Identifier: Apache-2.0 */
/* Life of struct process and of tasks in its tables. */
#include "abi/linux/errno.h"
#include "abi/linux/resource.h"
#include "base/bug.h"
#include "base/string.h"
#include "kernel/core/cpu.h"
#include "kernel/core/sched.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/mm.h"
#include "kernel/proc/pgrp.h"
#include "kernel/proc/proc.h"
#include "kernel/proc/signal.h"

struct list processes = LIST_INIT(processes);
unsigned nr_tasks, max_tasks;
struct process *init_process;

/* Ended tasks whose last code may still run on their stack: freed by the next one that comes by. */
static LIST_HEAD(dead_tasks);

struct process *process_new(struct process *parent)
{
	struct process *p = kzalloc(sizeof(*p));

	if (!p)
		return NULL;
	p->refs = 1;
	list_init(&p->threads);
	list_init(&p->children);
	list_init(&p->sibling);
	list_init(&p->all_node);
	list_init(&p->pgrp_node);
	sigpending_init(&p->pending);
	waitq_init(&p->child_wq);
	waitq_init(&p->signal_wq);
	waitq_init(&p->exit_wq);
	rb_init(&p->posix_timers);
	p->start_ns = ktime_up();
	itimers_init(p);
	if (parent) {
		memcpy(p->rlimit, parent->rlimit, sizeof(p->rlimit));
		p->oom_score_adj = parent->oom_score_adj;
		p->membarrier_registered = parent->membarrier_registered;
		p->ioprio = parent->ioprio;
		p->keep_caps = parent->keep_caps;
	}
	return p;
}

struct process *process_ref(struct process *p)
{
	p->refs++;
	return p;
}

void process_unref(struct process *p)
{
	if (!p || --p->refs)
		return;
	sigpending_flush(&p->pending, ~0ull);
	kfree(p);
}

int process_link(struct process *p, int pid, struct process *parent)
{
	struct process *from = current->proc;

	p->pid = pid;
	p->sid = from ? from->sid : pid;
	p->ctty = from && from->ctty;
	if (pgrp_join(p, from && from->pgrp ? from->pgrp->id : pid) < 0)
		return -ENOMEM;
	pid_hold(p->sid);
	p->parent = parent;
	p->ppid = parent ? parent->pid : 0;
	if (parent)
		list_add_tail(&p->sibling, &parent->children);
	list_add_tail(&p->all_node, &processes);
	process_ref(p); /* the tables' */
	if (p->rlimit[RLIMIT_CPU].rlim_max != RLIM64_INFINITY ||
	    p->rlimit[RLIMIT_CPU].rlim_cur != RLIM64_INFINITY)
		rlimit_cpu_changed(p); /* inherited: nothing watches it yet */
	return 0;
}

void task_link(struct task *t)
{
	struct process *p = t->proc;

	list_add_tail(&t->thread_node, &p->threads);
	p->nr_threads++;
	tid_hash_add(t);
	if (t->cred->user)
		t->cred->user->tasks++;
	nr_tasks++;
	signal_recalc(t);
}

/* The thread's times go to the process, so that they are not lost with it. */
static void task_fold_times(struct task *t)
{
	t->proc->utime_ns += t->utime_ns;
	t->proc->stime_ns += t->stime_ns;
}

void task_release(struct task *t)
{
	task_fold_times(t);
	list_del(&t->thread_node);
	tid_hash_del(t);
	pid_drop(t->tid);
	if (t->cred->user)
		t->cred->user->tasks--;
	nr_tasks--;
	if (t == current || t->on_cpu)
		list_add_tail(&t->thread_node, &dead_tasks);
	else
		task_unref(t);
}

void task_reap_dead(void)
{
	struct task *t, *tmp;

	list_for_each_entry_safe(t, tmp, &dead_tasks, thread_node) {
		if (t == current || t->on_cpu)
			continue;
		list_del(&t->thread_node);
		task_unref(t);
	}
}

void process_release(struct process *p)
{
	struct task *leader = p->leader;

	BUG_ON(p->nr_threads);
	list_del(&p->sibling);
	list_del(&p->all_node);
	pgrp_leave(p);
	pid_drop(p->sid);
	p->parent = NULL;
	task_release(leader);
	process_unref(p);
}

struct task *task_ref(struct task *t)
{
	t->refs++;
	return t;
}

void task_unref(struct task *t)
{
	if (!t || --t->refs)
		return;
	sigpending_flush(&t->pending, ~0ull);
	sighand_unref(t->sighand);
	cred_unref(t->cred);
	process_unref(t->proc);
	task_free(t);
}

/* ---- times ---- */

void process_times(const struct process *p, u64 *ret_utime_ns, u64 *ret_stime_ns)
{
	const struct task *t;
	u64 u = p->utime_ns, s = p->stime_ns;

	list_for_each_entry(t, &p->threads, thread_node) {
		u64 total = task_cpu_time_ns(t);

		s += t->stime_ns;
		u += total - t->stime_ns;
	}
	*ret_utime_ns = u;
	*ret_stime_ns = s;
}

u64 process_cpu_time_ns(const struct process *p, bool user_only)
{
	u64 u, s;

	process_times(p, &u, &s);
	return user_only ? u : u + s;
}

static void rusage_set_time(struct linux_timeval *tv, u64 ns)
{
	tv->tv_sec = (s64)(ns / NSEC_PER_SEC);
	tv->tv_usec = (s64)(ns % NSEC_PER_SEC / 1000);
}

static u64 process_maxrss_kib(const struct process *p)
{
	const struct task *t = process_live_thread(p);
	u64 rss = t && t->mm ? t->mm->rss : 0;

	return MAX(rss, p->maxrss) * (PAGE_SIZE / 1024);
}

void task_rusage(const struct task *t, struct linux_rusage *ret)
{
	u64 total = task_cpu_time_ns(t);

	*ret = (struct linux_rusage){ .ru_nvcsw = (s64)t->nvcsw, .ru_nivcsw = (s64)t->nivcsw };
	rusage_set_time(&ret->ru_utime, total - t->stime_ns);
	rusage_set_time(&ret->ru_stime, t->stime_ns);
	ret->ru_maxrss = (s64)process_maxrss_kib(t->proc);
}

void process_rusage(const struct process *p, struct linux_rusage *ret)
{
	const struct task *t;
	u64 u, s;

	process_times(p, &u, &s);
	*ret = (struct linux_rusage){ .ru_minflt = (s64)p->minflt, .ru_majflt = (s64)p->majflt };
	rusage_set_time(&ret->ru_utime, u);
	rusage_set_time(&ret->ru_stime, s);
	ret->ru_maxrss = (s64)process_maxrss_kib(p);
	list_for_each_entry(t, &p->threads, thread_node) {
		ret->ru_nvcsw += (s64)t->nvcsw;
		ret->ru_nivcsw += (s64)t->nivcsw;
	}
}

void process_rusage_children(const struct process *p, struct linux_rusage *ret)
{
	*ret = (struct linux_rusage){ .ru_minflt = (s64)p->child_minflt,
				      .ru_majflt = (s64)p->child_majflt };
	rusage_set_time(&ret->ru_utime, p->child_utime_ns);
	rusage_set_time(&ret->ru_stime, p->child_stime_ns);
	ret->ru_maxrss = (s64)(p->child_maxrss * (PAGE_SIZE / 1024));
}

void process_rusage_both(const struct process *p, struct linux_rusage *ret)
{
	u64 u, s;

	process_rusage(p, ret);
	process_times(p, &u, &s);
	rusage_set_time(&ret->ru_utime, u + p->child_utime_ns);
	rusage_set_time(&ret->ru_stime, s + p->child_stime_ns);
	ret->ru_minflt += (s64)p->child_minflt;
	ret->ru_majflt += (s64)p->child_majflt;
}
