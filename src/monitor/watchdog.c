/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A CPU that stops responding. Signs of life are hostcalls and kicks taken; user code that computes gives neither by itself,
 * so a CPU without any for half the time is kicked, which user code and a healthy kernel take at once. What counts is the CPU
 * time of the CPU's own thread, in which a guest's time is included (getrusage(2) counts it as the thread's): on a busy
 * machine, under a debugger or while it is stopped a thread gets none, and is not blamed.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "monitor/monitor.h"

#define WATCHDOG_TICK_NS 250000000ull
#define DUMP_MAX         12288
/* For a thread to describe itself: it only has to get the CPU. */
#define DESCRIBE_WAIT_MS 5000

/* Of the thread, user and system; 0 if it cannot be told. */
static u64 cpu_time_ns(const struct monitor_cpu *cpu)
{
	clockid_t clock;

	return pthread_getcpuclockid(cpu->thread, &clock) ? 0 : clock_now_ns(clock);
}

static void describe_thread(struct monitor *m, struct monitor_cpu *cpu)
{
	const struct timespec slice = { .tv_nsec = 10000000 };

	atomic_store(&m->stuck_described, 0);
	if (pthread_kill(cpu->thread, SIGNAL_STUCK))
		return;
	for (int i = 0; i < DESCRIBE_WAIT_MS / 10 && !atomic_load(&m->stuck_described); i++)
		nanosleep(&slice, NULL);
}

static void describe(struct monitor *m, struct monitor_cpu *cpu)
{
	char *dump = calloc(1, DUMP_MAX);
	struct rf_regs regs = { 0 };
	int r = rf_machine_dump_cpu(m->machine, cpu->number, &regs, dump, dump ? DUMP_MAX : 0);

	if (r < 0)
		monitor_detail(m, "  no registers: error %d", -r);
	monitor_dump_text(m, dump);
	if (m->residency == RF_RESIDENCY_HOST) {
		describe_thread(m, cpu);
	} else if (r == 0) {
		monitor_dump_address(m, "rip", regs.rip);
		monitor_dump_stack(m, regs.rsp);
	}
	monitor_dump_calls(m, cpu->number);
	free(dump);
}

static void report(struct monitor *m, struct monitor_cpu *cpu, u64 used_ns)
{
	u32 running = 0;

	if (!atomic_compare_exchange_strong(&m->panicked, &running, 1))
		return;
	monitor_headline(
		m,
		"CPU %u does not respond: %lu ms of CPU time without a call, and a kick not taken (%s)",
		cpu->number, used_ns / 1000000,
		READ_ONCE(m->info->cpu[cpu->number].in_user) ? "user code" : "kernel");
	describe(m, cpu);
	monitor_end(m, MONITOR_PANIC, 0);
}

static void look(struct monitor *m, struct monitor_cpu *cpu)
{
	u64 calls = atomic_load(&cpu->calls),
	    kicks = READ_ONCE(m->info->cpu[cpu->number].kicks_taken);
	u64 time = cpu_time_ns(cpu);

	if (atomic_load(&cpu->idle) || calls != cpu->seen_calls || kicks != cpu->seen_kicks ||
	    !time) {
		cpu->seen_calls = calls;
		cpu->seen_kicks = kicks;
		cpu->seen_cpu_ns = time;
		cpu->asked = false;
		return;
	}
	if (!cpu->asked && time - cpu->seen_cpu_ns > m->watchdog_ns / 2) {
		cpu->asked = true;
		monitor_kick(m, cpu->number);
	} else if (cpu->asked && time - cpu->seen_cpu_ns > m->watchdog_ns) {
		report(m, cpu, time - cpu->seen_cpu_ns);
	}
}

void watchdog_check(struct monitor *m, u64 now)
{
	if (!m->watchdog_ns || now < m->watchdog_next_ns)
		return;
	m->watchdog_next_ns = now + WATCHDOG_TICK_NS;
	for (u32 i = 0; i < m->cpus; i++)
		look(m, &m->cpu[i]);
}
