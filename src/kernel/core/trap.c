/* SPDX-License-Identifier: Apache-2.0 */
/* The main loop of every task: user code, what stopped it, and what is due before it goes on. */
#include "abi/linux/errno.h"
#include "abi/linux/signal.h"
#include "kernel/core/cpu.h"
#include "kernel/core/host.h"
#include "kernel/core/internal.h"
#include "kernel/core/sched.h"
#include "kernel/mm/mm.h"
#include "kernel/platform/kplat.h"
#include "kernel/proc/oom.h"
#include "kernel/proc/rseq.h"
#include "kernel/proc/task.h"
#include "kernel/sys/syscall.h"

#define VECTOR_PF 14u
#define VECTOR_AC 17u

static __hot void handle_page_fault(struct task *t, const struct rf_trap *trap)
{
	int r = mm_fault(t->mm, trap->address, trap->access);

	switch (r) {
	case 0:
		t->proc->minflt++;
		return;
	case -EACCES:
		signal_force_fault(SIGSEGV, SEGV_ACCERR, trap->address, VECTOR_PF,
				   trap->error_code);
		return;
	case -EIO:
		signal_force_fault(SIGBUS, BUS_ADRERR, trap->address, VECTOR_PF, trap->error_code);
		return;
	case -ENOMEM:
		oom_kill();
		return;
	case -EINTR: /* a fatal signal came while the page was read in */
		return;
	default:
		signal_force_fault(SIGSEGV, SEGV_MAPERR, trap->address, VECTOR_PF,
				   trap->error_code);
	}
}

static void handle_fault(struct task *t, const struct rf_trap *trap)
{
	this_cpu()->shared->faults++;
	if (trap->vector == VECTOR_PF && trap->code != SEGV_PKUERR) {
		handle_page_fault(t, trap);
		return;
	}
	/* Linux gives no address with these. */
	signal_force_fault(trap->signo, trap->code,
			   trap->code == SI_KERNEL || trap->vector == VECTOR_AC ? 0 : trap->address,
			   trap->vector, trap->error_code);
}

static void handle_trap(struct task *t, const struct rf_trap *trap)
{
	switch (trap->kind) {
	case RF_TRAP_FAULT:
		handle_fault(t, trap);
		return;
	case RF_TRAP_INTERRUPT:
	case RF_TRAP_PREEMPT:
		cpu_events_run();
		sched_tick();
		return;
	case RF_TRAP_ERROR:
		klog(0, "task %d: the platform failed: error %d at rip %lx", t->tid, trap->code,
		     t->regs.rip);
		signal_force(SIGKILL);
		return;
	default:
		return;
	}
}

/*
 * All that must be done before user code runs. Signals after rescheduling, which may bring new ones; restartable sequences last, since
 * each of the others may take the task to another CPU. From the last look on nothing does: kernel code is not preempted.
 */
static void prepare_user(struct task *t)
{
	struct cpu *c = this_cpu();

	while (unlikely(c->need_resched || t->sigpending_flag || t->rseq_due)) {
		sched_check_preempt();
		if (t->sigpending_flag)
			signal_deliver(t);
		if (t->rseq_due)
			rseq_resume(t);
		c = this_cpu();
	}
	if (unlikely(c->nr_running))
		sched_spread(c);
	c->shared->deadline_ns = sched_user_deadline(c);
}

__hot void user_loop(struct task *t)
{
	struct rf_trap trap;

	for (;;) {
		prepare_user(t);
		kernel_unlock();
		kplat->run_user(t, &trap);
		kernel_lock();
		if (likely(trap.kind == RF_TRAP_SYSCALL))
			syscall_dispatch(t);
		else
			handle_trap(t, &trap);
	}
}
