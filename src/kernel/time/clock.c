/* SPDX-License-Identifier: Apache-2.0 */
/* Clock system calls: clock_gettime(2), clock_nanosleep(2), gettimeofday(2), adjtimex(2). */
#include "abi/linux/errno.h"
#include "base/string.h"
#include "kernel/core/cpu.h"
#include "kernel/core/sched.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/proc.h"
#include "kernel/sys/syscall.h"
#include "kernel/time/timespec.h"

/* Resolution of the coarse clocks: they are as fine as the others here, but say what Linux with HZ = 250 says. */
#define COARSE_RESOLUTION_NS 4000000ul

/* ---- CPU-time clocks of any task: clock_getcpuclockid(3) ---- */

static int cpu_clock_read(s32 clock, u64 *ret)
{
	unsigned kind = (u32)clock & CPUCLOCK_CLOCK_MASK;
	int id = ~(clock >> 3);
	struct process *p;
	struct task *t;

	if (kind == CLOCKFD || id < 0)
		return -EINVAL;
	if ((u32)clock & CPUCLOCK_PERTHREAD_MASK) {
		t = id ? task_find(id) : current;
		if (!t || t->proc != current->proc)
			return -EINVAL;
		*ret = kind == CPUCLOCK_VIRT ? t->utime_ns : task_cpu_time_ns(t);
		return 0;
	}
	p = id ? process_find(id) : current->proc;
	if (!p)
		return -EINVAL;
	*ret = process_cpu_time_ns(p, kind == CPUCLOCK_VIRT);
	return 0;
}

int clock_read_ns(s32 clock, u64 *ret)
{
	if (clock < 0)
		return cpu_clock_read(clock, ret);
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_REALTIME_ALARM:
	case CLOCK_TAI:
		*ret = ktime_real();
		return 0;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
		*ret = ktime_mono();
		return 0;
	case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM:
		*ret = ktime_boot();
		return 0;
	case CLOCK_PROCESS_CPUTIME_ID:
		*ret = process_cpu_time_ns(current->proc, false);
		return 0;
	case CLOCK_THREAD_CPUTIME_ID:
		*ret = task_cpu_time_ns(current);
		return 0;
	default:
		return -EINVAL;
	}
}

int clock_to_mono(s32 clock, u64 t, u64 *ret)
{
	switch (clock) {
	case CLOCK_MONOTONIC:
		*ret = t ? t : 1;
		return 0;
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_ALARM:
	case CLOCK_TAI:
		*ret = ktime_from_clock(t, ktime_real());
		return 0;
	case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM:
		*ret = ktime_from_clock(t, ktime_boot());
		return 0;
	default:
		return -EINVAL;
	}
}

sysret_t sys_clock_gettime(const struct sysargs *a)
{
	struct linux_timespec ts;
	u64 ns;
	int r = clock_read_ns(arg_int(a, 0), &ns);

	if (r < 0)
		return r;
	ts = ns_to_timespec(ns);
	return copy_to_user(arg_ptr(a, 1), &ts, sizeof(ts));
}

sysret_t sys_clock_getres(const struct sysargs *a)
{
	struct linux_timespec ts = { 0, 1 };
	s32 clock = arg_int(a, 0);
	u64 ns;
	int r = clock_read_ns(clock, &ns);

	if (r < 0)
		return r;
	if (clock == CLOCK_REALTIME_COARSE || clock == CLOCK_MONOTONIC_COARSE)
		ts.tv_nsec = COARSE_RESOLUTION_NS;
	return arg_ptr(a, 1) ? copy_to_user(arg_ptr(a, 1), &ts, sizeof(ts)) : 0;
}

/* The clocks are the host's: nobody inside may set them. */
sysret_t sys_clock_settime(const struct sysargs *a)
{
	return arg_int(a, 0) == CLOCK_REALTIME ? -EPERM : -EINVAL;
}

sysret_t sys_settimeofday(const struct sysargs *a)
{
	(void)a;
	return -EPERM;
}

sysret_t sys_gettimeofday(const struct sysargs *a)
{
	const struct linux_timezone utc = { 0 };
	u64 us = ktime_real() / 1000;
	struct linux_timeval tv = { (s64)(us / 1000000), (s64)(us % 1000000) };
	int r = 0;

	if (arg_ptr(a, 0))
		r = copy_to_user(arg_ptr(a, 0), &tv, sizeof(tv));
	if (!r && arg_ptr(a, 1))
		r = copy_to_user(arg_ptr(a, 1), &utc, sizeof(utc));
	return r;
}

sysret_t sys_time(const struct sysargs *a)
{
	s64 now = (s64)(ktime_real() / NSEC_PER_SEC);

	if (arg_ptr(a, 0) && put_user_u64(arg_ptr(a, 0), (u64)now))
		return -EFAULT;
	return now;
}

static s64 adjtimex_user(uptr_t addr)
{
	struct linux_timex tx;
	u64 us = ktime_real() / 1000;

	if (copy_from_user(&tx, addr, sizeof(tx)))
		return -EFAULT;
	if (tx.modes && tx.modes != ADJ_OFFSET_SS_READ)
		return -EPERM;
	memset(&tx, 0, sizeof(tx));
	tx.status = STA_UNSYNC;
	tx.maxerror = tx.esterror = 16000000;
	tx.constant = 2;
	tx.precision = 1;
	tx.tolerance = 32768000;
	tx.tick = 10000;
	tx.time.tv_sec = (s64)(us / 1000000);
	tx.time.tv_usec = (s64)(us % 1000000);
	return copy_to_user(addr, &tx, sizeof(tx)) ? -EFAULT : TIME_ERROR;
}

sysret_t sys_adjtimex(const struct sysargs *a)
{
	return adjtimex_user(arg_ptr(a, 0));
}

sysret_t sys_clock_adjtime(const struct sysargs *a)
{
	return arg_int(a, 0) == CLOCK_REALTIME ? adjtimex_user(arg_ptr(a, 1)) : -EINVAL;
}

/* ---- sleeping ---- */

/* Until `deadline`; `rem`: user address for what is left of a relative sleep, or 0. */
static s64 sleep_until(u64 deadline, bool absolute, uptr_t rem)
{
	struct linux_timespec left;
	u64 now;
	int r;

	while ((r = task_sleep(TASK_INTERRUPTIBLE, deadline)) == 0)
		if (ktime_mono() >= deadline)
			return 0;
	if (r == -ETIMEDOUT)
		return 0;
	if (absolute)
		return -ERESTARTNOHAND;
	now = ktime_mono();
	left = ns_to_timespec(deadline > now ? deadline - now : 0);
	if (rem && copy_to_user(rem, &left, sizeof(left)))
		return -EFAULT;
	return -ERESTART_RESTARTBLOCK;
}

static u64 sleep_restart(struct task *t)
{
	return (u64)sleep_until(t->restart_arg[0], false, t->restart_arg[1]);
}

static s64 sleep_relative(const struct linux_timespec *ts, uptr_t rem)
{
	u64 deadline = ktime_add(ktime_mono(), timespec_to_ns(ts));

	current->restart = sleep_restart;
	current->restart_arg[0] = deadline;
	current->restart_arg[1] = rem;
	return sleep_until(deadline, false, rem);
}

sysret_t sys_nanosleep(const struct sysargs *a)
{
	struct linux_timespec ts;

	if (copy_from_user(&ts, arg_ptr(a, 0), sizeof(ts)))
		return -EFAULT;
	if (!timespec_valid(&ts))
		return -EINVAL;
	return sleep_relative(&ts, arg_ptr(a, 1));
}

/* CPU-time clocks stand still while their only thread sleeps: look again now and then. */
#define CPU_CLOCK_POLL_NS 1000000ul
static s64 sleep_cpu_clock(s32 clock, u64 target)
{
	u64 now;
	int r;

	for (;;) {
		r = clock_read_ns(clock, &now);
		if (r < 0)
			return r;
		if (now >= target)
			return 0;
		r = task_sleep(TASK_INTERRUPTIBLE,
			       ktime_add(ktime_mono(), MAX(target - now, CPU_CLOCK_POLL_NS)));
		if (r == -EINTR)
			return -ERESTARTNOHAND;
	}
}

sysret_t sys_clock_nanosleep(const struct sysargs *a)
{
	bool absolute = arg_int(a, 1) & TIMER_ABSTIME;
	s32 clock = arg_int(a, 0);
	struct linux_timespec ts;
	u64 now, deadline;
	int r = clock_read_ns(clock, &now);

	if (r < 0 || clock == CLOCK_THREAD_CPUTIME_ID)
		return -EINVAL;
	if (clock == CLOCK_MONOTONIC_RAW || clock == CLOCK_REALTIME_COARSE ||
	    clock == CLOCK_MONOTONIC_COARSE)
		return -EOPNOTSUPP;
	if (copy_from_user(&ts, arg_ptr(a, 2), sizeof(ts)))
		return -EFAULT;
	if (!timespec_valid(&ts))
		return -EINVAL;
	if (clock < 0 || clock == CLOCK_PROCESS_CPUTIME_ID)
		return sleep_cpu_clock(clock, absolute ? timespec_to_ns(&ts)
						       : ktime_add(now, timespec_to_ns(&ts)));
	if (!absolute)
		return sleep_relative(&ts, arg_ptr(a, 3));
	r = clock_to_mono(clock, timespec_to_ns(&ts), &deadline);
	return r < 0 ? r : sleep_until(deadline, true, 0);
}
