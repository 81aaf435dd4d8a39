/* SPDX-License-Identifier: Apache-2.0 */
/* Who ends when memory ends: the largest process, moved by /proc/PID/oom_score_adj (proc_pid_oom_score_adj(5)). */
#include "kernel/proc/oom.h"

#include "abi/linux/signal.h"
#include "kernel/core/cpu.h"
#include "kernel/core/host.h"
#include "kernel/core/sched.h"
#include "kernel/core/time.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/page.h"
#include "kernel/proc/proc.h"
#include "kernel/proc/task.h"

#define OOM_NEVER     (-1000) /* of oom_score_adj */
#define OOM_WAIT_NS   1000000000ull
/* Messages within a window. */
#define SAY_MAX       8u
#define SAY_WINDOW_NS 10000000000ull

/* Killed last, and until when its memory is worth waiting for. */
static int victim_pid;
static u64 victim_deadline_ns;
static bool killed_program;

bool oom_killed_program(void)
{
	return killed_program;
}

/* Frames, moved by the adjustment in thousandths of all there are; negative: not to be killed. */
static s64 process_score(const struct process *p, u64 total)
{
	const struct task *t = process_live_thread(p);

	if (p->zombie || p == init_process || !t || !t->mm || p->oom_score_adj == OOM_NEVER)
		return -1;
	return MAX((s64)0, (s64)t->mm->rss + p->oom_score_adj * (s64)total / 1000);
}

static struct process *choose_victim(void)
{
	struct process *p, *best = NULL;
	s64 best_score = -1;
	u64 total, free;

	page_stats(&total, &free);
	list_for_each_entry(p, &processes, all_node) {
		s64 score = process_score(p, total);

		if (score > best_score || (score == best_score && p == current->proc)) {
			best = p;
			best_score = score;
		}
	}
	return best_score < 0 ? NULL : best;
}

static bool victim_is_ending(void)
{
	const struct process *p = victim_pid ? process_find(victim_pid) : NULL;

	return p && !p->zombie && ktime_mono() < victim_deadline_ns;
}

/* A program that runs out of memory again and again does not fill the monitor's standard error. */
static bool may_say(void)
{
	static u64 since_ns;
	static unsigned said, unsaid;
	u64 now = ktime_mono();

	if (now - since_ns > SAY_WINDOW_NS) {
		if (unsaid)
			klog(1, "out of memory %u more times", unsaid);
		since_ns = now;
		said = unsaid = 0;
	}
	if (said == SAY_MAX) {
		unsaid++;
		return false;
	}
	said++;
	return true;
}

/* Says which process, what it had, and what was used up. */
static void kill_process(struct process *p)
{
	const struct task *t = process_live_thread(p);
	u64 total, free;

	page_stats(&total, &free);
	if (may_say())
		klog(1,
		     "out of memory: process %d (%s), which has %lu MiB, is killed; the limit is %lu MiB (--memory)",
		     p->pid, t ? t->comm : "?", (t && t->mm ? t->mm->rss : 0) >> (20 - PAGE_SHIFT),
		     total >> (20 - PAGE_SHIFT));
	if (p->pid == PID_PROGRAM)
		killed_program = true;
	if (p == current->proc)
		signal_force(SIGKILL);
	else
		signal_send_process(p, SIGKILL, NULL);
}

void oom_kill(void)
{
	struct process *p;

	if (!victim_is_ending()) {
		p = choose_victim();
		if (!p || p == current->proc || p->pid == victim_pid) {
			kill_process(current->proc);
			return;
		}
		victim_pid = p->pid;
		victim_deadline_ns = ktime_mono() + OOM_WAIT_NS;
		kill_process(p);
	}
	sched_yield_current();
}
