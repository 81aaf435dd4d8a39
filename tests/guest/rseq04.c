/* SPDX-License-Identifier: Apache-2.0 */
/* rseq: a corrupt descriptor, signature or area ends in SIGSEGV when the CPU is lost; a handler may run first. */
#include <setjmp.h>

#include "guest/rseq.h"

static struct rseq_cs bad __attribute__((aligned(32)));
extern char wrong_abort[], right_abort[], after_all[];

/* Abort addresses with a wrong and a right signature in front; never run. */
__attribute__((used)) static void abort_addresses(void)
{
	__asm__ volatile(".long 0x11111111\n.globl wrong_abort\nwrong_abort:\n\tnop\n\t"
			 ".long 0x53053053\n.globl right_abort\nright_abort:\n\tnop\n"
			 ".globl after_all\nafter_all:");
}

static uint64_t here(void)
{
	return (uintptr_t)wrong_abort & ~0xfffull;
}

/* Losing the CPU is likely in a sleep; on a slow machine the time may be up before it begins. */
static int sleep_with(void *cs)
{
	volatile uint64_t *pointer = (volatile uint64_t *)&rseq_area()->rseq_cs;

	*pointer = (uintptr_t)cs;
	for (int ms = 1; *pointer && ms < 200; ms++)
		sleep_ms(ms);
	return *pointer != 0;
}

static void sleep_often(void)
{
	for (int ms = 1; ms < 50; ms++)
		sleep_ms(ms);
}

static void expect(const char *what, int (*fn)(void *), void *arg)
{
	int status = wait_for(spawn(fn, arg));

	say("%s: %s %d\n", what, WIFSIGNALED(status) ? "signal" : "exit",
	    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

static void on_segv(int sig)
{
	(void)sig;
	_exit(11);
}

static int handler_runs(void *cs)
{
	handle(SIGSEGV, on_segv, 0);
	return sleep_with(cs);
}

static int blocked_signal(void *cs)
{
	block(SIGSEGV);
	return sleep_with(cs);
}

/* Flags matter only inside of the section. */
static int spin_with_flags(void *flags)
{
	alarm(5);
	bad = (struct rseq_cs){ .abort_ip = (uintptr_t)right_abort };
	rseq_area()->flags = (uint32_t)(uintptr_t)flags;
	__asm__ volatile("leaq 1f(%%rip), %%rax\n\t"
			 "movq %%rax, %0\n\t"
			 "leaq 2f(%%rip), %%rcx\n\t"
			 "subq %%rax, %%rcx\n\t"
			 "movq %%rcx, %1\n\t"
			 "movq %3, %2\n"
			 "1:\tpause\n\t"
			 "jmp 1b\n"
			 "2:"
			 : "=m"(bad.start_ip), "=m"(bad.post_commit_offset),
			   "=m"(rseq_area()->rseq_cs)
			 : "r"(&bad)
			 : "rax", "rcx", "memory");
	return 0;
}

static int spin(void *arg)
{
	alarm(20);
	for (;;)
		__asm__ volatile("pause" : : "r"(arg));
	return 0;
}

/* Against as many spinning processes as there are CPUs, so that it loses its own. */
static int spin_against_others(void *flags)
{
	pid_t other[64];
	int n = (int)sysconf(_SC_NPROCESSORS_ONLN), status;

	n = n > 64 ? 64 : n;
	for (int i = 0; i < n; i++)
		other[i] = spawn(spin, NULL);
	status = wait_for(spawn(spin_with_flags, flags));
	for (int i = 0; i < n; i++) {
		OK(kill(other[i], SIGKILL));
		wait_for(other[i]);
	}
	return WTERMSIG(status);
}

static int unmapped_area(void *arg)
{
	struct rseq *area = map_pages(1, PROT_READ | PROT_WRITE);

	(void)arg;
	rseq_release();
	OK(rseq_call(area, 32, 0, RSEQ_SIG));
	OK(munmap(area, PAGE));
	sleep_often();
	return 0;
}

static int read_only_area(void *arg)
{
	struct rseq *area = map_pages(1, PROT_READ | PROT_WRITE);

	(void)arg;
	rseq_release();
	OK(rseq_call(area, 32, 0, RSEQ_SIG));
	area->cpu_id = area->cpu_id_start = 5000;
	OK(mprotect(area, PAGE, PROT_READ));
	sleep_often();
	return 0;
}

static void *descriptor(uint32_t version, uint64_t start, uint64_t length, uint64_t abort)
{
	bad = (struct rseq_cs){ .version = version,
				.start_ip = start,
				.post_commit_offset = length,
				.abort_ip = abort };
	return &bad;
}

/* Linux looks again when it delivers the signal, if the task lost the CPU once more before: then the handler does not run. */
static void expect_segv_or_handler(int (*fn)(void *), void *arg)
{
	int status = wait_for(spawn(fn, arg));

	CHECK(WIFSIGNALED(status) ? WTERMSIG(status) == SIGSEGV : WEXITSTATUS(status) == 11);
}

int main(void)
{
	const uint64_t right = (uintptr_t)right_abort, wrong = (uintptr_t)wrong_abort;

	expect("good", sleep_with, descriptor(0, here(), 1, right));
	expect("no pointer", sleep_with, NULL);
	expect("bad pointer", sleep_with, bad_address());
	expect("kernel pointer", sleep_with, (void *)0xffff800000000000);
	expect("version", sleep_with, descriptor(1, here(), 1, right));
	expect("signature", sleep_with, descriptor(0, here(), 1, wrong));
	expect("abort inside", sleep_with, descriptor(0, right - 1, 4, right));
	expect("overflow", sleep_with, descriptor(0, here(), ~0ull, right));
	expect("start beyond", sleep_with, descriptor(0, 1ull << 63, 1, right));
	expect("abort beyond", sleep_with, descriptor(0, here(), 1, 1ull << 63));
	expect("abort unmapped", sleep_with, descriptor(0, here(), 1, (uintptr_t)bad_address()));
	expect_segv_or_handler(handler_runs, descriptor(0, here(), 1, wrong));
	expect("blocked", blocked_signal, descriptor(0, here(), 1, wrong));
	expect("flags", spin_against_others, (void *)1);
	expect("unmapped area", unmapped_area, NULL);
	expect("read-only area", read_only_area, NULL);
	return 0;
}
