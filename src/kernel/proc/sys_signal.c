/* SPDX-License-Identifier: Apache-2.0 */
/* System calls of signals. */
#include "abi/linux/errno.h"
#include "base/nospec.h"
#include "kernel/core/cpu.h"
#include "kernel/core/sched.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/pgrp.h"
#include "kernel/proc/proc.h"
#include "kernel/proc/signal.h"
#include "kernel/sys/syscall.h"
#include "kernel/time/timespec.h"

#define SA_KNOWN                                                                                   \
	(SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_EXPOSE_TAGBITS | SA_RESTORER | SA_ONSTACK | \
	 SA_RESTART | SA_NODEFER | (u64)SA_RESETHAND)

static bool signal_number_ok(int sig)
{
	return sig >= 1 && sig <= _NSIG;
}

static void flush_everywhere(struct process *p, u64 set)
{
	struct task *t;

	sigpending_flush(&p->pending, set);
	list_for_each_entry(t, &p->threads, thread_node)
		sigpending_flush(&t->pending, set);
}

sysret_t sys_rt_sigaction(const struct sysargs *a)
{
	int sig = arg_int(a, 0);
	uptr_t act = arg_ptr(a, 1), oact = arg_ptr(a, 2);
	struct task *t = current;
	struct linux_sigaction new, old;

	if (arg_u64(a, 3) != sizeof(u64))
		return -EINVAL;
	if (act && copy_from_user(&new, act, sizeof(new)) < 0)
		return -EFAULT;
	if (!signal_number_ok(sig) || (act && (SIGSET_BIT(sig) & SIGSET_UNBLOCKABLE)))
		return -EINVAL;
	sig = 1 + (int)array_index_nospec((u32)sig - 1, ARRAY_SIZE(t->sighand->action));
	old = t->sighand->action[sig - 1];
	if (act) {
		new.sa_flags &= SA_KNOWN;
		new.sa_mask &= ~SIGSET_UNBLOCKABLE;
		t->sighand->action[sig - 1] = new;
		/* POSIX: setting an ignored action discards what is pending, blocked or not. */
		if (signal_ignored(t->proc, sig))
			flush_everywhere(t->proc, SIGSET_BIT(sig));
	}
	return oact ? copy_to_user(oact, &old, sizeof(old)) : 0;
}

sysret_t sys_rt_sigprocmask(const struct sysargs *a)
{
	int how = arg_int(a, 0);
	uptr_t set = arg_ptr(a, 1), oset = arg_ptr(a, 2);
	struct task *t = current;
	u64 old = t->blocked, v;

	if (arg_u64(a, 3) != sizeof(u64))
		return -EINVAL;
	if (set) {
		if (get_user_u64(&v, set) < 0)
			return -EFAULT;
		if (how == SIG_BLOCK)
			v |= old;
		else if (how == SIG_UNBLOCK)
			v = old & ~v;
		else if (how != SIG_SETMASK)
			return -EINVAL;
		signal_set_blocked(t, v);
	}
	return oset ? put_user_u64(oset, old) : 0;
}

sysret_t sys_rt_sigpending(const struct sysargs *a)
{
	u64 set = signal_pending_set(current) & current->blocked;

	/* Shorter sets are allowed here (sigpending(2)'s old form). */
	if (arg_u64(a, 1) > sizeof(set))
		return -EINVAL;
	return copy_to_user(arg_ptr(a, 0), &set, arg_u64(a, 1));
}

/* Waits with the signals of `set` let through for the choice of their target, though they stay blocked for delivery. */
static int sigwait_sleep(struct task *t, u64 set, u64 deadline, struct linux_siginfo *ret)
{
	int sig, r = 0;

	for (;;) {
		sig = signal_dequeue(t, set, ret);
		if (sig || r < 0)
			break;
		t->sigwait_set = set;
		r = task_sleep(TASK_INTERRUPTIBLE, deadline);
		t->sigwait_set = 0;
	}
	signal_recalc(t);
	return sig ? sig : r == -ETIMEDOUT ? -EAGAIN : -EINTR;
}

sysret_t sys_rt_sigtimedwait(const struct sysargs *a)
{
	struct linux_siginfo info;
	u64 set, deadline = DEADLINE_NONE;
	int sig, r = sigset_from_user(&set, arg_ptr(a, 0), arg_u64(a, 3));

	if (r < 0)
		return r;
	set &= ~SIGSET_UNBLOCKABLE;
	if (arg_ptr(a, 2)) {
		struct linux_timespec ts;

		if (copy_from_user(&ts, arg_ptr(a, 2), sizeof(ts)) < 0)
			return -EFAULT;
		if (!timespec_valid(&ts))
			return -EINVAL;
		deadline = ktime_add(ktime_mono(), timespec_to_ns(&ts));
	}
	sig = sigwait_sleep(current, set, deadline, &info);
	if (sig > 0 && arg_ptr(a, 1) && copy_to_user(arg_ptr(a, 1), &info, sizeof(info)) < 0)
		return -EFAULT;
	return sig;
}

sysret_t sys_rt_sigsuspend(const struct sysargs *a)
{
	u64 set;
	int r = sigset_from_user(&set, arg_ptr(a, 0), arg_u64(a, 1));

	if (r < 0)
		return r;
	signal_set_temporary_mask(set);
	while (task_sleep(TASK_INTERRUPTIBLE, DEADLINE_NONE) != -EINTR)
		;
	return -ERESTARTNOHAND;
}

sysret_t sys_pause(const struct sysargs *a)
{
	(void)a;
	while (task_sleep(TASK_INTERRUPTIBLE, DEADLINE_NONE) != -EINTR)
		;
	return -ERESTARTNOHAND;
}

sysret_t sys_sigaltstack(const struct sysargs *a)
{
	uptr_t set = arg_ptr(a, 0), oset = arg_ptr(a, 1);
	struct linux_stack new, old;
	s64 r;

	if (set && copy_from_user(&new, set, sizeof(new)) < 0)
		return -EFAULT;
	r = altstack_change(current, set ? &new : NULL, &old, current->regs.rsp);
	if (r == 0 && oset && copy_to_user(oset, &old, sizeof(old)) < 0)
		return -EFAULT;
	return r;
}

sysret_t sys_rt_sigreturn(const struct sysargs *a)
{
	struct task *t = current;

	(void)a;
	if (sigframe_restore(t) < 0) {
		t->regs.orig_rax = ~0ull;
		signal_force(SIGSEGV);
		return 0;
	}
	return (s64)t->regs.rax;
}

/* ---- sending ---- */

static int send_process(struct process *p, int sig, const struct linux_siginfo *info)
{
	int r = signal_may_send(p, sig);

	if (r < 0 || !sig)
		return r;
	return p->zombie ? 0 : signal_send_process(p, sig, info);
}

/* kill(-pgrp): success if one was permitted. */
static sysret_t kill_pgrp(int pgrp, int sig, const struct linux_siginfo *info)
{
	struct process_group *g = pgrp_find(pgrp);
	struct process *p;
	int r = -ESRCH;

	if (!g)
		return -ESRCH;
	list_for_each_entry(p, &g->members, pgrp_node) {
		int one = send_process(p, sig, info);

		if (r != 0)
			r = one;
	}
	return r;
}

/* kill(-1): all but the reaper and oneself. */
static sysret_t kill_all(int sig, const struct linux_siginfo *info)
{
	struct process *p;
	int r = -ESRCH;

	list_for_each_entry(p, &processes, all_node) {
		int one;

		if (p == init_process || p == current->proc)
			continue;
		one = send_process(p, sig, info);
		if (r != 0)
			r = one;
	}
	return r;
}

sysret_t sys_kill(const struct sysargs *a)
{
	int pid = arg_int(a, 0), sig = arg_int(a, 1);
	struct linux_siginfo info;
	struct process *p;

	if (sig && !signal_number_ok(sig))
		return -EINVAL;
	siginfo_user(&info, sig, SI_USER);
	if (pid == 0)
		return kill_pgrp(process_pgid(current->proc), sig, &info);
	if (pid == -1)
		return kill_all(sig, &info);
	if (pid == INT32_MIN)
		return -ESRCH;
	if (pid < 0)
		return kill_pgrp(-pid, sig, &info);
	p = process_find(pid);
	if (!p) {
		/* A thread id names its process. */
		struct task *t = task_find(pid);

		p = t ? t->proc : NULL;
	}
	return p ? send_process(p, sig, &info) : -ESRCH;
}

static sysret_t send_thread(int tgid, int tid, int sig, const struct linux_siginfo *info)
{
	struct task *t = task_find(tid);
	int r;

	if (!t || (tgid > 0 && t->proc->pid != tgid))
		return -ESRCH;
	r = signal_may_send(t->proc, sig);
	return r < 0 || !sig ? r : signal_send_task(t, sig, info);
}

sysret_t sys_tgkill(const struct sysargs *a)
{
	int tgid = arg_int(a, 0), tid = arg_int(a, 1), sig = arg_int(a, 2);
	struct linux_siginfo info;

	if (tgid <= 0 || tid <= 0 || (sig && !signal_number_ok(sig)))
		return -EINVAL;
	siginfo_user(&info, sig, SI_TKILL);
	return send_thread(tgid, tid, sig, &info);
}

sysret_t sys_tkill(const struct sysargs *a)
{
	int tid = arg_int(a, 0), sig = arg_int(a, 1);
	struct linux_siginfo info;

	if (tid <= 0 || (sig && !signal_number_ok(sig)))
		return -EINVAL;
	siginfo_user(&info, sig, SI_TKILL);
	return send_thread(0, tid, sig, &info);
}

/* Only the kernel's codes are out of reach, and kill(2)'s and tkill(2)'s for others: rt_sigqueueinfo(2). */
static int siginfo_from_user(struct linux_siginfo *ret, uptr_t addr, int sig, int target)
{
	if (copy_from_user(ret, addr, sizeof(*ret)) < 0)
		return -EFAULT;
	ret->si_signo = sig;
	if ((ret->si_code >= 0 || ret->si_code == SI_TKILL) && target != current->proc->pid)
		return -EPERM;
	return 0;
}

sysret_t sys_rt_sigqueueinfo(const struct sysargs *a)
{
	int pid = arg_int(a, 0), sig = arg_int(a, 1), r;
	struct linux_siginfo info;
	struct process *p;

	r = siginfo_from_user(&info, arg_ptr(a, 2), sig, pid);
	if (r < 0)
		return r;
	if (sig && !signal_number_ok(sig))
		return -EINVAL;
	p = process_find(pid);
	return p ? send_process(p, sig, &info) : -ESRCH;
}

sysret_t sys_rt_tgsigqueueinfo(const struct sysargs *a)
{
	int tgid = arg_int(a, 0), tid = arg_int(a, 1), sig = arg_int(a, 2), r;
	struct linux_siginfo info;

	if (tgid <= 0 || tid <= 0)
		return -EINVAL;
	r = siginfo_from_user(&info, arg_ptr(a, 3), sig, tgid);
	if (r < 0)
		return r;
	if (sig && !signal_number_ok(sig))
		return -EINVAL;
	return send_thread(tgid, tid, sig, &info);
}
