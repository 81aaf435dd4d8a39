/* SPDX-License-Identifier: Apache-2.0 */
/* Process groups and sessions. */
#include "kernel/proc/pgrp.h"

#include "abi/linux/errno.h"
#include "kernel/core/cpu.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/proc/proc.h"
#include "kernel/proc/signal.h"
#include "kernel/sys/syscall.h"

static LIST_HEAD(groups);

struct process_group *pgrp_find(int id)
{
	struct process_group *g;

	list_for_each_entry(g, &groups, node)
		if (g->id == id)
			return g;
	return NULL;
}

static struct process_group *pgrp_new(int id, int sid)
{
	struct process_group *g = kzalloc(sizeof(*g));

	if (!g)
		return NULL;
	g->id = id;
	g->sid = sid;
	list_init(&g->members);
	list_add(&g->node, &groups);
	pid_hold(id);
	pid_hold(sid);
	return g;
}

void pgrp_leave(struct process *p)
{
	struct process_group *g = p->pgrp;

	if (!g)
		return;
	p->pgrp = NULL;
	list_del(&p->pgrp_node);
	if (!list_empty(&g->members))
		return;
	list_del(&g->node);
	pid_drop(g->id);
	pid_drop(g->sid);
	kfree(g);
}

int pgrp_join(struct process *p, int id)
{
	struct process_group *g = pgrp_find(id);

	if (g && g == p->pgrp)
		return 0;
	if (!g)
		g = pgrp_new(id, p->sid);
	if (!g)
		return -ENOMEM;
	pgrp_leave(p);
	p->pgrp = g;
	list_add_tail(&p->pgrp_node, &g->members);
	return 0;
}

bool session_exists(int sid)
{
	struct process_group *g;

	list_for_each_entry(g, &groups, node)
		if (g->sid == sid)
			return true;
	return false;
}

/*
 * Does p's parent keep p's group from being orphaned? For the program itself the monitor does: its shell, outside, takes the part of
 * the parent that can continue the job.
 */
static bool parent_controls(const struct process *p, const struct process *parent)
{
	if (p->pid == PID_PROGRAM)
		return true;
	return parent && parent != init_process && parent->sid == p->sid && parent->pgrp != p->pgrp;
}

static bool orphaned_without(const struct process_group *g, const struct process *except)
{
	struct process *p;

	list_for_each_entry(p, &g->members, pgrp_node)
		if (p != except && !p->zombie && parent_controls(p, p->parent))
			return false;
	return true;
}

bool pgrp_is_orphaned(const struct process_group *g)
{
	return orphaned_without(g, NULL);
}

bool pgrp_has_stopped(const struct process_group *g)
{
	struct process *p;

	list_for_each_entry(p, &g->members, pgrp_node)
		if (p->stopped && !p->zombie)
			return true;
	return false;
}

void pgrp_check_orphans(struct process *p, struct process *parent)
{
	struct process_group *g = p->pgrp;

	if (!g || !parent_controls(p, parent))
		return;
	if (p->parent != parent && parent_controls(p, p->parent))
		return;
	if (!orphaned_without(g, p) || !pgrp_has_stopped(g))
		return;
	signal_send_pgrp(g->id, SIGHUP, NULL);
	signal_send_pgrp(g->id, SIGCONT, NULL);
}

/* ---- system calls ---- */

sysret_t sys_getpgrp(const struct sysargs *a)
{
	(void)a;
	return process_pgid(current->proc);
}

static struct process *process_arg(int pid)
{
	return pid ? process_find(pid) : current->proc;
}

sysret_t sys_getpgid(const struct sysargs *a)
{
	struct process *p = process_arg(arg_int(a, 0));

	return p ? process_pgid(p) : -ESRCH;
}

sysret_t sys_getsid(const struct sysargs *a)
{
	struct process *p = process_arg(arg_int(a, 0));

	return p ? p->sid : -ESRCH;
}

/* setpgid(2), in Linux's order of checks. */
sysret_t sys_setpgid(const struct sysargs *a)
{
	int pid = arg_int(a, 0), pgid = arg_int(a, 1);
	struct process *self = current->proc, *p;

	if (!pid)
		pid = self->pid;
	if (!pgid)
		pgid = pid;
	if (pgid < 0)
		return -EINVAL;
	p = process_find(pid);
	if (!p)
		return -ESRCH;
	if (p != self) {
		if (p->parent != self)
			return -ESRCH;
		if (p->sid != self->sid)
			return -EPERM;
		if (p->did_exec)
			return -EACCES;
	}
	if (p->sid == p->pid)
		return -EPERM;
	if (pgid != pid) {
		struct process_group *g = pgrp_find(pgid);

		if (!g || g->sid != self->sid)
			return -EPERM;
	}
	return pgrp_join(p, pgid);
}

sysret_t sys_setsid(const struct sysargs *a)
{
	struct process *p = current->proc;
	int old_sid = p->sid, r;

	(void)a;
	if (p->sid == p->pid || pgrp_find(p->pid))
		return -EPERM;
	p->sid = p->pid;
	r = pgrp_join(p, p->pid);
	if (r < 0) {
		p->sid = old_sid;
		return r;
	}
	pid_hold(p->sid);
	pid_drop(old_sid);
	p->ctty = false;
	return p->sid;
}
