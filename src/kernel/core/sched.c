/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scheduler. A woken task queues on the waker's CPU: if the waker goes to sleep soon, as in a pipe's ping-pong, it runs there next
 * without an exit. If the waker stays, the task is offered to an idle CPU (sched_spread) at the second way out to user mode or the
 * next tick; an idle CPU takes it from the queue itself.
 */
#include "kernel/core/sched.h"

#include "abi/linux/errno.h"
#include "base/bug.h"
#include "base/format.h"
#include "kernel/arch/arch.h"
#include "kernel/core/host.h"
#include "kernel/core/internal.h"
#include "kernel/platform/kplat.h"
#include "kernel/proc/rseq.h"
#include "kernel/proc/signal.h"
#include "kernel/proc/task.h"

/* With an idle CPU at hand a waiting task need not wait for the end of the slice. */
#define SPREAD_NS    1000000ull
/* After so long with woken tasks only, one that used up its slice has its turn. */
#define STARVE_NS    SCHED_SLICE_NS
/* Ways out to user mode before a single waiting task is offered to an idle CPU. */
#define SPREAD_EXITS 2u

static struct task idle_tasks[RF_MAX_CPUS];
static u64 idle_mask; /* CPUs in HC_IDLE that nobody has kicked yet */

void sched_init(void)
{
	idle_mask = 0;
}

void sched_cpu_init(struct cpu *c)
{
	struct task *t = &idle_tasks[c->id];

	t->cpu = (u32)c->id;
	t->on_cpu = true;
	t->refs = 1;
	t->cpu_mask = 1ull << c->id;
	list_init(&t->run_node);
	fmt_snprintf(t->comm, sizeof(t->comm), "idle/%lu", c->id);
	c->idle = t;
	c->curr = t;
	c->online = true;
}

static bool is_idle_task(const struct task *t)
{
	return t >= idle_tasks && t < idle_tasks + RF_MAX_CPUS;
}

/* ---- queues ---- */

/*
 * Makes another CPU look at its work before it next runs user code. A CPU in kernel code needs no call: it sets in_user before it reads
 * `kick` for the last time, and we do it the other way round.
 */
static void cpu_kick(struct cpu *c)
{
	idle_mask &= ~(1ull << c->id);
	__atomic_exchange_n(&c->shared->kick, 1, __ATOMIC_SEQ_CST);
	if (c->idling || __atomic_load_n(&c->shared->in_user, __ATOMIC_SEQ_CST))
		hc(HC_KICK, c->id);
}

/* A task that was woken goes before those that used up a slice. */
static struct list *queue_place(struct cpu *c, bool woken)
{
	struct task *t;

	if (woken)
		list_for_each_entry(t, &c->runqueue, run_node)
			if (!t->queued_woken)
				return &t->run_node;
	return &c->runqueue;
}

static __hot void enqueue(struct cpu *c, struct task *t, bool woken)
{
	BUG_ON(t->on_runqueue || t->on_cpu);
	t->on_runqueue = true;
	t->cpu = (u32)c->id;
	list_add_tail(&t->run_node, queue_place(c, woken));
	t->queued_woken = woken;
	c->nr_running++;
}

/* Is a woken task first in the queue? Then the current one need not have its whole slice. */
static bool woken_waits(const struct cpu *c)
{
	return c->nr_running && list_first_entry(&c->runqueue, struct task, run_node)->queued_woken;
}

static void dequeue(struct cpu *c, struct task *t)
{
	t->on_runqueue = false;
	list_del(&t->run_node);
	c->nr_running--;
}

static bool may_run_on(const struct task *t, const struct cpu *c)
{
	return t->cpu_mask >> c->id & 1;
}

/* For CPU c, which may idle, or run user code without a deadline. */
static void enqueue_remote(struct cpu *c, struct task *t, bool woken)
{
	enqueue(c, t, woken);
	if (c != this_cpu())
		cpu_kick(c);
}

/* Any CPU online that t may run on, the idle ones first; the current CPU when its mask names none. */
static struct cpu *cpu_for(const struct task *t)
{
	struct cpu *found = NULL;

	for (unsigned i = 0; i < nr_cpus; i++) {
		if (!cpus[i].online || !may_run_on(t, &cpus[i]))
			continue;
		if (idle_mask >> i & 1)
			return &cpus[i];
		if (!found)
			found = &cpus[i];
	}
	return found ? found : this_cpu();
}

static __hot void make_runnable_as(struct task *t, bool woken)
{
	struct cpu *c = this_cpu();

	t->state = TASK_RUNNING;
	if (t->on_runqueue || t->on_cpu)
		return;
	if (likely(may_run_on(t, c))) {
		enqueue(c, t, woken);
		if (c->nr_running == 1)
			c->spread = SPREAD_EXITS;
		return;
	}
	enqueue_remote(cpu_for(t), t, woken);
}

static __hot void make_runnable(struct task *t)
{
	make_runnable_as(t, true);
}

/*
 * A runnable task that will end as soon as it runs has little to do and much to give back, and somebody waits for its end: it goes to the
 * front of our queue (ours, since we may be the one to wait), before whatever spins there.
 */
static void hurry_to_end(struct task *t)
{
	struct cpu *c = this_cpu();

	if (!t->on_runqueue || !signal_fatal_pending(t))
		return;
	if (!may_run_on(t, c))
		c = &cpus[t->cpu];
	dequeue(&cpus[t->cpu], t);
	enqueue(c, t, true);
	list_move(&t->run_node, &c->runqueue);
}

void sched_spread(struct cpu *c)
{
	if (!idle_mask)
		return;
	if (c->nr_running < 2 && c->spread && --c->spread)
		return;
	cpu_kick(&cpus[__builtin_ctzll(idle_mask)]);
	c->spread = SPREAD_EXITS;
}

static struct task *steal(struct cpu *me)
{
	struct task *t;

	for (unsigned i = 1; i < nr_cpus; i++) {
		struct cpu *c = &cpus[(me->id + i) % nr_cpus];

		if (!c->nr_running)
			continue;
		list_for_each_entry(t, &c->runqueue, run_node) {
			if (!may_run_on(t, me))
				continue;
			dequeue(c, t);
			t->cpu = (u32)me->id;
			return t;
		}
	}
	return NULL;
}

/*
 * The first that used up its slice, if woken ones have gone before it for too long; else NULL. After its turn the woken ones are first again,
 * however long that took: neither keeps the other waiting for ever.
 */
static struct task *starving(struct cpu *c, u64 now)
{
	struct task *t = list_last_entry(&c->runqueue, struct task, run_node);

	if (t->queued_woken || !c->woken_since_ns) /* none such waits, or it begins to */
		c->woken_since_ns = now;
	if (now < c->woken_since_ns + STARVE_NS)
		return NULL;
	list_for_each_entry(t, &c->runqueue, run_node)
		if (!t->queued_woken)
			return t;
	return NULL;
}

static __hot struct task *pick_next(struct cpu *c, u64 now)
{
	struct task *t = list_first_entry_or_null(&c->runqueue, struct task, run_node), *s;

	if (!t)
		return nr_cpus > 1 ? steal(c) : NULL;
	if (t->queued_woken && c->nr_running > 1) {
		s = starving(c, now);
		t = s ? s : t;
	}
	if (!t->queued_woken)
		c->woken_since_ns = 0;
	dequeue(c, t);
	return t;
}

/*
 * ---- CPU time ----
 * The sum is exact; the split is an estimate, because reading the clock twice in every system call would cost more than many of them:
 * each call and fault since the last look counts as SYSTEM_NS, the rest is the user's.
 */
#define SYSTEM_NS ((u64)1000)

static __hot void account(struct cpu *c, struct task *t, u64 now)
{
	u64 events = c->shared->syscalls + c->shared->faults;
	u64 delta = now > t->run_start_ns ? now - t->run_start_ns : 0;
	u64 system = MIN(delta, (events - c->accounted_events) * SYSTEM_NS);

	t->stime_ns += system;
	t->utime_ns += delta - system;
	t->run_start_ns = now;
	c->accounted_events = events;
}

void sched_account_current(void)
{
	struct cpu *c = this_cpu();

	account(c, c->curr, ktime_mono());
}

u64 task_cpu_time_ns(const struct task *t)
{
	u64 sum = t->utime_ns + t->stime_ns;

	if (t->on_cpu && t->run_start_ns) {
		u64 now = ktime_mono();

		sum += now > t->run_start_ns ? now - t->run_start_ns : 0;
	}
	return sum;
}

/* ---- switching ---- */

/* On the incoming task's stack. */
static __hot void finish_switch(struct task *prev)
{
	struct task *t = current;

	kplat->task_switched(prev, t);
	if (prev->state != TASK_DEAD && prev->state != TASK_ZOMBIE)
		return;
	/* It is off its stack for ever. struct task itself goes with its last reference. */
	kplat->task_done(prev);
	kstack_free(prev->kstack);
	prev->kstack = NULL;
}

static __hot void switch_to(struct cpu *c, struct task *prev, struct task *next, u64 now)
{
	if (!is_idle_task(prev))
		kstack_check(prev);
	rseq_note(prev);
	prev->on_cpu = false;
	next->on_cpu = true;
	next->cpu = (u32)c->id;
	next->run_start_ns = now;
	c->accounted_events = c->shared->syscalls + c->shared->faults;
	c->curr = next;
	c->slice_start_ns = now;
	c->slice_end_ns = now + SCHED_SLICE_NS;
	c->shared->switches++;
	/* `prev` in our frame is who we were; who was current before we came back is handed through the CPU. */
	c->switch_prev = prev;
	context_switch(&prev->kernel_rsp, next->kernel_rsp);
	finish_switch(this_cpu()->switch_prev);
}

__hot void schedule(void)
{
	struct cpu *c = this_cpu();
	struct task *prev = c->curr, *next;
	u64 now = ktime_mono();
	bool runnable = prev->state == TASK_RUNNING;

	BUG_ON(!kernel_lock_held());
	c->need_resched = false;
	next = pick_next(c, now);
	if (!next)
		next = runnable && may_run_on(prev, c) ? prev : c->idle;
	if (next == prev) {
		c->slice_start_ns = now;
		c->slice_end_ns = now + SCHED_SLICE_NS;
		return;
	}
	if (!is_idle_task(prev)) {
		account(c, prev, now);
		if (runnable) {
			prev->nivcsw++;
			prev->on_cpu = false;
			enqueue_remote(may_run_on(prev, c) ? c : cpu_for(prev), prev, false);
		} else {
			prev->nvcsw++;
		}
	}
	switch_to(c, prev, next, now);
}

void task_entry(void (*fn)(struct task *), struct task *t)
{
	finish_switch(this_cpu()->switch_prev);
	if (fn)
		fn(t);
	user_loop(t);
}

void sched_start_fn(struct task *t, void (*fn)(struct task *))
{
	if (!t->cpu_mask)
		t->cpu_mask = ~0ull;
	task_stack_init(t, fn);
	/* Not before those that slept: who forks without end would keep them waiting for ever. */
	make_runnable_as(t, false);
}

void sched_start(struct task *t)
{
	sched_start_fn(t, NULL);
}

void sched_exit(void)
{
	struct task *t = current;

	if (t->state != TASK_ZOMBIE)
		t->state = TASK_DEAD;
	schedule();
	panic("task %d ran after its end", t->tid);
}

void sched_yield_current(void)
{
	/* Yielding is a voluntary switch, but the task stays runnable. */
	if (this_cpu()->nr_running)
		schedule();
}

void sched_check_preempt(void)
{
	if (unlikely(this_cpu()->need_resched))
		schedule();
}

void sched_tick(void)
{
	struct cpu *c = this_cpu();
	u64 now = ktime_mono();

	account(c, c->curr, now);
	if (!may_run_on(c->curr, c))
		c->need_resched = true;
	if (!c->nr_running)
		return;
	if (now >= c->slice_end_ns) {
		c->need_resched = true;
	} else if (now >= c->slice_start_ns + SPREAD_NS) {
		c->spread = 0;
		c->need_resched |= woken_waits(c) && !idle_mask;
	}
}

u64 sched_slice_deadline(const struct cpu *c)
{
	u64 deadline = ktimer_next(), slice;

	slice = idle_mask || woken_waits(c) ? c->slice_start_ns + SPREAD_NS : c->slice_end_ns;
	return deadline && deadline < slice ? deadline : slice;
}

/* ---- idle ---- */

void sched_idle(void)
{
	for (;;) {
		struct cpu *c = this_cpu();

		cpu_events_run();
		/* Returns here when there is nothing else to run, at once if so already. */
		schedule();
		if (c->nr_running || READ_ONCE(c->shared->kick))
			continue;
		idle_mask |= 1ull << c->id;
		c->idling = true;
		hc(HC_IDLE, ktimer_next());
		c->idling = false;
		idle_mask &= ~(1ull << c->id);
	}
}

/* ---- sleeping and waking ---- */

static void sleep_timeout(struct ktimer *timer)
{
	struct task *t = container_of(timer, struct task, sleep_timer);

	t->sleep_timed_out = true;
	task_wake(t);
}

static bool sleep_interrupted(const struct task *t, enum task_state state)
{
	return (state == TASK_INTERRUPTIBLE && signal_pending(t)) ||
	       (state == TASK_KILLABLE && signal_fatal_pending(t));
}

__hot int task_sleep(enum task_state state, u64 deadline_ns)
{
	struct task *t = current;

	if (sleep_interrupted(t, state))
		return -EINTR;
	t->sleep_timed_out = false;
	if (deadline_ns != DEADLINE_NONE) {
		if (ktime_mono() >= deadline_ns)
			return -ETIMEDOUT;
		ktimer_init(&t->sleep_timer, sleep_timeout);
		ktimer_arm(&t->sleep_timer, deadline_ns);
	}
	t->state = state;
	schedule();
	t->state = TASK_RUNNING;
	if (deadline_ns != DEADLINE_NONE)
		ktimer_cancel(&t->sleep_timer);
	/*
	 * Woken: 0, also with a signal pending, so that the caller looks at its condition first; if it does not hold, the next
	 * task_sleep() says -EINTR at once.
	 */
	return t->sleep_timed_out ? -ETIMEDOUT : 0;
}

__hot void task_wake(struct task *t)
{
	if (t->state == TASK_INTERRUPTIBLE || t->state == TASK_UNINTERRUPTIBLE ||
	    t->state == TASK_KILLABLE)
		make_runnable(t);
}

void sched_kick(struct task *t)
{
	switch (t->state) {
	case TASK_INTERRUPTIBLE:
	case TASK_STOPPED:
		make_runnable(t);
		hurry_to_end(t);
		return;
	case TASK_KILLABLE:
		if (!signal_fatal_pending(t))
			return;
		make_runnable(t);
		hurry_to_end(t);
		return;
	case TASK_RUNNING:
		hurry_to_end(t);
		/* On this CPU it is us, and we look before we leave for user mode. */
		if (t->on_cpu && t->cpu != this_cpu()->id)
			cpu_kick(&cpus[t->cpu]);
		return;
	default:
		return;
	}
}

/*
 * ---- affinity ----
 * sched_setaffinity(2): "If the thread is not currently running on one of the CPUs in the mask, it is migrated". A program may rely on
 * that from the return of the call on.
 */

void sched_wait_left(struct cpu *c)
{
	while (__atomic_load_n(&c->shared->in_user, __ATOMIC_SEQ_CST) &&
	       __atomic_load_n(&c->shared->kick, __ATOMIC_SEQ_CST)) {
		kernel_unlock();
		hc(HC_YIELD);
		kernel_lock();
	}
}

static bool misplaced(const struct task *t)
{
	return !may_run_on(t, &cpus[t->cpu]);
}

void sched_set_affinity(struct task *t, u64 mask)
{
	t->cpu_mask = mask;
	if (t == current) {
		this_cpu()->need_resched |= misplaced(t);
		return;
	}
	if (t->on_runqueue && misplaced(t)) {
		dequeue(&cpus[t->cpu], t);
		enqueue_remote(cpu_for(t), t, t->queued_woken);
	}
	if (!t->on_cpu || !misplaced(t))
		return;
	/* In kernel code it may wait for us; its way to user mode leads through sched_tick(). */
	sched_kick(t);
	sched_wait_left(&cpus[t->cpu]);
}

void sched_count_load(unsigned *ret_running, unsigned *ret_total)
{
	unsigned running = 0;

	for (unsigned i = 0; i < nr_cpus; i++)
		running += cpus[i].nr_running + (cpus[i].online && cpus[i].curr != cpus[i].idle);
	*ret_running = running;
	*ret_total = nr_tasks;
}
