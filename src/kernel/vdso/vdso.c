/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vDSO: runs in ring 3 in every program, without a libc. Clocks are read from the page of time parameters below the image; what
 * they can't answer is an ordinary system call. vdso(7).
 */
#include "kernel/vdso/vvar.h"

#include "abi/linux/errno.h"
#include "abi/linux/syscall_nr.h"
#include "abi/linux/time.h"

#define EXPORT           __attribute__((visibility("default")))
#define WEAK_ALIAS(name) __attribute__((weak, alias(#name), visibility("default")))

#define NSEC 1000000000ull

_Static_assert(VVAR_SIZE == 4096, "vvar() subtracts it");

int __vdso_clock_gettime(int clock, struct linux_timespec *ts);
int __vdso_gettimeofday(struct linux_timeval *tv, struct linux_timezone *tz);
s64 __vdso_time(s64 *ret);
int __vdso_getcpu(u32 *cpu, u32 *node, void *unused);
int __vdso_clock_getres(int clock, struct linux_timespec *ts);

/* Below the first byte of the image, which the linker calls __ehdr_start. (In C that would be an access outside of an object.) */
static const struct vvar *vvar(void)
{
	const struct vvar *v;

	__asm__(".hidden __ehdr_start\n\tleaq __ehdr_start-4096(%%rip), %0" : "=r"(v));
	return v;
}

static s64 syscall3(u64 nr, u64 a, u64 b, u64 c)
{
	s64 ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "0"(nr), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return ret;
}

/* Not before earlier loads are done (SDM vol. 2B, "RDTSC"). */
static u64 rdtsc_ordered(void)
{
	u32 lo, hi;

	__asm__ volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi) : : "memory");
	return (u64)hi << 32 | lo;
}

static u64 scale(const volatile struct time_params *p, u64 tsc)
{
	u64 base = p->base_tsc;

	/* A CPU may be a few ticks behind the one that was asked for the base. */
	if (tsc <= base)
		return 0;
	return (u64)(((unsigned __int128)(tsc - base) * p->mult) >> p->shift);
}

static u64 clock_base(const volatile struct time_params *p, int clock)
{
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_TAI:
		return p->real_ns;
	case CLOCK_BOOTTIME:
		return p->boot_ns;
	default:
		return p->mono_ns;
	}
}

static bool clock_known(int clock)
{
	const u32 known = 1u << CLOCK_REALTIME | 1u << CLOCK_MONOTONIC | 1u << CLOCK_MONOTONIC_RAW |
			  1u << CLOCK_REALTIME_COARSE | 1u << CLOCK_MONOTONIC_COARSE |
			  1u << CLOCK_BOOTTIME | 1u << CLOCK_TAI;

	return clock >= 0 && clock < 32 && (known >> clock & 1);
}

/* False: ask the kernel. */
static bool read_clock(int clock, u64 *ret_ns)
{
	const volatile struct time_params *p = &vvar()->time;
	u32 seq;

	do {
		while ((seq = __atomic_load_n(&p->seq, __ATOMIC_ACQUIRE)) & 1)
			__builtin_ia32_pause();
		if (!p->valid)
			return false;
		*ret_ns = clock_base(p, clock) + scale(p, rdtsc_ordered());
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while (p->seq != seq);
	return true;
}

EXPORT int __vdso_clock_gettime(int clock, struct linux_timespec *ts)
{
	u64 ns;

	if (!clock_known(clock) || !read_clock(clock, &ns))
		return (int)syscall3(NR_clock_gettime, (u64)(s64)clock, (u64)ts, 0);
	ts->tv_sec = (s64)(ns / NSEC);
	ts->tv_nsec = (s64)(ns % NSEC);
	return 0;
}

EXPORT int __vdso_gettimeofday(struct linux_timeval *tv, struct linux_timezone *tz)
{
	u64 ns;

	if (tz || !read_clock(CLOCK_REALTIME, &ns))
		return (int)syscall3(NR_gettimeofday, (u64)tv, (u64)tz, 0);
	if (tv) {
		tv->tv_sec = (s64)(ns / NSEC);
		tv->tv_usec = (s64)(ns % NSEC / 1000);
	}
	return 0;
}

EXPORT s64 __vdso_time(s64 *ret)
{
	u64 ns;
	s64 now;

	if (!read_clock(CLOCK_REALTIME, &ns))
		return syscall3(NR_time, (u64)ret, 0, 0);
	now = (s64)(ns / NSEC);
	if (ret)
		*ret = now;
	return now;
}

EXPORT int __vdso_getcpu(u32 *cpu, u32 *node, void *unused)
{
	u32 selector = vvar()->cpu_selector, number;

	/* One node, number 0. */
	if (!selector)
		return (int)syscall3(NR_getcpu, (u64)cpu, (u64)node, (u64)unused);
	__asm__ volatile("lsl %1, %0" : "=r"(number) : "r"(selector) : "cc");
	if (cpu)
		*cpu = number;
	if (node)
		*node = 0;
	return 0;
}

EXPORT int __vdso_clock_getres(int clock, struct linux_timespec *ts)
{
	return (int)syscall3(NR_clock_getres, (u64)(s64)clock, (u64)ts, 0);
}

int clock_gettime(int clock, struct linux_timespec *ts) WEAK_ALIAS(__vdso_clock_gettime);
int gettimeofday(struct linux_timeval *tv, struct linux_timezone *tz)
	WEAK_ALIAS(__vdso_gettimeofday);
s64 time(s64 *ret) WEAK_ALIAS(__vdso_time);
int getcpu(u32 *cpu, u32 *node, void *unused) WEAK_ALIAS(__vdso_getcpu);
int clock_getres(int clock, struct linux_timespec *ts) WEAK_ALIAS(__vdso_clock_getres);
