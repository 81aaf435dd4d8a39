/* SPDX-License-Identifier: Apache-2.0 */
/* What pending signals do to the current thread on its way to user mode. */
#include "abi/linux/errno.h"
#include "abi/linux/syscall_nr.h"
#include "abi/linux/wait.h"
#include "kernel/core/cpu.h"
#include "kernel/core/host.h"
#include "kernel/core/sched.h"
#include "kernel/proc/pgrp.h"
#include "kernel/proc/proc.h"
#include "kernel/proc/rseq.h"
#include "kernel/proc/signal.h"

#define SYSCALL_INSN_BYTES 2 /* SYSCALL: 0f 05 */

static void stop_current(struct process *p)
{
	while (p->stopped && !task_must_die(current)) {
		current->state = TASK_STOPPED;
		schedule();
	}
	current->state = TASK_RUNNING;
}

/* The whole process stops; the parent is told at once, though other threads may need a moment to get here. */
static void process_stop(struct process *p, int sig)
{
	p->stopped = true;
	p->continued = p->stop_reported = false;
	p->stop_signal = sig;
	process_kick_all(p);
	signal_notify_parent(p, CLD_STOPPED, sig);
	/* The program's own parent is outside: it sees the monitor stop. */
	if (p->pid == PID_PROGRAM && p->parent == init_process && sig != SIGSTOP)
		hc(HC_STOP);
}

/* Rewinds to the system call instruction with the number in RAX. */
static void restart_call(struct task *t, u64 nr)
{
	t->regs.rax = nr;
	t->regs.rip -= SYSCALL_INSN_BYTES;
	t->regs.orig_rax = ~0ull;
}

/* A handler is about to run: does the interrupted call fail with EINTR or start again after it? */
static void restart_before_handler(struct task *t, const struct linux_sigaction *sa)
{
	if ((s32)t->regs.orig_rax < 0)
		return;
	switch ((s64)t->regs.rax) {
	case -ERESTART_RESTARTBLOCK:
	case -ERESTARTNOHAND:
		t->regs.rax = (u64)-EINTR;
		break;
	case -ERESTARTSYS:
		if (!(sa->sa_flags & SA_RESTART)) {
			t->regs.rax = (u64)-EINTR;
			break;
		}
		restart_call(t, t->regs.orig_rax);
		break;
	case -ERESTARTNOINTR:
		restart_call(t, t->regs.orig_rax);
		break;
	default:
		break;
	}
	t->regs.orig_rax = ~0ull;
}

static void restart_without_handler(struct task *t)
{
	if ((s32)t->regs.orig_rax < 0)
		return;
	switch ((s64)t->regs.rax) {
	case -ERESTARTNOHAND:
	case -ERESTARTSYS:
	case -ERESTARTNOINTR:
		restart_call(t, t->regs.orig_rax);
		break;
	case -ERESTART_RESTARTBLOCK:
		restart_call(t, NR_restart_syscall);
		break;
	default:
		break;
	}
}

static void run_handler(struct task *t, int sig, struct linux_sigaction *action,
			const struct linux_siginfo *info)
{
	struct linux_sigaction sa = *action;
	u64 saved = t->restore_blocked ? t->saved_blocked : t->blocked;

	restart_before_handler(t, &sa);
	rseq_signal(t, sig);
	if (sa.sa_flags & SA_RESETHAND)
		action->sa_handler = SIG_DFL;
	t->restore_blocked = false;
	if (sigframe_setup(t, sig, &sa, info, saved) < 0) {
		/* No room for a frame: SIGSEGV, and its handler must not be tried in vain for ever. */
		if (sig == SIGSEGV)
			t->sighand->action[SIGSEGV - 1].sa_handler = SIG_DFL;
		signal_force(SIGSEGV);
		return;
	}
	signal_set_blocked(t, t->blocked | sa.sa_mask |
				      (sa.sa_flags & SA_NODEFER ? 0 : SIGSET_BIT(sig)));
}

static void act_default(struct process *p, int sig)
{
	u64 bit = SIGSET_BIT(sig);

	if ((bit & SIGSET_IGNORED_BY_DEFAULT) || p == init_process)
		return;
	if (bit & SIGSET_STOP) {
		if (sig == SIGSTOP || !pgrp_is_orphaned(p->pgrp))
			process_stop(p, sig);
		return;
	}
	process_exit_group(WSTATUS_SIGNALED(sig));
}

static void act(struct task *t, int sig, const struct linux_siginfo *info)
{
	struct linux_sigaction *a = &t->sighand->action[sig - 1];

	if (a->sa_handler == SIG_IGN)
		return;
	if (a->sa_handler == SIG_DFL)
		act_default(t->proc, sig);
	else
		run_handler(t, sig, a, info);
}

void signal_deliver(struct task *t)
{
	struct process *p = t->proc;
	struct linux_siginfo info;
	int sig;

	for (;;) {
		if (task_must_die(t))
			task_exit(p->group_exiting ? p->exit_code : WSTATUS_SIGNALED(SIGKILL));
		if (p->stopped) {
			stop_current(p);
			continue;
		}
		sig = signal_dequeue(t, ~t->blocked, &info);
		if (!sig)
			break;
		act(t, sig, &info);
	}
	restart_without_handler(t);
	if (t->restore_blocked) {
		t->restore_blocked = false;
		signal_set_blocked(t, t->saved_blocked);
	}
	signal_recalc(t);
}
