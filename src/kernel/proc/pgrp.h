/* SPDX-License-Identifier: Apache-2.0 */
/* Process groups and sessions: credentials(7), setpgid(2), setsid(2). All under the kernel lock. */
#pragma once

#include "base/list.h"
#include "base/types.h"
#include "kernel/proc/task.h"

struct process_group {
	int id, sid;
	struct list members; /* struct process.pgrp_node */
	struct list node;    /* all groups */
};

static inline int process_pgid(const struct process *p)
{
	return p->pgrp ? p->pgrp->id : 0;
}

struct process_group *pgrp_find(int id); /* borrowed; NULL */
/* Enters p into group `id` of its session, which is created if need be. -ENOMEM. */
int pgrp_join(struct process *p, int id);
void pgrp_leave(struct process *p);
/* No member has a parent in the same session but outside the group (POSIX: orphaned process group). */
bool pgrp_is_orphaned(const struct process_group *g);
bool pgrp_has_stopped(const struct process_group *g);
/* p, a member of its group, ends or gets another parent: groups newly orphaned with stopped members get SIGHUP, SIGCONT. */
void pgrp_check_orphans(struct process *p, struct process *parent);
bool session_exists(int sid);
