/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Residency guest: a small ring-0 image on each CPU. Its user code counts, checks its registers and
 * makes system calls; ring 0 spends some time with interrupts off at each, makes a hostcall now and
 * then, and counts the kicks (vector RF_VECTOR_KICK). For each CPU an interrupter sends one, and
 * waits until it has been counted.
 */
#include "stress/platform/stress.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/ring0_image.h"
#include "harness/user_code.h"

/* Arena offsets, beside those of ring0_image.h; 0x1000 a CPU. */
#define O_AREA  0x100000u /* GS */
#define O_STACK 0x181000u /* top of the first */

/* Words of the area. */
enum { AREA_CALLS, AREA_KICKS, AREA_BAD, AREA_STOP, AREA_HOSTCALLS, AREA_KICKS_RING0, AREA_RSP };

/*
 * ring 0 entry: RDI is the CPU. System call: RAX 1 is a report of wrong registers; every 64th makes
 * a hostcall with interrupts off, and every 8th spends time. The kick's handler ends by IRETQ and
 * does not touch what user code checks.
 */
USER_CODE(stress_image, "stress_entry:\n"
			"	mov $0x400000, %ecx\n"
			"	mov $0x202, %r11d\n"
			"	mov $0x1234567, %r12d\n"
			"	mov %r12, %r13\n"
			"	movq %r12, %xmm7\n"
			"	xor %ebx, %ebx\n"
			"	sysretq\n"
			"stress_syscall:\n"
			"	incq %gs:0\n"
			"	cmp $1, %rax\n"
			"	jne 1f\n"
			"	incq %gs:16\n"
			"1:	testl $7, %gs:0\n"
			"	jnz 3f\n"
			"	mov $300, %eax\n"
			"2:	dec %eax\n"
			"	jnz 2b\n"
			"3:	testl $63, %gs:0\n"
			"	jnz 4f\n"
			"	incq %gs:32\n"
			"	hlt\n"
			"4:	sysretq\n"
			"stress_kick:\n"
			"	incq %gs:8\n"
			"	testl $3, 8(%rsp)\n"
			"	jnz 5f\n"
			"	incq %gs:40\n"
			"5:	cmpq $0, %gs:24\n"
			"	je 6f\n"
			"	hlt\n"
			"6:	iretq\n");
extern const char stress_entry[], stress_syscall[], stress_kick[];

/* Counts; checks R12 == R13 == XMM7; a system call every 4096 rounds. */
USER_CODE(stress_user, "1:	inc %rbx\n"
		       "	cmp %r12, %r13\n"
		       "	jne 2f\n"
		       "	movq %xmm7, %rdx\n"
		       "	cmp %rdx, %r13\n"
		       "	jne 2f\n"
		       "	test $0xfff, %ebx\n"
		       "	jnz 1b\n"
		       "	xor %eax, %eax\n"
		       "	syscall\n"
		       "	jmp 1b\n"
		       "2:	mov $1, %eax\n"
		       "	syscall\n"
		       "	jmp 1b\n");

struct cpu {
	struct rf_machine *m;
	uint32_t index;
	volatile uint64_t *area;
	struct stress_rng rng;
	struct stress_progress progress;
	_Atomic uint64_t sent;
	_Atomic bool ended;
	pthread_t runner, interrupter;
};

static uint64_t image_va(const char *label)
{
	return RF_ARENA_BASE + O_IMAGE + (uint64_t)(label - stress_image);
}

static void build(uint8_t *a, uint64_t size)
{
	ring0_tables(a, size);
	ring0_segments(a);
	ring0_gate(a, RF_VECTOR_KICK, image_va(stress_kick), 0);
	memcpy(a + O_IMAGE, stress_image, (size_t)(stress_image_end - stress_image));
	memcpy(a + O_USER, stress_user, (size_t)(stress_user_end - stress_user));
}

static void boot(struct rf_machine *m, uint32_t cpu)
{
	struct rf_boot_cpu state = ring0_boot_cpu(rf_machine_memory(m)->base,
						  image_va(stress_entry), image_va(stress_syscall),
						  O_STACK + 0x1000 * cpu, O_TSS + 0x100 * cpu);
	struct rf_error err = { 0 };

	state.gs_base = RF_ARENA_BASE + O_AREA + 0x1000 * cpu;
	state.arg = cpu;
	if (rf_machine_boot_cpu(m, cpu, &state, &err))
		stress_fail("%s", err.text);
}

static void describe(void *owner)
{
	const struct cpu *c = owner;

	printf("CPU %u: %lu sent, %lu kicks, %lu calls, %lu hostcalls", c->index,
	       atomic_load(&c->sent), c->area[AREA_KICKS], c->area[AREA_CALLS],
	       c->area[AREA_HOSTCALLS]);
}

static void check(const struct cpu *c)
{
	if (c->area[AREA_BAD])
		stress_fail("CPU %u: user code's registers changed", c->index);
	if (c->area[AREA_KICKS] > atomic_load(&c->sent))
		stress_fail("CPU %u: %lu kicks of %lu", c->index, c->area[AREA_KICKS],
			    atomic_load(&c->sent));
}

static void *runner_main(void *arg)
{
	struct cpu *c = arg;
	struct stress_rng rng = { stress_options.seed * 967 + c->index };
	static _Thread_local char dump[16384];
	enum rf_exit_kind kind;

	atomic_store(&c->progress.phase, "running");
	do {
		if (rf_machine_run_cpu(c->m, c->index, &kind, dump, sizeof(dump)))
			stress_fail("rf_machine_run_cpu");
		if (kind == RF_EXIT_FATAL)
			stress_fail("CPU %u: %s", c->index, dump);
		atomic_fetch_add(&stress_totals.switches, 1);
		check(c);
		atomic_store(&c->progress.phase, "outside");
		if (stress_below(&rng, 4) == 0)
			stress_pause(&rng);
		atomic_store(&c->progress.phase, "running");
	} while (!c->area[AREA_STOP]);
	atomic_store(&c->progress.phase, "done");
	return NULL;
}

static void kick(struct cpu *c)
{
	atomic_fetch_add(&c->sent, 1);
	atomic_fetch_add(&stress_totals.sent, 1);
	rf_machine_interrupt_cpu(c->m, c->index);
}

static void *interrupter_main(void *arg)
{
	struct cpu *c = arg;

	while (!stress_over()) {
		uint64_t before = c->area[AREA_KICKS];

		for (uint64_t n = stress_below(&c->rng, 8) ? 1 : 3; n; n--)
			kick(c); /* several are one, or two */
		for (unsigned i = 0; c->area[AREA_KICKS] == before; i++)
			if (i > 1000)
				usleep(20);
		atomic_fetch_add(&stress_totals.taken, 1);
		atomic_fetch_add(&c->progress.steps, 1);
		stress_pause(&c->rng);
	}
	/* The handler sees it and makes a hostcall. */
	c->area[AREA_STOP] = 1;
	kick(c);
	return NULL;
}

int stress_guest(struct rf_machine *m)
{
	uint8_t *a = rf_machine_memory(m)->base;
	uint32_t n = stress_options.cpus;
	struct rf_traits traits;
	struct cpu *cpus;

	rf_machine_traits(m, &traits);
	if (!traits.can_boot) {
		printf("# ring 0 is not native here\n");
		return -1;
	}
	if (n > 16)
		stress_fail("at most 16 CPUs, please");
	cpus = calloc(n, sizeof(*cpus));
	if (!cpus)
		stress_fail("no memory");
	build(a, rf_machine_memory(m)->size);
	for (uint32_t i = 0; i < n; i++) {
		cpus[i] = (struct cpu){ .m = m, .index = i };
		cpus[i].area = (uint64_t *)(a + O_AREA + 0x1000 * i);
		cpus[i].rng.state = stress_options.seed * 953 + i;
		cpus[i].progress.phase = "starting";
		cpus[i].progress.describe = describe;
		cpus[i].progress.owner = &cpus[i];
		boot(m, i);
		stress_watch(&cpus[i].progress);
	}
	for (uint32_t i = 0; i < n; i++)
		if (pthread_create(&cpus[i].runner, NULL, runner_main, &cpus[i]) ||
		    pthread_create(&cpus[i].interrupter, NULL, interrupter_main, &cpus[i]))
			stress_fail("no thread");
	for (uint32_t i = 0; i < n; i++) {
		pthread_join(cpus[i].interrupter, NULL);
		pthread_join(cpus[i].runner, NULL);
		check(&cpus[i]);
		atomic_fetch_add(&stress_totals.system_calls, cpus[i].area[AREA_CALLS]);
		atomic_fetch_add(&stress_totals.kicks_in_ring0, cpus[i].area[AREA_KICKS_RING0]);
	}
	free(cpus);
	if (stress_totals.kicks_in_ring0)
		stress_fail("kicks came in ring 0, where interrupts are off");
	return 0;
}
