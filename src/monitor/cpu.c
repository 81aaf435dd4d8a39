/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CPU threads. Residency guest: the thread runs its vCPU and serves what it halts for. Residency host: the thread enters the
 * kernel, which comes back through monitor_host_trap() on this thread's stack.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "monitor/monitor.h"

#define DUMP_MAX 12288

/* The kernel passes only a CPU number: one sandbox per monitor process. */
static struct monitor *host_monitor;

static __noreturn void cpu_park(void)
{
	for (;;)
		pause();
}

/* Called by the kernel with SysV conventions; declared for nobody else. */
void monitor_host_trap(u64 cpu);
void monitor_host_trap(u64 cpu)
{
	struct monitor *m = host_monitor;

	if (cpu >= m->cpus) {
		monitor_log(m, "ringfence: the kernel trapped as CPU %lu, which does not exist",
			    cpu);
		monitor_end(m, MONITOR_PANIC, 0);
		cpu_park();
	}
	/* After the end there is nothing to return to; HC_CPU_EXIT returns, and the kernel leaves its entry. */
	if (!monitor_serve(m, (u32)cpu) && atomic_load(&m->ended))
		cpu_park();
}

static void cpu_run_host(struct monitor_cpu *cpu)
{
	void (*entry)(u64) = (void (*)(u64))(uintptr_t)cpu->monitor->image.header.entry_host;

	entry(cpu->number);
}

static int cpu_boot_guest(struct monitor_cpu *cpu, struct rf_error *err)
{
	struct monitor *m = cpu->monitor;
	const struct kernel_header *h = &m->image.header;
	struct rf_boot_cpu state = {
		.rip = h->entry_guest,
		.rsp = h->boot_stacks + (cpu->number + 1) * h->boot_stack_size,
		.arg = cpu->number,
		.cr3 = m->info->kernel_root,
	};

	return rf_machine_boot_cpu(m->machine, cpu->number, &state, err);
}

static void cpu_report(struct monitor_cpu *cpu, const char *what, const char *dump)
{
	struct monitor *m = cpu->monitor;
	struct rf_regs regs;
	u32 running = 0;

	if (!atomic_compare_exchange_strong(&m->panicked, &running, 1))
		return;
	monitor_headline(m, "CPU %u: %s", cpu->number, what);
	monitor_dump_text(m, dump);
	if (rf_machine_dump_cpu(m->machine, cpu->number, &regs, NULL, 0) == 0) {
		monitor_dump_address(m, "rip", regs.rip);
		monitor_dump_stack(m, regs.rsp);
	}
	monitor_dump_calls(m, cpu->number);
}

static void cpu_run_guest(struct monitor_cpu *cpu)
{
	struct monitor *m = cpu->monitor;
	enum rf_exit_kind kind;
	char *dump = calloc(1, DUMP_MAX);
	int r;

	while (!atomic_load_explicit(&m->ended, memory_order_relaxed)) {
		r = rf_machine_run_cpu(m->machine, cpu->number, &kind, dump, dump ? DUMP_MAX : 0);
		if (r < 0) {
			cpu_report(cpu, "the platform cannot run it", dump);
			monitor_end(m, MONITOR_FAILED, 0);
			break;
		}
		if (kind == RF_EXIT_FATAL) {
			cpu_report(cpu, "the kernel is lost", dump);
			monitor_end(m, MONITOR_PANIC, 0);
			break;
		}
		if (kind == RF_EXIT_HOSTCALL && !monitor_serve(m, cpu->number))
			break;
	}
	free(dump);
}

static void *cpu_main(void *arg)
{
	struct monitor_cpu *cpu = arg;
	struct monitor *m = cpu->monitor;
	struct rf_error err = { 0 };
	int r = crash_thread_init(cpu);

	if (r == 0 && m->residency == RF_RESIDENCY_GUEST)
		r = cpu_boot_guest(cpu, &err);
	pthread_barrier_wait(&m->gate); /* set up */
	pthread_barrier_wait(&m->gate); /* let go */
	if (r < 0) {
		monitor_log(m, "ringfence: cannot start CPU %u: %s", cpu->number, err.text);
		monitor_end(m, MONITOR_FAILED, 0);
	} else if (m->residency == RF_RESIDENCY_GUEST) {
		cpu_run_guest(cpu);
	} else {
		cpu_run_host(cpu);
	}
	if (!atomic_load(&m->ended) && atomic_fetch_sub(&m->cpus_left, 1) == 1) {
		monitor_log(m,
			    "ringfence: every CPU has stopped, and the sandbox has no exit status");
		monitor_end(m, MONITOR_PANIC, 0);
	}
	return NULL;
}

int cpus_start(struct monitor *m, struct rf_error *err)
{
	int r;

	host_monitor = m;
	m->info->host_trap = (u64)(uintptr_t)monitor_host_trap;
	atomic_store(&m->busy, m->cpus);
	atomic_store(&m->cpus_left, m->cpus);
	pthread_barrier_init(&m->gate, NULL, m->cpus + (inject_wanted(m) ? 2 : 1));
	for (u32 i = 0; i < m->cpus; i++) {
		m->cpu[i].monitor = m;
		m->cpu[i].number = i;
		r = pthread_create(&m->cpu[i].thread, NULL, cpu_main, &m->cpu[i]);
		if (r)
			return error_set(err, -r, "cannot start the thread of CPU %u", i);
	}
	return 0;
}
