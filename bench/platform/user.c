/* SPDX-License-Identifier: Apache-2.0 */
/* Running user code: system calls, faults, switches, interruption. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include "harness/user_code.h"
#include "platform/bench.h"

#define TOUCH_PAGES 256l

USER_CODE(code_syscall, "1: syscall\n jmp 1b");
USER_CODE(code_load, "1: mov (%rdi), %eax\n jmp 1b");
USER_CODE(code_touch, "1: movb $1, (%rdi)\n add $4096, %rdi\n jmp 1b");
USER_CODE(code_spin, "1: jmp 1b");

static void start_at(struct bench *b, int which, uint64_t rdi)
{
	b->regs[which] =
		(struct rf_regs){ .rip = CODE, .rsp = DATA + PAGE, .rflags = 0x202, .rdi = rdi };
}

static void load_code(struct bench *b, const char *code, const char *end)
{
	uint8_t *at = (uint8_t *)rf_machine_memory(b->machine)->base + CODE_OFFSET;

	memcpy(at, code, (size_t)(end - code));
	start_at(b, 0, 0);
	start_at(b, 1, 0);
}
#define LOAD(b, name) load_code(b, name, name##_end)

static void step(struct bench *b, int context, int as, uint32_t expected)
{
	struct rf_trap trap;

	CHECK(rf_context_switch(b->context[context], b->as[as], &b->regs[context], 0, &trap));
	if (trap.kind != expected)
		die("trap %u instead of %u (vector %u, code %d)", trap.kind, expected, trap.vector,
		    trap.code);
}

void user_warm(struct bench *b)
{
	LOAD(b, code_syscall);
	for (int i = 0; i < 4; i++)
		step(b, i & 1, i >> 1, RF_TRAP_SYSCALL);
}

static int64_t run_syscall(struct bench *b, long rounds)
{
	int64_t start;

	LOAD(b, code_syscall);
	step(b, 0, 0, RF_TRAP_SYSCALL);
	start = now_ns();
	while (rounds--)
		step(b, 0, 0, RF_TRAP_SYSCALL);
	return now_ns() - start;
}

static int64_t run_fault(struct bench *b, long rounds)
{
	int64_t start;

	LOAD(b, code_load);
	b->regs[0].rdi = TOUCH;
	step(b, 0, 0, RF_TRAP_FAULT);
	start = now_ns();
	while (rounds--)
		step(b, 0, 0, RF_TRAP_FAULT);
	return now_ns() - start;
}

/* A page is mapped where user code faulted, which goes on to the next. */
static int64_t run_demand(struct bench *b, long rounds)
{
	struct rf_address_space *as = b->as[0];
	int64_t total = 0;

	while (rounds > 0) {
		int64_t start;

		LOAD(b, code_touch);
		start_at(b, 0, TOUCH);
		step(b, 0, 0, RF_TRAP_FAULT);
		start = now_ns();
		for (long i = 0; i < TOUCH_PAGES && rounds > 0; i++, rounds--) {
			CHECK(rf_address_space_map_file(as, b->regs[0].rdi,
							TOUCH_OFFSET + (uint64_t)i * PAGE, PAGE,
							RF_READ | RF_WRITE, false));
			step(b, 0, 0, RF_TRAP_FAULT);
		}
		total += now_ns() - start;
		CHECK(rf_address_space_unmap(as, TOUCH, (TOUCH_PAGES + 1) * PAGE));
		CHECK(rf_address_space_flush(as));
	}
	return total;
}

/* A round is one switch, to the other of two contexts, of two address spaces, or both. */
static int64_t run_alternately(struct bench *b, long rounds, int contexts, int spaces)
{
	int64_t start;

	LOAD(b, code_syscall);
	step(b, contexts, spaces, RF_TRAP_SYSCALL);
	step(b, 0, 0, RF_TRAP_SYSCALL);
	start = now_ns();
	for (long i = 0; i < rounds; i++)
		step(b, (int)(~i & contexts), (int)(~i & spaces), RF_TRAP_SYSCALL);
	return now_ns() - start;
}

static int64_t run_as_switch(struct bench *b, long rounds)
{
	return run_alternately(b, rounds, 0, 1);
}

/* FPU state is saved and loaded at each switch. */
static int64_t run_fpu_switch(struct bench *b, long rounds)
{
	return run_alternately(b, rounds, 1, 0);
}

static int64_t run_task_switch(struct bench *b, long rounds)
{
	return run_alternately(b, rounds, 1, 1);
}

/* ---- a thread whose user code spins on CPU 1 ---- */

static atomic_bool spin_stop;
static atomic_long spin_returns;

static void *spin_thread(void *arg)
{
	struct bench *b = arg;
	struct rf_trap trap;

	while (!atomic_load(&spin_stop)) {
		CHECK(rf_context_switch(b->context[1], b->as[0], &b->regs[1], 1, &trap));
		if (trap.kind != RF_TRAP_INTERRUPT)
			die("the spinning program trapped: %u", trap.kind);
		atomic_fetch_add(&spin_returns, 1);
	}
	return NULL;
}

static void interrupt_and_wait(struct bench *b)
{
	long before = atomic_load(&spin_returns);

	rf_context_interrupt(b->context[1]);
	while (atomic_load(&spin_returns) == before)
		sched_yield();
}

static pthread_t spin_start(struct bench *b)
{
	pthread_t thread;

	LOAD(b, code_spin);
	atomic_store(&spin_stop, false);
	if (pthread_create(&thread, NULL, spin_thread, b))
		die("pthread_create");
	interrupt_and_wait(b); /* it runs */
	return thread;
}

static void spin_end(struct bench *b, pthread_t thread)
{
	atomic_store(&spin_stop, true);
	rf_context_interrupt(b->context[1]);
	pthread_join(thread, NULL);
}

static int64_t run_interrupt(struct bench *b, long rounds)
{
	pthread_t thread = spin_start(b);
	int64_t start = now_ns();

	while (rounds--)
		interrupt_and_wait(b);
	start = now_ns() - start;
	spin_end(b, thread);
	return start;
}

/* A page loses write permission, and no CPU has the old translation any more. */
static int64_t run_protect(struct bench *b, long rounds)
{
	struct rf_address_space *as = b->as[0];
	int64_t total = 0;

	while (rounds--) {
		int64_t start;

		CHECK(rf_address_space_map_file(as, TOUCH, TOUCH_OFFSET, PAGE, RF_READ | RF_WRITE,
						false));
		CHECK(rf_address_space_flush(as));
		start = now_ns();
		CHECK(rf_address_space_protect(as, TOUCH, PAGE, RF_READ));
		CHECK(rf_address_space_flush(as));
		total += now_ns() - start;
	}
	CHECK(rf_address_space_unmap(as, TOUCH, PAGE));
	CHECK(rf_address_space_flush(as));
	return total;
}

static int64_t run_protect_running(struct bench *b, long rounds)
{
	pthread_t thread = spin_start(b);
	int64_t total = run_protect(b, rounds);

	spin_end(b, thread);
	return total;
}

const struct operation user_operations[] = {
	{ "syscall", "system call of user code and back to it", 400, run_syscall, "getppid",
	  host_getppid, 0 },
	{ "fault", "page fault of user code, reported", 400, run_fault, "SIGSEGV to a handler",
	  host_segv, 0 },
	{ "demand", "page fault answered by mapping the page", 512, run_demand,
	  "first touch of an anonymous page", host_touch, 0 },
	{ "as-switch", "system call, the other address space next", 200, run_as_switch,
	  "process switch on one CPU, futex", host_process_switch, 0 },
	{ "fpu-switch", "system call, another context next (FPU state)", 200, run_fpu_switch,
	  "process switch on one CPU, futex", host_process_switch, 0 },
	{ "task-switch", "system call, another context and address space next", 200,
	  run_task_switch, "process switch on one CPU, futex", host_process_switch, 0 },
	{ "interrupt", "rf_context_interrupt() until the trap is returned", 100, run_interrupt,
	  "signal to a spinning thread", host_signal, 0 },
	{ "protect", "protect and flush of a page, nothing running", 200, run_protect, "mprotect",
	  host_protect, 0 },
	{ "protect-running", "the same, another CPU running there", 100, run_protect_running,
	  "mprotect, another thread running", host_protect_running, 0 },
	{ 0 },
};
