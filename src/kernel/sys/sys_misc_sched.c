/* SPDX-License-Identifier: Apache-2.0 */
/* Scheduling parameters and memory barriers: sched(7), membarrier(2). */
#include "abi/linux/sched.h"

#include "abi/linux/capability.h"
#include "abi/linux/errno.h"
#include "abi/linux/misc.h"
#include "kernel/core/cpu.h"
#include "kernel/core/host.h"
#include "kernel/core/sched.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/proc.h"
#include "kernel/proc/rseq.h"
#include "kernel/sys/syscall.h"
#include "kernel/time/timespec.h"

#define RT_PRIORITY_MAX 99
#define NICE_MIN        (-20)
#define NICE_MAX        19

sysret_t sys_sched_yield(const struct sysargs *a)
{
	(void)a;
	sched_yield_current();
	return 0;
}

static struct task *task_arg(int pid)
{
	return pid ? task_find(pid) : current;
}

static bool may_schedule(const struct task *t)
{
	const struct cred *me = current->cred, *c = t->cred;

	return me->euid == c->euid || me->euid == c->uid || capable(CAP_SYS_NICE);
}

/* ---- affinity ---- */

static u64 all_cpus(void)
{
	return nr_cpus >= 64 ? ~0ull : (1ull << nr_cpus) - 1;
}

sysret_t sys_sched_setaffinity(const struct sysargs *a)
{
	u64 mask = 0, len = arg_u32(a, 1);
	struct task *t = task_arg(arg_int(a, 0));

	if (copy_from_user(&mask, arg_ptr(a, 2), MIN(len, (u64)sizeof(mask))) < 0)
		return -EFAULT;
	if (!t)
		return -ESRCH;
	if (!may_schedule(t))
		return -EPERM;
	mask &= all_cpus();
	if (!mask)
		return -EINVAL;
	sched_set_affinity(t, mask);
	return 0;
}

/* The raw call returns the bytes it wrote. */
sysret_t sys_sched_getaffinity(const struct sysargs *a)
{
	u32 len = arg_u32(a, 1);
	const struct task *t = task_arg(arg_int(a, 0));
	u64 mask;

	if (len % sizeof(mask) || len < sizeof(mask))
		return -EINVAL;
	if (!t)
		return -ESRCH;
	mask = t->cpu_mask & all_cpus();
	return copy_to_user(arg_ptr(a, 2), &mask, sizeof(mask)) < 0 ? -EFAULT : (s64)sizeof(mask);
}

/* ---- policies ---- */

static bool policy_is_rt(u32 policy)
{
	return policy == SCHED_FIFO || policy == SCHED_RR;
}

static bool policy_known(u32 policy)
{
	return policy_is_rt(policy) || policy == SCHED_NORMAL || policy == SCHED_BATCH ||
	       policy == SCHED_IDLE;
}

/* Kept for those who ask; the scheduler itself is round-robin. */
static int set_policy(struct task *t, u32 policy, int priority)
{
	u32 reset = policy & SCHED_RESET_ON_FORK, base = policy & ~(u32)SCHED_RESET_ON_FORK;

	if (!policy_known(base))
		return -EINVAL;
	if (policy_is_rt(base) ? priority < 1 || priority > RT_PRIORITY_MAX : priority != 0)
		return -EINVAL;
	if (!may_schedule(t))
		return -EPERM;
	if (policy_is_rt(base) && !capable(CAP_SYS_NICE) &&
	    (u64)priority > task_rlimit(t, RLIMIT_RTPRIO))
		return -EPERM;
	t->sched_policy = base | reset;
	t->sched_priority = priority;
	return 0;
}

sysret_t sys_sched_setscheduler(const struct sysargs *a)
{
	int pid = arg_int(a, 0), policy = arg_int(a, 1);
	struct task *t;
	u32 priority;

	if (pid < 0 || policy < 0 || !arg_ptr(a, 2))
		return -EINVAL;
	if (get_user_u32(&priority, arg_ptr(a, 2)) < 0)
		return -EFAULT;
	t = task_arg(pid);
	return t ? set_policy(t, (u32)policy, (int)priority) : -ESRCH;
}

sysret_t sys_sched_getscheduler(const struct sysargs *a)
{
	int pid = arg_int(a, 0);
	const struct task *t = pid < 0 ? NULL : task_arg(pid);

	if (pid < 0)
		return -EINVAL;
	return t ? (s64)t->sched_policy : -ESRCH;
}

sysret_t sys_sched_setparam(const struct sysargs *a)
{
	int pid = arg_int(a, 0);
	struct task *t;
	u32 priority;

	if (pid < 0 || !arg_ptr(a, 1))
		return -EINVAL;
	if (get_user_u32(&priority, arg_ptr(a, 1)) < 0)
		return -EFAULT;
	t = task_arg(pid);
	return t ? set_policy(t, t->sched_policy, (int)priority) : -ESRCH;
}

sysret_t sys_sched_getparam(const struct sysargs *a)
{
	int pid = arg_int(a, 0);
	const struct task *t;

	if (pid < 0 || !arg_ptr(a, 1))
		return -EINVAL;
	t = task_arg(pid);
	return t ? put_user_u32(arg_ptr(a, 1), (u32)t->sched_priority) : -ESRCH;
}

sysret_t sys_sched_get_priority_max(const struct sysargs *a)
{
	u32 policy = arg_u32(a, 0);

	if (policy_is_rt(policy))
		return RT_PRIORITY_MAX;
	return policy_known(policy) || policy == SCHED_DEADLINE ? 0 : -EINVAL;
}

sysret_t sys_sched_get_priority_min(const struct sysargs *a)
{
	u32 policy = arg_u32(a, 0);

	if (policy_is_rt(policy))
		return 1;
	return policy_known(policy) || policy == SCHED_DEADLINE ? 0 : -EINVAL;
}

sysret_t sys_sched_rr_get_interval(const struct sysargs *a)
{
	int pid = arg_int(a, 0);
	struct linux_timespec ts = ns_to_timespec(SCHED_SLICE_NS);

	if (pid < 0)
		return -EINVAL;
	return task_arg(pid) ? copy_to_user(arg_ptr(a, 1), &ts, sizeof(ts)) : -ESRCH;
}

sysret_t sys_sched_getattr(const struct sysargs *a)
{
	u32 size = arg_u32(a, 2);
	struct linux_sched_attr attr = { .size = SCHED_ATTR_SIZE_VER1 };
	const struct task *t;

	if (arg_int(a, 0) < 0 || !arg_ptr(a, 1) || arg_u32(a, 3) || size < SCHED_ATTR_SIZE_VER0 ||
	    size > PAGE_SIZE)
		return -EINVAL;
	t = task_arg(arg_int(a, 0));
	if (!t)
		return -ESRCH;
	attr.size = MIN(size, (u32)sizeof(attr));
	attr.sched_policy = t->sched_policy & ~(u32)SCHED_RESET_ON_FORK;
	attr.sched_flags = t->sched_policy & SCHED_RESET_ON_FORK ? SCHED_FLAG_RESET_ON_FORK : 0;
	attr.sched_nice = t->nice;
	attr.sched_priority = (u32)t->sched_priority;
	attr.sched_util_max = 1024;
	return copy_to_user(arg_ptr(a, 1), &attr, attr.size);
}

sysret_t sys_sched_setattr(const struct sysargs *a)
{
	struct linux_sched_attr attr = { 0 };
	struct task *t;
	u32 size;
	int r;

	if (!arg_ptr(a, 1) || arg_int(a, 0) < 0 || arg_u32(a, 2))
		return -EINVAL;
	if (get_user_u32(&size, arg_ptr(a, 1)) < 0)
		return -EFAULT;
	if (!size)
		size = SCHED_ATTR_SIZE_VER0;
	if (size < SCHED_ATTR_SIZE_VER0 || size > PAGE_SIZE)
		return put_user_u32(arg_ptr(a, 1), sizeof(attr)) < 0 ? -EFAULT : -E2BIG;
	if (copy_from_user(&attr, arg_ptr(a, 1), MIN(size, (u32)sizeof(attr))) < 0)
		return -EFAULT;
	if (attr.sched_flags & ~(u64)SCHED_FLAG_RESET_ON_FORK || attr.sched_nice < NICE_MIN ||
	    attr.sched_nice > NICE_MAX)
		return -EINVAL;
	t = task_arg(arg_int(a, 0));
	if (!t)
		return -ESRCH;
	if (attr.sched_flags & SCHED_FLAG_RESET_ON_FORK)
		attr.sched_policy |= SCHED_RESET_ON_FORK;
	if (!policy_is_rt(attr.sched_policy) && attr.sched_nice < t->nice && !capable(CAP_SYS_NICE))
		return -EPERM;
	r = set_policy(t, attr.sched_policy, (int)attr.sched_priority);
	if (r == 0 && !policy_is_rt(attr.sched_policy))
		t->nice = attr.sched_nice;
	return r;
}

/* ---- membarrier ---- */

#define MEMBARRIER_SUPPORTED                                                                      \
	(MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_GLOBAL_EXPEDITED |                                \
	 MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED | MEMBARRIER_CMD_PRIVATE_EXPEDITED |            \
	 MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED | MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE | \
	 MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE |                                    \
	 MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ | MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ)
#define ALL_CPUS (-1)

/*
 * A CPU that leaves user mode once cannot be back there without an atomic operation on the kernel lock, which is a full barrier, and
 * an IRET or SYSRET. mm NULL: whatever runs.
 */
static bool needs_barrier(const struct cpu *c, const struct mm *mm)
{
	return c != this_cpu() && c->online && c->curr != c->idle && (!mm || c->curr->mm == mm);
}

static void barrier_all(const struct mm *mm)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (unsigned i = 0; i < nr_cpus; i++) {
		struct cpu *c = &cpus[i];

		if (!needs_barrier(c, mm) ||
		    !__atomic_load_n(&c->shared->in_user, __ATOMIC_SEQ_CST))
			continue;
		sched_kick(c->curr);
		sched_wait_left(c);
	}
}

/*
 * Aborts what critical section each of our threads that runs is in. One that is on its way to user mode, past its last look at rseq_due,
 * comes back to look again: the kick makes it.
 */
static void barrier_rseq(const struct mm *mm, int cpu)
{
	for (unsigned i = 0; i < nr_cpus; i++) {
		struct cpu *c = &cpus[i];

		if (!needs_barrier(c, mm) || (cpu != ALL_CPUS && (u64)cpu != c->id))
			continue;
		rseq_note(c->curr);
		sched_kick(c->curr);
		sched_wait_left(c);
	}
}

static bool barrier_flags_ok(int cmd, u32 flags)
{
	return !flags ||
	       (cmd == MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ && flags == MEMBARRIER_CMD_FLAG_CPU);
}

/* Each command's registration is the next bit up. */
static bool barrier_registered(int cmd)
{
	return current->proc->membarrier_registered & (u32)cmd << 1;
}

sysret_t sys_membarrier(const struct sysargs *a)
{
	int cmd = arg_int(a, 0);

	if (!barrier_flags_ok(cmd, arg_u32(a, 1)))
		return -EINVAL;
	switch (cmd) {
	case MEMBARRIER_CMD_QUERY:
		return MEMBARRIER_SUPPORTED;
	case MEMBARRIER_CMD_GLOBAL:
	case MEMBARRIER_CMD_GLOBAL_EXPEDITED:
		barrier_all(NULL);
		return 0;
	case MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED:
		return 0;
	case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED:
	case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE:
	case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ:
		current->proc->membarrier_registered |= (u32)cmd;
		return 0;
	case MEMBARRIER_CMD_PRIVATE_EXPEDITED:
	case MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE:
		if (!barrier_registered(cmd))
			return -EPERM;
		barrier_all(current->mm);
		return 0;
	case MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ:
		if (!barrier_registered(cmd))
			return -EPERM;
		barrier_rseq(current->mm, arg_u32(a, 1) ? arg_int(a, 2) : ALL_CPUS);
		return 0;
	default:
		return -EINVAL;
	}
}
