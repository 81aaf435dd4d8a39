/* SPDX-License-Identifier: Apache-2.0 */
/* Thread, process, group and session numbers share one space: a number is free when nothing holds it. */
#include "abi/linux/errno.h"
#include "base/bug.h"
#include "kernel/proc/proc.h"

#define TID_BUCKETS    1024u
#define PID_WRAP_START 300 /* after a wrap, as Linux leaves the low numbers alone */

static u32 pid_holds[PID_MAX]; /* by threads, groups and sessions */
static struct list tid_buckets[TID_BUCKETS];
static int next_pid = PID_INIT;

void pid_init(void)
{
	for (unsigned i = 0; i < TID_BUCKETS; i++)
		list_init(&tid_buckets[i]);
}

int pid_alloc(void)
{
	for (int tries = 0; tries < PID_MAX; tries++) {
		int nr = next_pid++;

		if (next_pid >= PID_MAX)
			next_pid = PID_WRAP_START;
		if (pid_holds[nr])
			continue;
		pid_holds[nr] = 1;
		return nr;
	}
	return -EAGAIN;
}

void pid_hold(int nr)
{
	BUG_ON(nr <= 0 || nr >= PID_MAX || pid_holds[nr] == UINT32_MAX);
	pid_holds[nr]++;
}

void pid_drop(int nr)
{
	BUG_ON(nr <= 0 || nr >= PID_MAX || !pid_holds[nr]);
	pid_holds[nr]--;
}

static struct list *tid_bucket(int tid)
{
	return &tid_buckets[(u32)tid % TID_BUCKETS];
}

void tid_hash_add(struct task *t)
{
	list_add(&t->tid_hash, tid_bucket(t->tid));
}

void tid_hash_del(struct task *t)
{
	list_del(&t->tid_hash);
}

struct task *task_find(int tid)
{
	struct task *t;

	if (tid <= 0 || tid >= PID_MAX)
		return NULL;
	list_for_each_entry(t, tid_bucket(tid), tid_hash)
		if (t->tid == tid)
			return t;
	return NULL;
}

struct process *process_find(int pid)
{
	struct task *t = task_find(pid);

	return t && t->proc->pid == pid ? t->proc : NULL;
}
