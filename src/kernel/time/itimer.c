/* SPDX-License-Identifier: Apache-2.0 */
/* Interval timers and the CPU-time limit: setitimer(2), alarm(2), RLIMIT_CPU of getrlimit(2). */
#include "abi/linux/errno.h"
#include "base/string.h"
#include "kernel/core/cpu.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/proc.h"
#include "kernel/sys/syscall.h"
#include "kernel/time/timespec.h"

/* CPU-time limits are looked at no more often than this, and at least this often while one is set. */
#define CPU_CHECK_MIN_NS 1000000ul
#define CPU_CHECK_MAX_NS 250000000ul

static struct linux_siginfo kernel_info(int sig)
{
	struct linux_siginfo info;

	memset(&info, 0, sizeof(info));
	info.si_signo = sig;
	info.si_code = SI_KERNEL;
	return info;
}

static void process_signal(struct process *p, int sig)
{
	struct linux_siginfo info = kernel_info(sig);

	(void)signal_send_process(p, sig, &info);
}

static void itimer_real_fire(struct ktimer *t)
{
	struct process *p = container_of(t, struct process, itimer_real);

	if (p->itimer_real_interval) {
		/* Expirations that passed meanwhile are lost, as the signal would be merged anyway. */
		u64 now = ktime_mono(), next = ktime_add(t->deadline, p->itimer_real_interval);

		if (next <= now)
			next = ktime_add(now, p->itimer_real_interval -
						      (now - next) % p->itimer_real_interval);
		ktimer_arm(t, next);
	}
	process_signal(p, SIGALRM);
}

/* ---- CPU time: ITIMER_VIRTUAL (0), ITIMER_PROF (1) hold the CPU time at which they expire, 0 = off; RLIMIT_CPU ---- */

static u64 itimer_cpu_now(const struct process *p, unsigned n)
{
	return process_cpu_time_ns(p, n == 0);
}

/* Fires timer n if it is due; lowers *wait to the CPU time left. */
static void itimer_cpu_check(struct process *p, unsigned n, u64 *wait)
{
	u64 now;

	if (!p->itimer_virt[n])
		return;
	now = itimer_cpu_now(p, n);
	if (now >= p->itimer_virt[n]) {
		p->itimer_virt[n] =
			p->itimer_virt_interval[n] ? now + p->itimer_virt_interval[n] : 0;
		process_signal(p, n ? SIGPROF : SIGVTALRM);
	}
	if (p->itimer_virt[n])
		*wait = MIN(*wait, p->itimer_virt[n] - now);
}

static void rlimit_cpu_check(struct process *p, u64 *wait)
{
	const struct linux_rlimit64 *lim = &p->rlimit[RLIMIT_CPU];
	u64 seconds;

	if (lim->rlim_cur == RLIM64_INFINITY && lim->rlim_max == RLIM64_INFINITY)
		return;
	seconds = itimer_cpu_now(p, 1) / NSEC_PER_SEC;
	if (seconds >= lim->rlim_max) {
		process_signal(p, SIGKILL);
		return;
	}
	if (seconds >= lim->rlim_cur && seconds > p->cpu_limit_warned_s) {
		p->cpu_limit_warned_s = seconds;
		process_signal(p, SIGXCPU);
	}
	*wait = MIN(*wait, CPU_CHECK_MAX_NS);
}

static void itimer_cpu_fire(struct ktimer *t)
{
	struct process *p = container_of(t, struct process, itimer_cpu);
	u64 wait = KTIME_MAX;

	itimer_cpu_check(p, 0, &wait);
	itimer_cpu_check(p, 1, &wait);
	rlimit_cpu_check(p, &wait);
	if (wait == KTIME_MAX || p->zombie)
		return;
	/* Several threads use CPU time faster than the clock runs. */
	wait /= MIN(MAX(p->nr_threads, 1u), nr_cpus);
	wait = MIN(MAX(wait, CPU_CHECK_MIN_NS), CPU_CHECK_MAX_NS);
	ktimer_arm(t, ktime_add(ktime_mono(), wait));
}

void rlimit_cpu_changed(struct process *p)
{
	p->cpu_limit_warned_s = 0;
	itimer_cpu_fire(&p->itimer_cpu);
}

void itimers_init(struct process *p)
{
	ktimer_init(&p->itimer_real, itimer_real_fire);
	ktimer_init(&p->itimer_cpu, itimer_cpu_fire);
	p->itimer_real_interval = 0;
	memset(p->itimer_virt, 0, sizeof(p->itimer_virt));
	memset(p->itimer_virt_interval, 0, sizeof(p->itimer_virt_interval));
}

void itimers_exit(struct process *p)
{
	ktimer_cancel(&p->itimer_real);
	ktimer_cancel(&p->itimer_cpu);
}

/* ---- system calls ---- */

static void itimer_get(const struct process *p, int which, struct linux_itimerval *ret)
{
	u64 left = 0, interval, now;

	if (which == ITIMER_REAL) {
		now = ktime_mono();
		interval = p->itimer_real_interval;
		if (p->itimer_real.armed)
			left = p->itimer_real.deadline > now ? p->itimer_real.deadline - now : 1;
	} else {
		now = itimer_cpu_now(p, which == ITIMER_PROF);
		interval = p->itimer_virt_interval[which == ITIMER_PROF];
		if (p->itimer_virt[which == ITIMER_PROF])
			left = MAX(p->itimer_virt[which == ITIMER_PROF], now + 1) - now;
	}
	ret->it_value = ns_to_timeval(left);
	ret->it_interval = ns_to_timeval(interval);
}

static void itimer_set(struct process *p, int which, u64 value, u64 interval)
{
	if (which == ITIMER_REAL) {
		ktimer_cancel(&p->itimer_real);
		p->itimer_real_interval = interval;
		if (value)
			ktimer_arm(&p->itimer_real, ktime_add(ktime_mono(), value));
		return;
	}
	p->itimer_virt_interval[which == ITIMER_PROF] = interval;
	p->itimer_virt[which == ITIMER_PROF] =
		value ? ktime_add(itimer_cpu_now(p, which == ITIMER_PROF), value) : 0;
	itimer_cpu_fire(&p->itimer_cpu);
}

sysret_t sys_getitimer(const struct sysargs *a)
{
	struct linux_itimerval v;

	if (arg_u32(a, 0) > ITIMER_PROF)
		return -EINVAL;
	itimer_get(current->proc, arg_int(a, 0), &v);
	return copy_to_user(arg_ptr(a, 1), &v, sizeof(v));
}

sysret_t sys_setitimer(const struct sysargs *a)
{
	struct linux_itimerval v = { 0 }, old;

	if (arg_u32(a, 0) > ITIMER_PROF)
		return -EINVAL;
	if (arg_ptr(a, 1) && copy_from_user(&v, arg_ptr(a, 1), sizeof(v)))
		return -EFAULT;
	if (!timeval_valid(&v.it_value) || !timeval_valid(&v.it_interval))
		return -EINVAL;
	itimer_get(current->proc, arg_int(a, 0), &old);
	itimer_set(current->proc, arg_int(a, 0), timeval_to_ns(&v.it_value),
		   timeval_to_ns(&v.it_interval));
	return arg_ptr(a, 2) ? copy_to_user(arg_ptr(a, 2), &old, sizeof(old)) : 0;
}

sysret_t sys_alarm(const struct sysargs *a)
{
	struct linux_itimerval old;

	itimer_get(current->proc, ITIMER_REAL, &old);
	itimer_set(current->proc, ITIMER_REAL, arg_u32(a, 0) * NSEC_PER_SEC, 0);
	/* alarm(2): whole seconds, at least 1 if one was pending. */
	if (old.it_value.tv_usec >= 500000 || (!old.it_value.tv_sec && old.it_value.tv_usec))
		old.it_value.tv_sec++;
	return old.it_value.tv_sec;
}
