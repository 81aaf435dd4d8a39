/* SPDX-License-Identifier: Apache-2.0 */
/* wait4(2), waitid(2). */
#include "abi/linux/wait.h"

#include "abi/linux/errno.h"
#include "abi/linux/resource.h"
#include "kernel/core/cpu.h"
#include "kernel/core/sched.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/pgrp.h"
#include "kernel/proc/proc.h"
#include "kernel/proc/signal.h"
#include "kernel/sys/syscall.h"

struct wait_request {
	int which; /* P_ALL, P_PID, P_PGID */
	int id;
	u32 options;
};

/* What was found; copied out of the child before it is released. */
struct wait_result {
	int pid, status;  /* wait(2) status */
	int cause, value; /* CLD_*, si_status */
	u32 uid;
	struct linux_rusage usage;
};

static bool eligible(const struct wait_request *rq, const struct process *p)
{
	bool is_clone = p->leader->exit_signal != SIGCHLD;

	if (rq->which == P_PID && p->pid != rq->id)
		return false;
	if (rq->which == P_PGID && process_pgid(p) != rq->id)
		return false;
	return (rq->options & __WALL) || is_clone == !!(rq->options & __WCLONE);
}

static void fill_result(struct wait_result *ret, const struct process *p, int status, int cause,
			int value)
{
	ret->pid = p->pid;
	ret->status = status;
	ret->cause = cause;
	ret->value = value;
	ret->uid = p->leader->cred->uid;
	process_rusage_both(p, &ret->usage);
}

/* The parent inherits the child's times: getrusage(2), RUSAGE_CHILDREN. */
static void inherit_times(struct process *parent, const struct process *p)
{
	u64 u, s;

	process_times(p, &u, &s);
	parent->child_utime_ns += u + p->child_utime_ns;
	parent->child_stime_ns += s + p->child_stime_ns;
	parent->child_minflt += p->minflt + p->child_minflt;
	parent->child_majflt += p->majflt + p->child_majflt;
	parent->child_maxrss = MAX(parent->child_maxrss, p->maxrss);
	parent->child_maxrss = MAX(parent->child_maxrss, p->child_maxrss);
}

/* Has p something to report? Consumes it unless WNOWAIT. */
static bool take(const struct wait_request *rq, struct process *p, struct wait_result *ret)
{
	bool keep = rq->options & WNOWAIT;

	if (p->zombie) {
		int st = p->exit_code;

		if (!(rq->options & WEXITED))
			return false;
		if (st & 0x7f)
			fill_result(ret, p, st, CLD_KILLED, st & 0x7f);
		else
			fill_result(ret, p, st, CLD_EXITED, st >> 8 & 0xff);
		if (!keep) {
			inherit_times(current->proc, p);
			process_release(p);
		}
		return true;
	}
	if (p->stopped && !p->stop_reported && (rq->options & WSTOPPED)) {
		fill_result(ret, p, WSTATUS_STOPPED(p->stop_signal), CLD_STOPPED, p->stop_signal);
		p->stop_reported = !keep;
		return true;
	}
	if (p->continued && (rq->options & WCONTINUED)) {
		fill_result(ret, p, WSTATUS_CONTINUED, CLD_CONTINUED, SIGCONT);
		p->continued = keep;
		return true;
	}
	return false;
}

/* 1: *ret is filled; 0: nothing yet; -ECHILD. */
static int scan(const struct wait_request *rq, struct wait_result *ret)
{
	struct process *p, *tmp;
	bool any = false;

	list_for_each_entry_safe(p, tmp, &current->proc->children, sibling) {
		if (!eligible(rq, p))
			continue;
		any = true;
		if (take(rq, p, ret))
			return 1;
	}
	return any ? 0 : -ECHILD;
}

/* The child's pid, 0 (WNOHANG, nothing), or an error. */
static int do_wait(const struct wait_request *rq, struct wait_result *ret)
{
	struct waiter w;
	int r;

	task_reap_dead();
	waitq_add(&current->proc->child_wq, &w);
	for (;;) {
		r = scan(rq, ret);
		if (r || (rq->options & WNOHANG))
			break;
		if (task_sleep(TASK_INTERRUPTIBLE, DEADLINE_NONE) < 0) {
			r = -ERESTARTSYS;
			break;
		}
	}
	waitq_remove(&w);
	return r > 0 ? ret->pid : r;
}

sysret_t sys_wait4(const struct sysargs *a)
{
	int pid = arg_int(a, 0), r;
	struct wait_request rq = { .options = arg_u32(a, 2) };
	struct wait_result res;

	if (rq.options & ~(u32)(WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL))
		return -EINVAL;
	if (pid == INT32_MIN)
		return -ESRCH;
	rq.options |= WEXITED;
	if (pid == -1) {
		rq.which = P_ALL;
	} else if (pid <= 0) {
		rq.which = P_PGID;
		rq.id = pid ? -pid : process_pgid(current->proc);
	} else {
		rq.which = P_PID;
		rq.id = pid;
	}
	r = do_wait(&rq, &res);
	if (r <= 0)
		return r;
	if (arg_ptr(a, 1) && put_user_u32(arg_ptr(a, 1), (u32)res.status) < 0)
		return -EFAULT;
	if (arg_ptr(a, 3) && copy_to_user(arg_ptr(a, 3), &res.usage, sizeof(res.usage)) < 0)
		return -EFAULT;
	return r;
}

static int waitid_request(const struct sysargs *a, struct wait_request *rq)
{
	*rq = (struct wait_request){ .which = arg_int(a, 0),
				     .id = arg_int(a, 1),
				     .options = arg_u32(a, 3) };
	if (rq->options & ~(u32)(WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED | __WNOTHREAD |
				 __WCLONE | __WALL))
		return -EINVAL;
	if (!(rq->options & (WEXITED | WSTOPPED | WCONTINUED)))
		return -EINVAL;
	switch (rq->which) {
	case P_ALL:
		return 0;
	case P_PID:
		return rq->id > 0 ? 0 : -EINVAL;
	case P_PGID:
		if (rq->id < 0)
			return -EINVAL;
		if (!rq->id)
			rq->id = process_pgid(current->proc);
		return 0;
	default: /* P_PIDFD: there are no such descriptors */
		return rq->which == P_PIDFD ? -EBADF : -EINVAL;
	}
}

/* Unlike wait4(2), 0 on success; with WNOHANG and nothing to report si_signo and si_pid are 0. */
sysret_t sys_waitid(const struct sysargs *a)
{
	struct linux_siginfo info = { 0 };
	struct wait_request rq;
	struct wait_result res;
	int r = waitid_request(a, &rq);

	if (r == 0)
		r = do_wait(&rq, &res);
	if (r < 0)
		return r;
	if (r > 0) {
		info.si_signo = SIGCHLD;
		info.si_code = res.cause;
		info.si_pid = res.pid;
		info.si_uid = res.uid;
		info.si_status = res.value;
		if (arg_ptr(a, 4) && copy_to_user(arg_ptr(a, 4), &res.usage, sizeof(res.usage)) < 0)
			return -EFAULT;
	}
	return arg_ptr(a, 2) ? copy_to_user(arg_ptr(a, 2), &info, sizeof(info)) : 0;
}
