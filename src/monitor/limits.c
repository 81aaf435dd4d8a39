/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits kept here rather than inside, because a kernel that was taken over must not get around them: time, and what
 * leaves the sandbox.
 */
#include <errno.h>
#include <time.h>

#include "base/checked.h"
#include "monitor/monitor.h"

/* CPU time is read no more often than this; many CPUs use that many times as much in between. */
#define CPU_LOOK_NS 2000000ull

void limits_start(struct monitor *m)
{
	u64 now = clock_now_ns(CLOCK_MONOTONIC);

	m->cpu_start_ns = clock_now_ns(CLOCK_PROCESS_CPUTIME_ID);
	if (!m->limits.wall_ns || ckd_add(&m->wall_end_ns, now, m->limits.wall_ns))
		m->wall_end_ns = UINT64_MAX;
}

/*
 * CPU time of all threads, in which a guest's time is included (getrusage(2)). While it runs it cannot run out before each
 * CPU has used its share of what is left.
 */
static u64 check_cpu_time(struct monitor *m, u64 now)
{
	u64 used, left;

	if (!m->limits.cpu_ns)
		return UINT64_MAX;
	used = clock_now_ns(CLOCK_PROCESS_CPUTIME_ID) - m->cpu_start_ns;
	if (used >= m->limits.cpu_ns) {
		monitor_end(m, MONITOR_LIMIT, RF_LIMIT_CPU_TIME);
		return now;
	}
	left = (m->limits.cpu_ns - used) / (m->cpus + 1);
	return now + MAX(left, (u64)CPU_LOOK_NS);
}

u64 limits_check_time(struct monitor *m, u64 now)
{
	if (now >= m->wall_end_ns) {
		monitor_end(m, MONITOR_LIMIT, RF_LIMIT_WALL_TIME);
		return now;
	}
	/* No CPU time is used while all CPUs are idle, but for ours; whoever leaves idle wakes us. */
	if (!atomic_load(&m->busy))
		return m->wall_end_ns;
	return MIN(m->wall_end_ns, check_cpu_time(m, now));
}

/* Exactly the bytes of the limit go out: the write that would pass it is cut, the next one ends the sandbox. */
ssize_t limits_output(struct monitor *m, output_fn write_fn, const struct handle *h,
		      const void *buf, size_t len)
{
	u64 left;
	ssize_t n;

	if (!m->limits.output)
		return write_fn(h, buf, len);
	pthread_mutex_lock(&m->output_lock); /* writes do not wait */
	left = m->limits.output - m->output_used;
	n = left ? write_fn(h, buf, MIN((u64)len, left)) : 0;
	if (n > 0)
		m->output_used += MIN((u64)n, left);
	pthread_mutex_unlock(&m->output_lock);
	if (left || !len)
		return n;
	monitor_end(m, MONITOR_LIMIT, RF_LIMIT_OUTPUT);
	return -EIO;
}

u64 limits_file_size(const struct monitor *m, u64 offset, u64 len)
{
	return offset >= m->limits.file_size ? 0 : MIN(len, m->limits.file_size - offset);
}
