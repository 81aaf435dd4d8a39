/* SPDX-License-Identifier: Apache-2.0 */
/* Making machines and virtual CPUs, and the exits of a kernel in guest ring 0. */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "harness/ring0_image.h"
#include "harness/user_code.h"
#include "platform/bench.h"

#define MANY_CPUS 9u

/* ---- creation ---- */

/* Freeing what was made is not measured, nor is its time in the host kernel. */
static int64_t time_machines(long rounds, uint32_t cpus, enum rf_residency residency)
{
	struct host_time sum = { 0 };
	int64_t total = 0;

	while (rounds--) {
		int fd = bench_device();
		int64_t start;
		struct rf_machine *m;

		host_time_take();
		start = now_ns();
		m = bench_machine_on(fd, cpus, residency, MEMORY);
		total += now_ns() - start;
		host_time_add(&sum);
		rf_machine_free(m);
	}
	host_time_take();
	host_time_give(&sum);
	return total;
}

static int64_t run_machine(struct bench *b, long rounds)
{
	return time_machines(rounds, 1, RF_RESIDENCY_HOST);
}

static int64_t run_machine_guest(struct bench *b, long rounds)
{
	return time_machines(rounds, 1, RF_RESIDENCY_GUEST);
}

static int64_t run_machine_many(struct bench *b, long rounds)
{
	return time_machines(rounds, MANY_CPUS, RF_RESIDENCY_HOST);
}

static int64_t run_machine_free(struct bench *b, long rounds)
{
	struct host_time sum = { 0 };
	int64_t total = 0;

	while (rounds--) {
		struct rf_machine *m = bench_machine(1, RF_RESIDENCY_HOST, MEMORY);
		int64_t start;

		host_time_take();
		start = now_ns();
		rf_machine_free(m);
		total += now_ns() - start;
		host_time_add(&sum);
	}
	host_time_give(&sum);
	return total;
}

/* ---- a kernel of a few instructions in guest ring 0 ---- */

#define STACK 0x20000u /* arena offset, top */

USER_CODE(kernel_hostcall, "1: hlt\n jmp 1b");
/* Spins with interrupts on; the kick's handler says so by a hostcall. */
USER_CODE(kernel_spin, "sti\n 1: jmp 1b\n .balign 16\n kernel_kick: hlt\n iretq");
extern const char kernel_kick[];

static struct rf_machine *boot(const char *code, const char *end)
{
	struct rf_machine *m = bench_machine(1, RF_RESIDENCY_GUEST, 16ul << 20);
	uint8_t *a = rf_machine_memory(m)->base;
	const uint64_t at = RF_ARENA_BASE + O_IMAGE;
	const struct rf_boot_cpu state = ring0_boot_cpu(a, at, at, STACK, O_TSS);
	struct rf_error err;

	memcpy(a + O_IMAGE, code, (size_t)(end - code));
	ring0_tables(a, rf_machine_memory(m)->size);
	ring0_segments(a);
	ring0_gate(a, RF_VECTOR_KICK, at + (uint64_t)(kernel_kick - kernel_spin), 0);
	if (rf_machine_boot_cpu(m, 0, &state, &err))
		die("%s", err.text);
	return m;
}

static void run_to_hostcall(struct rf_machine *m)
{
	enum rf_exit_kind kind;
	static char dump[8192];

	do
		CHECK(rf_machine_run_cpu(m, 0, &kind, dump, sizeof(dump)));
	while (kind == RF_EXIT_SIGNAL);
	if (kind != RF_EXIT_HOSTCALL)
		die("the guest's kernel ended: %s", dump);
}

static int64_t run_hostcall(struct bench *b, long rounds)
{
	struct rf_machine *m = boot(kernel_hostcall, kernel_hostcall_end);
	int64_t start;

	run_to_hostcall(m);
	start = now_ns();
	while (rounds--)
		run_to_hostcall(m);
	start = now_ns() - start;
	rf_machine_free(m);
	return start;
}

struct kicks {
	struct rf_machine *m;
	long rounds;
	atomic_long seen;
};

static void *take_kicks(void *arg)
{
	struct kicks *k = arg;

	for (long i = 0; i <= k->rounds; i++) {
		run_to_hostcall(k->m);
		atomic_fetch_add(&k->seen, 1);
	}
	return NULL;
}

static void kick_and_wait(struct kicks *k)
{
	long before = atomic_load(&k->seen);

	rf_machine_interrupt_cpu(k->m, 0);
	while (atomic_load(&k->seen) == before)
		bench_pause();
}

static int64_t run_kick(struct bench *b, long rounds)
{
	struct kicks k = { .m = boot(kernel_spin, kernel_spin_end), .rounds = rounds };
	pthread_t thread;
	int64_t start;

	if (pthread_create(&thread, NULL, take_kicks, &k))
		die("pthread_create");
	kick_and_wait(&k);
	start = now_ns();
	while (rounds--)
		kick_and_wait(&k);
	start = now_ns() - start;
	pthread_join(thread, NULL);
	rf_machine_free(k.m);
	return start;
}

const struct operation machine_operations[] = {
	{ "machine", "make a machine with its memory slots and one CPU", 5, run_machine,
	  "fork, exit, wait", host_fork, OPERATION_SPLIT },
	{ "machine-9", "make a machine with nine CPUs", 3, run_machine_many, NULL, NULL,
	  OPERATION_SPLIT },
	{ "machine-free", "free a machine with one CPU", 5, run_machine_free, NULL, NULL,
	  OPERATION_SPLIT },
	{ "machine-guest", "make a machine for residency guest", 5, run_machine_guest, NULL, NULL,
	  OPERATION_SPLIT | OPERATION_GUEST },
	{ "hostcall", "HLT in guest ring 0 and back", 100, run_hostcall, "getppid", host_getppid,
	  OPERATION_GUEST },
	{ "kick", "rf_machine_interrupt_cpu() until the handler's hostcall", 50, run_kick,
	  "signal to a spinning thread", host_signal, OPERATION_GUEST },
	{ 0 },
};
