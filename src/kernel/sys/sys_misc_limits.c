/* SPDX-License-Identifier: Apache-2.0 */
/* Limits and priorities: getrlimit(2), getpriority(2), ioprio_set(2). */
#include "abi/linux/capability.h"
#include "abi/linux/errno.h"
#include "abi/linux/resource.h"
#include "base/nospec.h"
#include "kernel/core/cpu.h"
#include "kernel/fs/vfs.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/pgrp.h"
#include "kernel/proc/proc.h"
#include "kernel/sys/syscall.h"

u64 rlimit_ceiling(unsigned which)
{
	const struct boot_config *b = boot_config();

	switch (which) {
	case RLIMIT_NOFILE: /* proc_sys_fs(5), nr_open */
		return MIN(b->files_max, (u64)FDTABLE_MAX);
	case RLIMIT_FSIZE:
		return b->file_size;
	default:
		return RLIM64_INFINITY;
	}
}

static int set_limit(struct process *p, unsigned which, const struct linux_rlimit64 *l)
{
	struct linux_rlimit64 *own = &p->rlimit[which];

	if (l->rlim_cur > l->rlim_max)
		return -EINVAL;
	if (l->rlim_max > rlimit_ceiling(which))
		return -EPERM;
	if (l->rlim_max > own->rlim_max && !capable(CAP_SYS_RESOURCE))
		return -EPERM;
	*own = *l;
	if (which == RLIMIT_CPU)
		rlimit_cpu_changed(p);
	return 0;
}

sysret_t sys_getrlimit(const struct sysargs *a)
{
	u32 which = arg_u32(a, 0);

	if (which >= RLIM_NLIMITS)
		return -EINVAL;
	which = (u32)array_index_nospec(which, RLIM_NLIMITS);
	return copy_to_user(arg_ptr(a, 1), &current->proc->rlimit[which],
			    sizeof(struct linux_rlimit64));
}

sysret_t sys_setrlimit(const struct sysargs *a)
{
	u32 which = arg_u32(a, 0);
	struct linux_rlimit64 l;

	if (copy_from_user(&l, arg_ptr(a, 1), sizeof(l)) < 0)
		return -EFAULT;
	if (which >= RLIM_NLIMITS)
		return -EINVAL;
	return set_limit(current->proc, (u32)array_index_nospec(which, RLIM_NLIMITS), &l);
}

/* All of the target's ids are ours, or CAP_SYS_RESOURCE: prlimit(2). */
static bool may_limit(const struct task *t)
{
	const struct cred *me = current->cred, *c = t->cred;

	if (t->proc == current->proc || capable(CAP_SYS_RESOURCE))
		return true;
	return me->uid == c->euid && me->uid == c->suid && me->uid == c->uid &&
	       me->gid == c->egid && me->gid == c->sgid && me->gid == c->gid;
}

sysret_t sys_prlimit64(const struct sysargs *a)
{
	int pid = arg_int(a, 0), r = 0;
	u32 which = arg_u32(a, 1);
	uptr_t new = arg_ptr(a, 2), old = arg_ptr(a, 3);
	struct linux_rlimit64 l, was;
	struct task *t;

	if (which >= RLIM_NLIMITS)
		return -EINVAL;
	which = (u32)array_index_nospec(which, RLIM_NLIMITS);
	if (new &&copy_from_user(&l, new, sizeof(l)) < 0)
		return -EFAULT;
	t = pid ? task_find(pid) : current;
	if (!t)
		return -ESRCH;
	if (!may_limit(t))
		return -EPERM;
	was = t->proc->rlimit[which];
	if (new)
		r = set_limit(t->proc, which, &l);
	if (r == 0 && old)
		r = copy_to_user(old, &was, sizeof(was));
	return r;
}

/* ---- nice values ---- */

/* Calls fn for each thread that `which`, `who` name; false: there is none. */
static bool for_each_target(int which, u32 who, void (*fn)(struct task *t, void *arg), void *arg)
{
	struct process *p;
	struct task *t;
	bool any = false;

	if (which == PRIO_PROCESS) {
		t = who ? task_find((int)who) : current;
		if (t)
			fn(t, arg);
		return t;
	}
	if (!who)
		who = which == PRIO_PGRP ? (u32)process_pgid(current->proc) : current->cred->uid;
	list_for_each_entry(p, &processes, all_node) {
		if (which == PRIO_PGRP ? (u32)process_pgid(p) != who : p->leader->cred->uid != who)
			continue;
		list_for_each_entry(t, &p->threads, thread_node)
			fn(t, arg);
		any = true;
	}
	return any;
}

static void take_lowest_nice(struct task *t, void *arg)
{
	int *lowest = arg;

	*lowest = MIN(*lowest, t->nice);
}

/* The raw call returns 20 - nice, 1 to 40, so that it is never an error number. */
sysret_t sys_getpriority(const struct sysargs *a)
{
	int which = arg_int(a, 0), lowest = PRIO_MAX;

	if (which < PRIO_PROCESS || which > PRIO_USER)
		return -EINVAL;
	return for_each_target(which, arg_u32(a, 1), take_lowest_nice, &lowest) ? 20 - lowest
										: -ESRCH;
}

struct nice_request {
	int nice, error;
};

static void set_nice(struct task *t, void *arg)
{
	const struct cred *me = current->cred, *c = t->cred;
	struct nice_request *rq = arg;

	if (me->euid != c->uid && me->euid != c->euid && !capable(CAP_SYS_NICE))
		rq->error = -EPERM;
	else if (rq->nice < t->nice && !capable(CAP_SYS_NICE) &&
		 (u64)(20 - rq->nice) > task_rlimit(t, RLIMIT_NICE))
		rq->error = -EACCES;
	else
		t->nice = rq->nice;
}

sysret_t sys_setpriority(const struct sysargs *a)
{
	int which = arg_int(a, 0);
	struct nice_request rq = { .nice = MAX(PRIO_MIN, MIN(arg_int(a, 2), PRIO_MAX - 1)) };

	if (which < PRIO_PROCESS || which > PRIO_USER)
		return -EINVAL;
	return for_each_target(which, arg_u32(a, 1), set_nice, &rq) ? rq.error : -ESRCH;
}

/* ---- I/O priorities: kept, without effect ---- */

sysret_t sys_ioprio_get(const struct sysargs *a)
{
	int which = arg_int(a, 0), who = arg_int(a, 1);
	struct task *t;

	if (which < IOPRIO_WHO_PROCESS || which > IOPRIO_WHO_USER)
		return -EINVAL;
	t = which == IOPRIO_WHO_PROCESS && who ? task_find(who) : current;
	return t ? t->proc->ioprio : -ESRCH;
}

sysret_t sys_ioprio_set(const struct sysargs *a)
{
	int which = arg_int(a, 0), who = arg_int(a, 1), prio = arg_int(a, 2);
	int class = prio >> IOPRIO_CLASS_SHIFT;
	struct task *t;

	if (which < IOPRIO_WHO_PROCESS || which > IOPRIO_WHO_USER || class < IOPRIO_CLASS_NONE ||
	    class > IOPRIO_CLASS_IDLE)
		return -EINVAL;
	if (class == IOPRIO_CLASS_RT && !capable(CAP_SYS_ADMIN) && !capable(CAP_SYS_NICE))
		return -EPERM;
	t = which == IOPRIO_WHO_PROCESS && who ? task_find(who) : current;
	if (!t)
		return -ESRCH;
	t->proc->ioprio = prio;
	return 0;
}
