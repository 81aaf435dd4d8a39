/* SPDX-License-Identifier: Apache-2.0 */
/* Linux's time structs as nanoseconds. Times beyond what u64 nanoseconds hold (584 years) saturate at KTIME_MAX. */
#pragma once

#include "abi/linux/errno.h"
#include "abi/linux/time.h"
#include "base/types.h"
#include "kernel/core/time.h"
#include "kernel/mm/uaccess.h"

#define KTIME_MAX ((u64)INT64_MAX)

static inline bool timespec_valid(const struct linux_timespec *ts)
{
	return ts->tv_sec >= 0 && ts->tv_nsec >= 0 && ts->tv_nsec < (s64)NSEC_PER_SEC;
}

/* Of a valid one. */
static inline u64 timespec_ns(const struct linux_timespec *ts)
{
	if ((u64)ts->tv_sec >= KTIME_MAX / NSEC_PER_SEC)
		return KTIME_MAX;
	return (u64)ts->tv_sec * NSEC_PER_SEC + (u64)ts->tv_nsec;
}

static inline struct linux_timespec ns_timespec(u64 ns)
{
	return (struct linux_timespec){ (s64)(ns / NSEC_PER_SEC), (s64)(ns % NSEC_PER_SEC) };
}

static inline struct linux_timeval ns_timeval(u64 ns)
{
	return (struct linux_timeval){ (s64)(ns / NSEC_PER_SEC), (s64)(ns % NSEC_PER_SEC / 1000) };
}

/* -EFAULT, -EINVAL */
static inline int __must_check timespec_ns_from_user(u64 *ret, uptr_t addr)
{
	struct linux_timespec ts;

	if (copy_from_user(&ts, addr, sizeof(ts)) < 0)
		return -EFAULT;
	if (!timespec_valid(&ts))
		return -EINVAL;
	*ret = timespec_ns(&ts);
	return 0;
}

static inline int __must_check timespec_to_user(uptr_t addr, u64 ns)
{
	struct linux_timespec ts = ns_timespec(ns);

	return copy_to_user(addr, &ts, sizeof(ts));
}

/* now + ns as a deadline of task_sleep(): never DEADLINE_NONE, never wrapped. */
static inline u64 ktime_deadline(u64 now, u64 ns)
{
	u64 d = ns > KTIME_MAX - now ? KTIME_MAX : now + ns;

	return d ? d : 1;
}
