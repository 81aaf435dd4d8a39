/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POSIX timers: timer_create(2) and friends. A timer owns the one queue entry of its signal; expirations while that is pending
 * count as overruns (timer_getoverrun(2)).
 */
#include "abi/linux/errno.h"
#include "base/string.h"
#include "kernel/core/cpu.h"
#include "kernel/core/sched.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/proc.h"
#include "kernel/proc/signal.h"
#include "kernel/sys/syscall.h"
#include "kernel/time/timespec.h"

/* timer_getoverrun(2): the count saturates (DELAYTIMER_MAX). */
#define OVERRUN_MAX       0x7fffffffl
/* Timers on CPU-time clocks look at the clock this often. */
#define CPU_TIMER_POLL_NS 1000000ul

struct posix_timer {
	struct rb_node node; /* process->posix_timers, by id */
	struct process *proc;
	int id;
	s32 clock;
	struct linux_sigevent event;
	struct task *target; /* SIGEV_THREAD_ID: reference */
	struct ktimer timer;
	u64 interval, cpu_target; /* cpu_target: CPU-time clocks only */
	s64 overrun, overrun_last;
	struct sigqueue sig;
	struct user *user; /* charged for it: RLIMIT_SIGPENDING */
	bool queued;       /* sig is pending */
	bool deleted;      /* to be freed when the signal is taken */
};

static bool clock_is_cpu(s32 clock)
{
	return clock < 0 || clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID;
}

static void timer_free(struct posix_timer *t)
{
	if (t->target)
		task_unref(t->target);
	sigqueue_uncharge(t->user);
	kfree(t);
}

static void timer_signal_taken(struct sigqueue *q, struct linux_siginfo *info)
{
	struct posix_timer *t = container_of(q, struct posix_timer, sig);

	t->queued = false;
	t->overrun_last = MIN(t->overrun, OVERRUN_MAX);
	t->overrun = 0;
	if (info)
		info->si_overrun = (s32)t->overrun_last;
	if (t->deleted)
		timer_free(t);
}

/* n expirations happened. */
static void timer_notify(struct posix_timer *t, u64 n)
{
	if (t->event.sigev_notify == SIGEV_NONE)
		return;
	if (t->queued) {
		t->overrun += (s64)n;
		return;
	}
	t->overrun += (s64)n - 1;
	memset(&t->sig.info, 0, sizeof(t->sig.info));
	t->sig.info.si_signo = t->event.sigev_signo;
	t->sig.info.si_code = SI_TIMER;
	t->sig.info.si_tid = t->id;
	t->sig.info.si_value = t->event.sigev_value;
	t->queued = true;
	if (!signal_queue_embedded(t->proc, t->target, &t->sig))
		t->queued = false;
}

static void timer_fire_cpu(struct posix_timer *t)
{
	u64 now, n = 1;

	if (clock_read_ns(t->clock, &now) < 0)
		return;
	if (now >= t->cpu_target) {
		if (t->interval) {
			n += (now - t->cpu_target) / t->interval;
			t->cpu_target += n * t->interval;
		} else {
			t->cpu_target = 0;
		}
		timer_notify(t, n);
	}
	if (t->cpu_target)
		ktimer_arm(&t->timer, ktime_add(ktime_mono(), MAX((t->cpu_target - now) / nr_cpus,
								  CPU_TIMER_POLL_NS)));
}

static void timer_fire(struct ktimer *k)
{
	struct posix_timer *t = container_of(k, struct posix_timer, timer);
	u64 now = ktime_mono(), n = 1;

	if (t->cpu_target) {
		timer_fire_cpu(t);
		return;
	}
	if (t->interval) {
		n += (now - k->deadline) / t->interval;
		ktimer_arm(k, ktime_add(k->deadline, n * t->interval));
	}
	timer_notify(t, n);
}

static struct posix_timer *timer_find(const struct process *p, int id)
{
	struct rb_node *n = p->posix_timers.node;

	while (n) {
		struct posix_timer *t = rb_entry(n, struct posix_timer, node);

		if (t->id == id)
			return t;
		n = id < t->id ? n->left : n->right;
	}
	return NULL;
}

static void timer_insert(struct process *p, struct posix_timer *t)
{
	struct rb_node **link = &p->posix_timers.node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = t->id < rb_entry(parent, struct posix_timer, node)->id ? &parent->left
									      : &parent->right;
	}
	rb_insert(&p->posix_timers, &t->node, parent, link);
}

static void timer_delete(struct process *p, struct posix_timer *t)
{
	rb_erase(&p->posix_timers, &t->node);
	ktimer_cancel(&t->timer);
	t->deleted = true;
	if (!t->queued)
		timer_free(t);
}

void posix_timers_exit(struct process *p)
{
	struct rb_node *n;

	while ((n = rb_first(&p->posix_timers)))
		timer_delete(p, rb_entry(n, struct posix_timer, node));
}

/* Validates what timer_create(2) was given and finds the thread of SIGEV_THREAD_ID. */
static int event_check(const struct linux_sigevent *ev, struct task **ret_target)
{
	struct task *t;

	*ret_target = NULL;
	switch (ev->sigev_notify) {
	case SIGEV_NONE:
		return 0;
	case SIGEV_SIGNAL | SIGEV_THREAD_ID:
		t = task_find(ev->sigev_tid);
		if (!t || t->proc != current->proc)
			return -EINVAL;
		*ret_target = t;
		break;
	case SIGEV_SIGNAL:
	case SIGEV_THREAD:
		break;
	default:
		return -EINVAL;
	}
	return ev->sigev_signo < 1 || ev->sigev_signo > 64 ? -EINVAL : 0;
}

static int timer_id_alloc(struct process *p)
{
	int id;

	do {
		id = p->next_timer_id;
		p->next_timer_id = id == 0x7fffffff ? 0 : id + 1;
	} while (timer_find(p, id));
	return id;
}

sysret_t sys_timer_create(const struct sysargs *a)
{
	struct linux_sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM };
	struct process *p = current->proc;
	struct posix_timer *t;
	struct task *target;
	struct user *user;
	s32 clock = arg_int(a, 0);
	u64 now;
	int r;

	if (arg_ptr(a, 1) && copy_from_user(&ev, arg_ptr(a, 1), sizeof(ev)))
		return -EFAULT;
	if (clock_read_ns(clock, &now) < 0)
		return -EINVAL;
	if (!clock_is_cpu(clock) && clock_to_mono(clock, now, &now) < 0)
		return -EOPNOTSUPP;
	r = event_check(&ev, &target);
	if (r < 0)
		return r;
	user = sigqueue_charge(p, false);
	if (!user)
		return -EAGAIN;
	t = kzalloc(sizeof(*t));
	if (!t) {
		sigqueue_uncharge(user);
		return -EAGAIN;
	}
	t->user = user;
	t->proc = p;
	t->id = timer_id_alloc(p);
	t->clock = clock;
	t->event = ev;
	if (!arg_ptr(a, 1))
		t->event.sigev_value.sival_int = t->id;
	t->target = target ? task_ref(target) : NULL;
	t->sig.dequeued = timer_signal_taken;
	ktimer_init(&t->timer, timer_fire);
	timer_insert(p, t);
	if (put_user_u32(arg_ptr(a, 2), (u32)t->id)) {
		timer_delete(p, t);
		return -EFAULT;
	}
	return 0;
}

static void timer_get(struct posix_timer *t, struct linux_itimerspec *ret)
{
	u64 left = 0, now;

	if (t->cpu_target) {
		if (clock_read_ns(t->clock, &now) == 0)
			left = t->cpu_target > now ? t->cpu_target - now : 1;
	} else if (t->timer.armed) {
		now = ktime_mono();
		left = t->timer.deadline > now ? t->timer.deadline - now : 1;
	}
	ret->it_value = ns_to_timespec(left);
	ret->it_interval = ns_to_timespec(t->interval);
}

static int timer_set(struct posix_timer *t, const struct linux_itimerspec *v, bool absolute)
{
	u64 value = timespec_to_ns(&v->it_value), now, deadline;
	int r;

	ktimer_cancel(&t->timer);
	t->cpu_target = 0;
	t->interval = timespec_to_ns(&v->it_interval);
	t->overrun = 0;
	if (!value)
		return 0;
	if (clock_is_cpu(t->clock)) {
		r = clock_read_ns(t->clock, &now);
		if (r < 0)
			return r;
		t->cpu_target = absolute ? value : ktime_add(now, value);
		timer_fire_cpu(t);
		return 0;
	}
	deadline = ktime_add(ktime_mono(), value);
	if (absolute) {
		r = clock_to_mono(t->clock, value, &deadline);
		if (r < 0)
			return r;
	}
	ktimer_arm(&t->timer, deadline);
	return 0;
}

sysret_t sys_timer_settime(const struct sysargs *a)
{
	struct linux_itimerspec v, old;
	struct posix_timer *t;
	int r;

	if (!arg_ptr(a, 2))
		return -EINVAL;
	if (copy_from_user(&v, arg_ptr(a, 2), sizeof(v)))
		return -EFAULT;
	if (!timespec_valid(&v.it_value) || !timespec_valid(&v.it_interval))
		return -EINVAL;
	t = timer_find(current->proc, arg_int(a, 0));
	if (!t)
		return -EINVAL;
	timer_get(t, &old);
	r = timer_set(t, &v, arg_int(a, 1) & TIMER_ABSTIME);
	if (r < 0)
		return r;
	return arg_ptr(a, 3) ? copy_to_user(arg_ptr(a, 3), &old, sizeof(old)) : 0;
}

sysret_t sys_timer_gettime(const struct sysargs *a)
{
	struct posix_timer *t = timer_find(current->proc, arg_int(a, 0));
	struct linux_itimerspec v;

	if (!t)
		return -EINVAL;
	timer_get(t, &v);
	return copy_to_user(arg_ptr(a, 1), &v, sizeof(v));
}

sysret_t sys_timer_getoverrun(const struct sysargs *a)
{
	struct posix_timer *t = timer_find(current->proc, arg_int(a, 0));

	return t ? t->overrun_last : -EINVAL;
}

sysret_t sys_timer_delete(const struct sysargs *a)
{
	struct posix_timer *t = timer_find(current->proc, arg_int(a, 0));

	if (!t)
		return -EINVAL;
	timer_delete(current->proc, t);
	return 0;
}
