/* SPDX-License-Identifier: Apache-2.0 */
/* Hostcalls about the sandbox as a whole: its end, CPUs, clocks and memory. */
#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/format.h"
#include "base/nospec.h"
#include "monitor/hostcalls.h"

s64 hc_exit(struct hostcall *c)
{
	monitor_end(c->m, MONITOR_EXITED, c->arg[0] & HC_EXIT_KNOWN);
	c->leave = true;
	return 0;
}

/* The kernel's words: the first line is the message, the rest details. */
static void panic_text(struct hostcall *c)
{
	u64 len = MIN(c->arg[1], (u64)HC_LOG_MAX);
	char copy[HC_LOG_MAX + 1], *end;

	copy[hc_copy_in(c, copy, c->arg[0], len) ? len : 0] = 0;
	end = strchr(copy, '\n');
	if (end)
		*end = 0;
	monitor_headline(c->m, "kernel panic on CPU %u: %s", c->cpu, copy);
	if (end)
		monitor_dump_text(c->m, end + 1);
}

s64 hc_panic(struct hostcall *c)
{
	struct monitor *m = c->m;
	struct rf_regs regs;
	u32 running = 0;

	c->leave = true;
	/* Other CPUs panic in sympathy; one report is enough. */
	if (!atomic_compare_exchange_strong(&m->panicked, &running, 1))
		return 0;
	panic_text(c);
	if (c->arg[2] && HC_COPY_IN(c, &regs, c->arg[2])) {
		if (regs.cs)
			monitor_dump_registers(m, &regs);
		monitor_dump_address(m, "rip", regs.rip);
		monitor_dump_stack(m, regs.rsp);
	}
	monitor_dump_calls(m, c->cpu);
	monitor_end(m, MONITOR_PANIC, 0);
	return 0;
}

/* A log message is one line with our name in front, however the kernel wrote it. Changes @text. */
static void log_line(struct monitor *m, char *text, u64 len)
{
	static const char prefix[] = "ringfence: ";
	bool named = len >= sizeof(prefix) - 1 && memcmp(text, prefix, sizeof(prefix) - 1) == 0;

	while (len && text[len - 1] == '\n')
		len--;
	for (u64 i = 0; i < len; i++)
		if (text[i] == '\n')
			text[i] = ' ';
	monitor_log(m, "%s%.*s", named ? "" : prefix, (int)len, text);
}

/* May one more message of @len bytes be written? The log may be a file, and its disk not the sandbox's to fill. */
static bool log_admits(struct monitor *m, u64 len)
{
	u64 dropped, before;

	if (rate_take(&m->rate[RATE_LOG], RATE_LOG, clock_now_ns(CLOCK_MONOTONIC))) {
		atomic_fetch_add(&m->log_dropped, 1);
		return false;
	}
	before = atomic_fetch_add(&m->log_bytes, len + 1);
	if (before > LOG_TOTAL_MAX)
		return false;
	dropped = atomic_exchange(&m->log_dropped, 0);
	if (dropped)
		monitor_log(m, "ringfence: %lu messages of the sandbox's kernel dropped", dropped);
	if (before + len + 1 > LOG_TOTAL_MAX)
		monitor_log(m, "ringfence: the sandbox's kernel has written %u bytes here; no more",
			    LOG_TOTAL_MAX);
	return true;
}

s64 hc_log(struct hostcall *c)
{
	u64 channel = c->arg[0], len = MIN(c->arg[2], (u64)HC_LOG_MAX);
	char text[HC_LOG_MAX];

	if (channel > 1)
		return hc_distrust(c, -EINVAL);
	if (channel == 1 && c->m->strace_fd < 0)
		return hc_distrust(c, -EPERM);
	if (!hc_copy_in(c, text, c->arg[1], len))
		return -EFAULT;
	/* Who asked for a trace wants all of it. */
	if (channel == 1)
		monitor_write_text(c->m->strace_fd, text, len);
	else if (log_admits(c->m, len))
		log_line(c->m, text, len);
	else
		return -EAGAIN;
	return (s64)len;
}

/* Until *@word is not 0, something wakes us, or @deadline_ns. False at the deadline. */
static bool futex_wait_zero(u32 *word, u64 deadline_ns)
{
	struct timespec ts = {
		.tv_sec = (time_t)(deadline_ns / 1000000000ull),
		.tv_nsec = (long)(deadline_ns % 1000000000ull),
	};

	return syscall(SYS_futex, word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, 0,
		       deadline_ns ? &ts : NULL, NULL, FUTEX_BITSET_MATCH_ANY) == 0 ||
	       errno != ETIMEDOUT;
}

/* monitor_kick() stores kick before it reads idle, we store idle before we read kick: one of us sees the other. */
s64 hc_idle(struct hostcall *c)
{
	struct monitor_cpu *cpu = &c->m->cpu[c->cpu];
	u32 *kick = &c->m->info->cpu[c->cpu].kick;

	atomic_store(&cpu->idle, 1);
	events_cpu_idle(c->m);
	while (!__atomic_load_n(kick, __ATOMIC_SEQ_CST))
		if (!futex_wait_zero(kick, c->arg[0]))
			break;
	atomic_store(&cpu->idle, 0);
	events_cpu_busy(c->m);
	return 0;
}

void monitor_kick(struct monitor *m, u32 cpu)
{
	struct cpu_shared *shared = &m->info->cpu[cpu];

	__atomic_store_n(&shared->kick, 1, __ATOMIC_SEQ_CST);
	if (atomic_load(&m->cpu[cpu].idle))
		syscall(SYS_futex, &shared->kick, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL,
			0);
	else if (__atomic_load_n(&shared->in_user, __ATOMIC_SEQ_CST) && m->machine)
		rf_machine_interrupt_cpu(m->machine, cpu);
}

void monitor_kick_any(struct monitor *m)
{
	u32 cpu = 0;

	for (u32 i = 0; i < m->cpus; i++) {
		if (atomic_load(&m->cpu[i].idle)) {
			cpu = i;
			break;
		}
	}
	monitor_kick(m, cpu);
}

s64 hc_kick(struct hostcall *c)
{
	if (c->arg[0] >= c->m->cpus)
		return hc_distrust(c, -EINVAL);
	monitor_kick(c->m, (u32)array_index_nospec(c->arg[0], c->m->cpus));
	return 0;
}

s64 hc_clock(struct hostcall *c)
{
	struct timespec ts;
	u64 id = c->arg[0];

	/* CLOCK_THREAD_CPUTIME_ID would be this host thread's: not on the list. */
	if (id > CLOCK_BOOTTIME || id == CLOCK_THREAD_CPUTIME_ID)
		return -EINVAL;
	if (clock_gettime((clockid_t)id, &ts) < 0)
		return -errno;
	return (s64)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

s64 hc_random(struct hostcall *c)
{
	u64 len = MIN(c->arg[1], (u64)HC_RANDOM_MAX);
	void *buf = hc_out(c, c->arg[0], len);
	ssize_t n;

	if (!buf)
		return -EFAULT;
	n = getrandom(buf, len, 0);
	return n < 0 ? -errno : n;
}

/* Page frames and stacks, never the image or the boot tables. */
static bool range_is_frames(struct hostcall *c)
{
	u64 offset = c->arg[0], len = c->arg[1];

	return len && len <= HC_FRAMES_MAX && offset % PAGE_SIZE == 0 && len % PAGE_SIZE == 0 &&
	       offset >= c->m->info_free_start && range_within(offset, len, c->m->arena.size);
}

s64 hc_discard(struct hostcall *c)
{
	return range_is_frames(c) ? arena_discard(&c->m->arena, c->arg[0], c->arg[1]) : -EINVAL;
}

s64 hc_populate(struct hostcall *c)
{
	return range_is_frames(c) ? arena_populate(&c->m->arena, c->arg[0], c->arg[1]) : -EINVAL;
}

s64 hc_guard(struct hostcall *c)
{
	if (!range_is_frames(c))
		return -EINVAL;
	return mprotect(c->m->arena.base + c->arg[0], c->arg[1], PROT_NONE) < 0 ? -errno : 0;
}

s64 hc_yield(struct hostcall *c)
{
	(void)c;
	sched_yield();
	return 0;
}

s64 hc_cpu_exit(struct hostcall *c)
{
	events_cpu_idle(c->m);
	c->leave = true;
	return 0;
}

/*
 * The program's own parent is outside: the caller's process stops as the terminal driver would have stopped it, with the terminal's
 * mode given back meanwhile. SIGCONT itself comes through the event loop.
 */
s64 hc_stop(struct hostcall *c)
{
	events_stop(c->m);
	return 0;
}
