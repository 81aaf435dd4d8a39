/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/PID/stat, statm, status: proc(5). */
#include "abi/linux/errno.h"
#include "abi/linux/signal.h"
#include "base/string.h"
#include "kernel/core/cpu.h"
#include "kernel/core/time.h"
#include "kernel/fs/procfs.h"
#include "kernel/fs/tty.h"
#include "kernel/mm/mm.h"
#include "kernel/proc/pgrp.h"
#include "kernel/proc/proc.h"

#define NS_PER_TICK (1000000000ul / USER_HZ)
#define KIB(pages)  ((pages) << (PAGE_SHIFT - 10))

static char task_state_char(const struct task *t)
{
	if (t == current)
		return 'R';
	if (t->proc->zombie && t == t->proc->leader)
		return 'Z';
	if (t->proc->stopped)
		return 'T';
	switch (t->state) {
	case TASK_RUNNING:
		return 'R';
	case TASK_INTERRUPTIBLE:
		return 'S';
	case TASK_STOPPED:
		return 'T';
	case TASK_ZOMBIE:
		return 'Z';
	case TASK_DEAD:
		return 'X';
	default:
		return 'D';
	}
}

static int task_ppid(const struct task *t)
{
	return t->proc->parent ? t->proc->parent->pid : 0;
}

struct signal_sets {
	u64 pending, shared, blocked, ignored, caught;
};

static void task_signal_sets(const struct task *t, struct signal_sets *s)
{
	*s = (struct signal_sets){ .pending = t->pending.set,
				   .shared = t->proc->pending.set,
				   .blocked = t->blocked };
	for (int sig = 1; t->sighand && sig <= _NSIG; sig++) {
		u64 handler = t->sighand->action[sig - 1].sa_handler;

		if (handler == SIG_IGN)
			s->ignored |= SIGSET_BIT(sig);
		else if (handler != SIG_DFL)
			s->caught |= SIGSET_BIT(sig);
	}
}

/* Pages of the address space by kind. */
struct mm_sizes {
	u64 total, rss, text, data, stack, lib, shared, locked;
};

static void mm_sizes(struct mm *mm, struct mm_sizes *s)
{
	*s = (struct mm_sizes){ 0 };
	if (!mm)
		return;
	s->total = mm->total_pages;
	s->rss = mm->rss;
	s->locked = mm->locked_pages;
	for (struct vma *v = mm_first_vma(mm); v; v = vma_next(v)) {
		u64 pages = (v->end - v->start) >> PAGE_SHIFT;

		if (v->flags & VMA_F_STACK)
			s->stack += pages;
		else if ((v->flags & (VMA_F_WRITE | VMA_F_SHARED)) == VMA_F_WRITE)
			s->data += pages;
		if (v->file && (v->flags & VMA_F_EXEC)) {
			if (mm->exe && v->file->inode == mm->exe->inode)
				s->text += pages;
			else
				s->lib += pages;
		}
		if (v->flags & VMA_F_SHARED)
			s->shared += pages;
	}
}

/* tty_nr and tpgid. */
static void stat_tty(const struct task *t, int *ret_tty, int *ret_pgrp)
{
	bool mine = tty_session() && t->proc->sid == tty_session();

	*ret_tty = mine ? (int)tty_rdev() : 0;
	*ret_pgrp = mine ? tty_foreground_pgrp() : -1;
}

int proc_show_stat(struct proc_node *n, struct text *out)
{
	struct task *t = proc_task(n);
	struct process *p = t->proc;
	bool see = proc_may_access(t);
	u64 utime = t->utime_ns, stime = t->stime_ns;
	struct mm *mm = t->mm;
	struct signal_sets sig;
	int tty, tpgid;

	if (!n->thread)
		process_times(p, &utime, &stime);
	stat_tty(t, &tty, &tpgid);
	task_signal_sets(t, &sig);
	text_printf(out, "%d (%s) %c %d %d %d %d %d %u ", t->tid, t->comm, task_state_char(t),
		    task_ppid(t), process_pgid(p), p->sid, tty, tpgid, 0x400000u);
	text_printf(out, "%lu %lu %lu %lu %lu %lu %lu %lu ", p->minflt, p->child_minflt, p->majflt,
		    p->child_majflt, utime / NS_PER_TICK, stime / NS_PER_TICK,
		    p->child_utime_ns / NS_PER_TICK, p->child_stime_ns / NS_PER_TICK);
	text_printf(out, "%d %d %u 0 %lu %lu %lu %lu ", 20 + t->nice, t->nice, p->nr_threads,
		    p->start_ns / NS_PER_TICK, mm ? mm->total_pages << PAGE_SHIFT : 0,
		    mm ? mm->rss : 0, (u64)p->rlimit[RLIMIT_RSS].rlim_cur);
	/* startcode endcode startstack kstkesp kstkeip */
	text_printf(out, "1 1 %lu 0 0 ", see && mm ? mm->stack_top : 0);
	text_printf(out, "%lu %lu %lu %lu 0 0 0 ", sig.pending & 0x7fffffff,
		    sig.blocked & 0x7fffffff, sig.ignored & 0x7fffffff, sig.caught & 0x7fffffff);
	/* exit_signal processor rt_priority policy blkio_ticks guest cguest start_data end_data start_brk */
	text_printf(out, "%d %u %d %u 0 0 0 0 0 %lu ", t == p->leader ? SIGCHLD : -1, t->cpu,
		    t->sched_priority, t->sched_policy, see && mm ? mm->brk_start : 0);
	if (see && mm)
		text_printf(out, "%lu %lu %lu %lu ", mm->arg_start, mm->arg_end, mm->env_start,
			    mm->env_end);
	else
		text_puts(out, "0 0 0 0 ");
	text_printf(out, "%d\n", see && p->zombie ? p->exit_code : 0);
	return 0;
}

int proc_show_statm(struct proc_node *n, struct text *out)
{
	struct mm_sizes s;

	mm_sizes(proc_task(n)->mm, &s);
	text_printf(out, "%lu %lu %lu %lu 0 %lu 0\n", s.total, s.rss, MIN(s.shared, s.rss), s.text,
		    s.data + s.stack);
	return 0;
}

/* ---- status ---- */

static const char *state_name(char c)
{
	switch (c) {
	case 'R':
		return "R (running)";
	case 'S':
		return "S (sleeping)";
	case 'T':
		return "T (stopped)";
	case 'Z':
		return "Z (zombie)";
	case 'X':
		return "X (dead)";
	default:
		return "D (disk sleep)";
	}
}

static void status_ids(struct text *out, const struct task *t)
{
	const struct process *p = t->proc;
	const struct cred *c = t->cred;

	text_printf(out, "State:\t%s\nTgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t0\n",
		    state_name(task_state_char(t)), p->pid, t->tid, task_ppid(t));
	text_printf(out, "Uid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\n", c->uid, c->euid, c->suid,
		    c->fsuid, c->gid, c->egid, c->sgid, c->fsgid);
	text_printf(out, "FDSize:\t%u\nGroups:\t", t->files ? t->files->size : 0);
	for (u32 i = 0; i < c->ngroups; i++)
		text_printf(out, "%u ", c->groups[i]);
	if (!c->ngroups)
		text_putc(out, ' ');
	text_printf(out, "\nNStgid:\t%d\nNSpid:\t%d\nNSpgid:\t%d\nNSsid:\t%d\n", p->pid, t->tid,
		    process_pgid(p), p->sid);
}

static void status_memory(struct text *out, struct mm *mm)
{
	struct mm_sizes s;

	mm_sizes(mm, &s);
	text_printf(out, "VmPeak:\t%8lu kB\nVmSize:\t%8lu kB\nVmLck:\t%8lu kB\nVmPin:\t%8u kB\n",
		    KIB(s.total), KIB(s.total), KIB(s.locked), 0);
	text_printf(
		out,
		"VmHWM:\t%8lu kB\nVmRSS:\t%8lu kB\nRssAnon:\t%8lu kB\nRssFile:\t%8u kB\nRssShmem:\t%8u kB\n",
		KIB(s.rss), KIB(s.rss), KIB(s.rss), 0, 0);
	text_printf(out, "VmData:\t%8lu kB\nVmStk:\t%8lu kB\nVmExe:\t%8lu kB\nVmLib:\t%8lu kB\n",
		    KIB(s.data), KIB(s.stack), KIB(s.text), KIB(s.lib));
	text_printf(
		out,
		"VmPTE:\t%8lu kB\nVmSwap:\t%8u kB\nHugetlbPages:\t%8u kB\nCoreDumping:\t0\nTHP_enabled:\t1\n",
		KIB(s.rss / 512 + 4), 0, 0);
}

static void status_signals(struct text *out, const struct task *t)
{
	const struct process *p = t->proc;
	struct signal_sets s;

	task_signal_sets(t, &s);
	text_printf(out, "Threads:\t%u\nSigQ:\t%u/%lu\n", p->nr_threads,
		    t->cred->user ? t->cred->user->sigqueues : 0,
		    (u64)p->rlimit[RLIMIT_SIGPENDING].rlim_cur);
	text_printf(
		out,
		"SigPnd:\t%016lx\nShdPnd:\t%016lx\nSigBlk:\t%016lx\nSigIgn:\t%016lx\nSigCgt:\t%016lx\n",
		s.pending, s.shared, s.blocked, s.ignored, s.caught);
}

static void status_rest(struct text *out, const struct task *t)
{
	const struct cred *c = t->cred;
	u64 cpus_mask = nr_cpus >= 64 ? ~0ul : (1ul << nr_cpus) - 1,
	    mask = t->cpu_mask & cpus_mask ? t->cpu_mask & cpus_mask : cpus_mask;
	bool first = true;

	text_printf(
		out,
		"CapInh:\t%016lx\nCapPrm:\t%016lx\nCapEff:\t%016lx\nCapBnd:\t%016lx\nCapAmb:\t%016lx\n",
		c->cap_inheritable, c->cap_permitted, c->cap_effective, c->cap_bounding,
		c->cap_ambient);
	text_printf(out, "NoNewPrivs:\t%d\nSeccomp:\t0\nSeccomp_filters:\t0\n", t->no_new_privs);
	text_puts(
		out,
		"Speculation_Store_Bypass:\tnot vulnerable\nSpeculationIndirectBranch:\tnot affected\n");
	text_printf(out, "Cpus_allowed:\t%lx\nCpus_allowed_list:\t", mask);
	for (unsigned i = 0; i < nr_cpus && i < 64; i++) {
		unsigned last = i;

		if (!(mask >> i & 1))
			continue;
		while (last + 1 < nr_cpus && last < 63 && (mask >> (last + 1) & 1))
			last++;
		text_printf(out, last > i ? "%s%u-%u" : "%s%u", first ? "" : ",", i, last);
		first = false;
		i = last;
	}
	text_puts(out, "\nMems_allowed:\t1\nMems_allowed_list:\t0\n");
	text_printf(out, "voluntary_ctxt_switches:\t%lu\nnonvoluntary_ctxt_switches:\t%lu\n",
		    t->nvcsw, t->nivcsw);
}

int proc_show_status(struct proc_node *n, struct text *out)
{
	struct task *t = proc_task(n);

	text_puts(out, "Name:\t");
	text_puts_mangled(out, t->comm, "");
	text_printf(out, "\nUmask:\t%04o\n", t->fs ? t->fs->umask : 0);
	status_ids(out, t);
	if (t->mm)
		status_memory(out, t->mm);
	status_signals(out, t);
	status_rest(out, t);
	return 0;
}
