/* SPDX-License-Identifier: Apache-2.0 */
/* rseq: a section is aborted by a signal, by losing the CPU and by membarrier; outside of it the pointer is only cleared. */
#include <linux/membarrier.h>
#include <sys/time.h>

#include "guest/rseq.h"

static volatile sig_atomic_t handled;
static volatile uintptr_t seen_rip;
static volatile uint64_t seen_cs;
extern char section_start[], section_end[], section_abort[];

static void on_signal(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	seen_rip = (uintptr_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
	seen_cs = *(volatile uint64_t *)&rseq_area()->rseq_cs;
	handled++;
}

/* Spins in a section until it is aborted. The other threads see `*inside` become 1. */
static __attribute__((noinline)) void spin_until_aborted(volatile int *inside)
{
	__asm__ volatile(
		RSEQ_DESCRIPTOR("0", "0") RSEQ_ARM(
			"%0") ".globl section_start\nsection_start:\n\t"
			      "movl $1, (%1)\n"
			      "6:\tpause\n\t"
			      "jmp 6b\n"
			      ".globl section_end\nsection_end:\n"
			      "2:\n\t" RSEQ_ABORT(
				      "0x53053053") ".globl section_abort\nsection_abort:\n"
						    "5:"
		:
		: "r"(rseq_area()), "r"(inside)
		: "rax", "memory", "cc");
	*inside = 0;
}

/* The handler's frame holds the abort address: the section's code is never returned to. */
static void by_signal(void)
{
	static const struct itimerval soon = { { 0, 0 }, { 0, 3000 } };
	volatile int inside = 0;

	handle_info(SIGALRM, on_signal, 0);
	for (int i = 0; i < 5; i++) {
		struct itimerval left;

		handled = 0;
		OK(setitimer(ITIMER_REAL, &soon, NULL));
		do /* a switch may come before the signal does */
			spin_until_aborted(&inside);
		while (!handled);
		OK(getitimer(ITIMER_REAL, &left));
		CHECK_EQ(left.it_value.tv_usec, 0);
		CHECK(!(seen_rip > (uintptr_t)section_start && seen_rip < (uintptr_t)section_end));
		CHECK_EQ(seen_cs, 0);
	}
}

/* More spinning processes than CPUs: each section ends by losing the CPU. */
static void by_preemption(void)
{
	volatile int inside = 0;
	pid_t others[8];
	int n = (int)sysconf(_SC_NPROCESSORS_ONLN);

	n = n > 7 ? 8 : n + 1;
	for (int i = 0; i < n; i++) {
		others[i] = fork();
		CHECK(others[i] >= 0);
		if (others[i] == 0)
			for (;;)
				__asm__ volatile("pause");
	}
	for (int i = 0; i < 3; i++)
		spin_until_aborted(&inside);
	for (int i = 0; i < n; i++) {
		OK(kill(others[i], SIGKILL));
		wait_for(others[i]);
	}
}

static volatile int other_inside;
static volatile int other_aborts;

static void *other_thread(void *arg)
{
	while (other_aborts < 3) {
		spin_until_aborted(&other_inside);
		other_aborts++;
	}
	return arg;
}

static void by_membarrier(void)
{
	pthread_t thread;

	FAILS(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ, 0, 0), EPERM);
	OK(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ, 0, 0));
	FAILS(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ, 2, 0), EINVAL);
	FAILS(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ, 1, 0),
	      EINVAL);
	CHECK_EQ(pthread_create(&thread, NULL, other_thread, NULL), 0);
	while (other_aborts < 3) {
		if (other_inside)
			OK(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ, 0, 0));
		else
			sched_yield();
	}
	CHECK_EQ(pthread_join(thread, NULL), 0);
	for (int cpu = 0; cpu < 70; cpu += 69)
		OK(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ,
			   MEMBARRIER_CMD_FLAG_CPU, cpu));
}

/* The pointer is left behind by a section that ended; losing the CPU clears it and nothing else. */
static void stale_pointer(void)
{
	static char counters[4096 * 64];
	volatile uint64_t *cs = (volatile uint64_t *)&rseq_area()->rseq_cs;

	while (!rseq_add(rseq_area(), counters, 64))
		;
	while (*cs)
		sleep_ms(1);
}

int main(void)
{
	by_signal();
	say("signal\n");
	by_preemption();
	say("preemption\n");
	by_membarrier();
	say("membarrier\n");
	stale_pointer();
	say("cleared\n");
	return 0;
}
