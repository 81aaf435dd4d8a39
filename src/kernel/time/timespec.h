/* SPDX-License-Identifier: Apache-2.0 */
/* Conversions between user time structures and nanoseconds; too large times saturate. */
#pragma once

#include "abi/linux/time.h"
#include "base/types.h"
#include "kernel/core/time.h"

#define KTIME_MAX 0x7ffffffffffffffful

static inline bool timespec_valid(const struct linux_timespec *ts)
{
	return ts->tv_sec >= 0 && ts->tv_nsec >= 0 && ts->tv_nsec < (s64)NSEC_PER_SEC;
}

static inline u64 timespec_to_ns(const struct linux_timespec *ts)
{
	if ((u64)ts->tv_sec >= KTIME_MAX / NSEC_PER_SEC)
		return KTIME_MAX;
	return (u64)ts->tv_sec * NSEC_PER_SEC + (u64)ts->tv_nsec;
}

static inline struct linux_timespec ns_to_timespec(u64 ns)
{
	return (struct linux_timespec){ (s64)(ns / NSEC_PER_SEC), (s64)(ns % NSEC_PER_SEC) };
}

static inline bool timeval_valid(const struct linux_timeval *tv)
{
	return tv->tv_sec >= 0 && tv->tv_usec >= 0 && tv->tv_usec < 1000000;
}

static inline u64 timeval_to_ns(const struct linux_timeval *tv)
{
	const struct linux_timespec ts = { tv->tv_sec, tv->tv_usec * 1000 };

	return timespec_to_ns(&ts);
}

/* Rounds up, so that a running timer never reads as zero. */
static inline struct linux_timeval ns_to_timeval(u64 ns)
{
	u64 us = ns / 1000 + (ns % 1000 != 0);

	return (struct linux_timeval){ (s64)(us / 1000000), (s64)(us % 1000000) };
}

/* a + b, saturating; never 0, which is DEADLINE_NONE. */
static inline u64 ktime_add(u64 a, u64 b)
{
	u64 sum;

	if (__builtin_add_overflow(a, b, &sum) || sum > KTIME_MAX)
		return KTIME_MAX;
	return sum ? sum : 1;
}

/* CLOCK_MONOTONIC time at which `clock` (real or boot time) will be `t`. */
static inline u64 ktime_from_clock(u64 t, u64 clock_now)
{
	return t <= clock_now ? 1 : ktime_add(ktime_mono(), t - clock_now);
}

/*
 * Reads one of the clocks: CLOCK_* or the CPU-time clock of a process or thread (clock_getcpuclockid(3)); -EINVAL for an unknown
 * one or a task that does not exist. time/clock.c
 */
int clock_read_ns(s32 clock, u64 *ret);
/* A time of `clock` as CLOCK_MONOTONIC; -EINVAL for CPU-time clocks. */
int clock_to_mono(s32 clock, u64 t, u64 *ret);
