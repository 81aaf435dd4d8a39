/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timerfd_create(2). The kernel timer fires once; the expirations of an interval that passed unread are counted when somebody
 * reads or asks, so a fast timer nobody reads costs nothing.
 */
#include "abi/linux/capability.h"
#include "abi/linux/errno.h"
#include "abi/linux/fcntl.h"
#include "abi/linux/poll.h"
#include "abi/linux/time.h"
#include "base/format.h"
#include "kernel/core/cpu.h"
#include "kernel/core/time.h"
#include "kernel/ipc/ipc.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/task.h"
#include "kernel/sys/syscall.h"
#include "kernel/time/timespec.h"

#define TIMERFD_NS_MAX ((u64)INT64_MAX)

struct timerfd {
	struct ktimer timer;
	struct waitq wq;
	int clock;
	u64 next; /* CLOCK_MONOTONIC ns of the expiration the timer is set to or that has fired */
	u64 interval; /* ns, 0: once */
	u64 ticks;    /* expirations not read */
	bool armed;   /* an expiration is still to come, or fired with an interval */
};

static u64 clock_now(int clock)
{
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_ALARM:
		return ktime_real();
	case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM:
		return ktime_boot();
	default:
		return ktime_mono();
	}
}

static void timerfd_fire(struct ktimer *k)
{
	struct timerfd *t = container_of(k, struct timerfd, timer);

	t->ticks++;
	if (!t->interval)
		t->armed = false;
	waitq_wake_all(&t->wq, POLLIN | POLLRDNORM);
}

/* Counts what an interval timer that has fired missed since, and sets it again. */
static void timerfd_forward(struct timerfd *t)
{
	u64 now, missed;

	if (!t->armed || !t->interval || t->timer.armed)
		return;
	now = ktime_mono();
	missed = now >= t->next ? (now - t->next) / t->interval : 0;
	t->ticks += missed;
	t->next += (missed + 1) * t->interval;
	ktimer_arm(&t->timer, t->next);
}

static s64 timerfd_read(struct file *f, struct uio *u, u64 *pos)
{
	struct timerfd *t = f->private;
	u64 v;
	int r;

	(void)pos;
	if (u->resid < sizeof(v))
		return -EINVAL;
	while (!t->ticks) {
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		r = waitq_sleep(&t->wq);
		if (r < 0)
			return r;
	}
	timerfd_forward(t);
	v = t->ticks;
	t->ticks = 0;
	return uio_write(u, &v, sizeof(v)) == sizeof(v) ? (s64)sizeof(v) : -EFAULT;
}

static u32 timerfd_poll(struct file *f, struct poll_table *pt)
{
	struct timerfd *t = f->private;

	poll_wait(pt, &t->wq);
	return t->ticks ? POLLIN | POLLRDNORM : 0;
}

static s64 timerfd_ioctl(struct file *f, u32 cmd, u64 arg)
{
	struct timerfd *t = f->private;
	u64 ticks;
	int r;

	if (cmd != TFD_IOC_SET_TICKS)
		return -ENOTTY;
	r = get_user_u64(&ticks, arg);
	if (r < 0)
		return r;
	if (!ticks)
		return -EINVAL;
	t->ticks = ticks;
	waitq_wake_all(&t->wq, POLLIN | POLLRDNORM);
	return 0;
}

static void timerfd_release(struct file *f)
{
	struct timerfd *t = f->private;

	ktimer_cancel(&t->timer);
	kfree(t);
}

static u64 timerfd_left(struct timerfd *t)
{
	u64 now = ktime_mono();

	if (!t->armed)
		return 0;
	timerfd_forward(t);
	return t->next > now ? t->next - now : 1;
}

static void timerfd_get(struct timerfd *t, struct linux_itimerspec *ret)
{
	ret->it_value = ns_to_timespec(timerfd_left(t));
	ret->it_interval = ns_to_timespec(t->interval);
}

static void timerfd_fdinfo(struct file *f, char *buf, size_t n)
{
	struct timerfd *t = f->private;
	struct linux_itimerspec its;

	timerfd_get(t, &its);
	fmt_snprintf(
		buf, n,
		"clockid: %d\nticks: %lu\nsettime flags: 00\nit_value: (%ld, %ld)\nit_interval: (%ld, %ld)\n",
		t->clock, t->ticks, its.it_value.tv_sec, its.it_value.tv_nsec,
		its.it_interval.tv_sec, its.it_interval.tv_nsec);
}

static const struct file_ops timerfd_fops = {
	.read = timerfd_read,
	.poll = timerfd_poll,
	.ioctl = timerfd_ioctl,
	.release = timerfd_release,
	.fdinfo = timerfd_fdinfo,
};

static bool timerfd_clock_ok(int clock)
{
	return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC || clock == CLOCK_BOOTTIME ||
	       clock == CLOCK_REALTIME_ALARM || clock == CLOCK_BOOTTIME_ALARM;
}

sysret_t sys_timerfd_create(const struct sysargs *a)
{
	int clock = arg_int(a, 0);
	u32 flags = arg_u32(a, 1);
	struct timerfd *t;

	if ((flags & ~(u32)(TFD_CLOEXEC | TFD_NONBLOCK)) || !timerfd_clock_ok(clock))
		return -EINVAL;
	if ((clock == CLOCK_REALTIME_ALARM || clock == CLOCK_BOOTTIME_ALARM) &&
	    !cred_capable(current->cred, CAP_WAKE_ALARM))
		return -EPERM;
	t = kzalloc(sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->clock = clock;
	waitq_init(&t->wq);
	ktimer_init(&t->timer, timerfd_fire);
	return anon_fd_install("anon_inode:[timerfd]", &timerfd_fops, O_RDWR | (flags & O_NONBLOCK),
			       t, flags & O_CLOEXEC);
}

static void timerfd_set(struct timerfd *t, const struct linux_itimerspec *its, bool absolute)
{
	u64 value = timespec_to_ns(&its->it_value), now = clock_now(t->clock);

	ktimer_cancel(&t->timer);
	t->ticks = 0;
	t->interval = timespec_to_ns(&its->it_interval);
	t->armed = value != 0;
	if (!t->armed)
		return;
	/* The distance is what counts: the real-time clock is not set from inside. */
	if (absolute)
		value = value > now ? value - now : 0;
	t->next = ktime_mono() + value;
	ktimer_arm(&t->timer, t->next);
}

sysret_t sys_timerfd_settime(const struct sysargs *a)
{
	u32 flags = arg_u32(a, 1);
	struct linux_itimerspec its, old;
	struct file *f;
	int r;

	if (flags & ~(u32)(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET))
		return -EINVAL;
	r = copy_from_user(&its, arg_ptr(a, 2), sizeof(its));
	if (r < 0)
		return r;
	if (!timespec_valid(&its.it_value) || !timespec_valid(&its.it_interval))
		return -EINVAL;
	r = fd_get_ops(arg_int(a, 0), &timerfd_fops, &f);
	if (r < 0)
		return r;
	timerfd_get(f->private, &old);
	timerfd_set(f->private, &its, flags & TFD_TIMER_ABSTIME);
	if (arg_ptr(a, 3))
		r = copy_to_user(arg_ptr(a, 3), &old, sizeof(old));
	file_unref(f);
	return r;
}

sysret_t sys_timerfd_gettime(const struct sysargs *a)
{
	struct linux_itimerspec its;
	struct file *f;
	int r = fd_get_ops(arg_int(a, 0), &timerfd_fops, &f);

	if (r < 0)
		return r;
	timerfd_get(f->private, &its);
	file_unref(f);
	return copy_to_user(arg_ptr(a, 1), &its, sizeof(its));
}
