/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Residency host. Each group has two CPU numbers, some contexts and two threads:
 *
 *   the runner switches to its contexts, on either CPU, in programs that spin, call, fault, compute
 *   with vector registers, read and write shared pages, and checks every register at every trap;
 *   the interrupter picks a context or a CPU, asks for an interrupt, and waits until it was taken.
 *
 * Whether an interrupt was lost is decided at each switch: one whose request was complete before the
 * switch began, and was begun after the last interrupt trap came back, must end this switch.
 */
#include "stress/platform/stress.h"

#include <cpuid.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stress/platform/spaces.h"

#define CONTEXTS   5u
#define GROUPS_MAX 32u
#define CPUS_EACH  2u
#define FPU_BYTES  4096u
#define XMM0       160u

#define PROGRAM(name, text)                                                      \
	extern const char name[], name##_end[];                                  \
	__asm__(".pushsection .rodata\n.balign 16\n" #name ":\n" text "\n" #name \
		"_end:\n.popsection\n")

/* RBX counts; RDI is a shared page, R8 the upper half of what may be in it, R13 what XMM7 holds. */
PROGRAM(program_spin, "1: inc %rbx\n jmp 1b");
PROGRAM(program_call, "1: inc %rbx\n mov %rbx, %rax\n syscall\n jmp 1b");
PROGRAM(program_fault, "1: inc %rbx\n ud2\n jmp 1b");
PROGRAM(program_fpu,
	"1: inc %rbx\n movq %xmm7, %rax\n cmp %rax, %r13\n je 1b\n mov $-1, %rax\n syscall");
PROGRAM(program_read, "1: inc %rbx\n mov (%rdi), %rax\n mov %rax, %rcx\n shr $32, %rcx\n"
		      "cmp %rcx, %r8\n je 1b\n mov $-2, %rax\n syscall");
PROGRAM(program_write, "1: inc %rbx\n mov %rsi, (%rdi)\n jmp 1b");
PROGRAM(program_base,
	"1: inc %rbx\n rdfsbase %rax\n cmp %rax, %r14\n je 1b\n mov $-3, %rax\n syscall");

static const struct {
	const char *name, *start, *end;
} programs[] = {
#define P(n)                                       \
	{                                          \
#n, program_##n, program_##n##_end \
	}
	P(spin), P(call), P(fault), P(fpu), P(read), P(write), P(base),
};
#define PROGRAMS (sizeof(programs) / sizeof(programs[0]))
enum { SPIN, CALL, FAULT, FPU, READ, WRITE, BASE };
#define PROGRAM_BYTES 0x100u

/* Who can be interrupted. A request is counted before it is made and after. */
struct target {
	_Atomic uint64_t begun, made, taken;
};

struct member {
	struct target target;
	struct rf_context *c;
	pthread_mutex_t lock; /* the runner replaces c, the interrupter uses it */
	uint8_t fpu[FPU_BYTES];
};

struct group {
	struct rf_machine *m;
	struct spaces *spaces;
	unsigned index;
	struct member members[CONTEXTS];
	struct target cpus[CPUS_EACH];
	struct stress_rng rng, interrupter_rng;
	struct stress_progress runner_progress;
	_Atomic bool runner_done;
	pthread_t runner, interrupter;

	/* of the runner; the watchdog looks at it without a lock */
	_Atomic unsigned current, cpu, program;
	struct rf_regs regs, want;
	struct rf_trap trap;
	_Atomic bool in_switch;
};

static void describe_target(const char *name, const struct target *t)
{
	printf(" %s %lu/%lu/%lu", name, atomic_load(&t->begun), atomic_load(&t->made),
	       atomic_load(&t->taken));
}

static void describe_group(void *owner)
{
	const struct group *g = owner;

	printf("context %u on CPU %u, program %s, %s switch, last trap kind %u vector %u code %d, rip "
	       "0x%lx rbx %lu; begun/made/taken:",
	       g->current, g->index * CPUS_EACH + g->cpu, programs[g->program].name,
	       g->in_switch ? "in" : "outside a", g->trap.kind, g->trap.vector, g->trap.code,
	       g->regs.rip, g->regs.rbx);
	for (unsigned i = 0; i < CONTEXTS; i++)
		describe_target("context", &g->members[i].target);
	for (unsigned i = 0; i < CPUS_EACH; i++)
		describe_target("cpu", &g->cpus[i]);
}

/* ---- the interrupter ---- */

static void send(struct group *g, struct target *t, struct member *member, uint32_t cpu)
{
	uint64_t seq;

	if (member)
		pthread_mutex_lock(&member->lock);
	seq = atomic_fetch_add(&t->begun, 1) + 1;
	if (member)
		rf_context_interrupt(member->c);
	else
		rf_machine_interrupt_cpu(g->m, cpu);
	atomic_store(&t->made, seq);
	if (member)
		pthread_mutex_unlock(&member->lock);
	atomic_fetch_add(&stress_totals.sent, 1);
}

static void preempt(struct member *member)
{
	pthread_mutex_lock(&member->lock);
	rf_context_preempt(member->c);
	pthread_mutex_unlock(&member->lock);
}

/* Who is not running may have to wait, for an interrupt of who is: then the runner's check remains. */
static bool is_running(const struct group *g, const struct target *t)
{
	return t == &g->members[g->current].target || t == &g->cpus[g->cpu];
}

static void wait_taken(struct group *g, const struct target *t)
{
	uint64_t want = atomic_load(&t->made);

	for (unsigned i = 0;
	     atomic_load(&t->taken) < want && is_running(g, t) && !atomic_load(&g->runner_done);
	     i++)
		if (i > 1000)
			usleep(20);
}

static void *interrupter_main(void *arg)
{
	struct group *g = arg;
	struct stress_rng *rng = &g->interrupter_rng;

	while (!atomic_load(&g->runner_done)) {
		unsigned i = (unsigned)stress_below(rng, CONTEXTS);
		unsigned cpu = (unsigned)stress_below(rng, CPUS_EACH);
		unsigned current = g->current; /* most of the time, who runs */
		struct target *t = &g->cpus[cpu];
		struct member *member = NULL;

		stress_pause(rng);
		if (stress_below(rng, 4))
			i = current;
		if (stress_below(rng, 8) == 0)
			preempt(&g->members[i]);
		if (stress_below(rng, 3)) {
			member = &g->members[i];
			t = &member->target;
		}
		/* sometimes several at once: they are one */
		for (uint64_t n = stress_below(rng, 8) ? 1 : 3; n; n--)
			send(g, t, member, g->index * CPUS_EACH + cpu);
		wait_taken(g, t);
	}
	return NULL;
}

/* ---- the runner ---- */

static bool owed(const struct target *t, uint64_t made)
{
	return made > atomic_load(&t->taken);
}

static bool take(struct target *t)
{
	uint64_t begun = atomic_load(&t->begun), before = atomic_load(&t->taken);

	atomic_store(&t->taken, begun);
	return begun > before;
}

static void check_register(const struct group *g, const char *name, uint64_t got, uint64_t want)
{
	if (got != want)
		stress_fail("group %u, program %s: %s is 0x%lx, not 0x%lx", g->index,
			    programs[g->program].name, name, got, want);
}

/* What no program changes. */
static void check_registers(const struct group *g)
{
	const struct rf_regs *r = &g->regs, *w = &g->want;

	check_register(g, "rdi", r->rdi, w->rdi);
	check_register(g, "rsi", r->rsi, w->rsi);
	check_register(g, "rbp", r->rbp, w->rbp);
	check_register(g, "rsp", r->rsp, w->rsp);
	check_register(g, "rdx", r->rdx, w->rdx);
	check_register(g, "r8", r->r8, w->r8);
	check_register(g, "r9", r->r9, w->r9);
	check_register(g, "r10", r->r10, w->r10);
	check_register(g, "r12", r->r12, w->r12);
	check_register(g, "r13", r->r13, w->r13);
	check_register(g, "r14", r->r14, w->r14);
	check_register(g, "r15", r->r15, w->r15);
	check_register(g, "fs_base", r->fs_base, w->fs_base);
	check_register(g, "gs_base", r->gs_base, w->gs_base);
	if (r->rip - w->rip >= PROGRAM_BYTES)
		stress_fail("group %u, program %s: rip 0x%lx", g->index, programs[g->program].name,
			    r->rip);
}

static void check_fpu(struct group *g)
{
	struct member *m = &g->members[g->current];
	uint8_t now[FPU_BYTES];
	size_t size = rf_context_fpu_size(g->m);

	if (rf_context_get_fpu(m->c, now, size))
		stress_fail("rf_context_get_fpu");
	/* XMM0-15, and whatever is behind the header */
	for (size_t i = XMM0; i < size; i += 8)
		if ((i < 416 || i >= 576) && memcmp(now + i, m->fpu + i, 8))
			stress_fail("group %u: FPU state of context %u changed at %zu: 0x%lx, was "
				    "0x%lx; XSTATE_BV 0x%lx, was 0x%lx",
				    g->index, g->current, i, *(uint64_t *)(now + i),
				    *(uint64_t *)(m->fpu + i), *(uint64_t *)(now + 512),
				    *(uint64_t *)(m->fpu + 512));
	atomic_fetch_add(&stress_totals.fpu_checks, 1);
}

static void fill_bytes(struct group *g, struct member *m, size_t at, size_t bytes)
{
	for (size_t i = at; i < at + bytes; i += 8)
		*(uint64_t *)(m->fpu + i) = stress_random(&g->rng);
}

/* Components 2, 5, 6 and 7 have plain contents: any bytes will do. */
static void fill_fpu(struct group *g, struct member *m)
{
	size_t size = rf_context_fpu_size(g->m);
	uint64_t xcr0 = rf_machine_xcr0(g->m);

	memset(m->fpu, 0, sizeof(m->fpu));
	fill_bytes(g, m, XMM0, 256);
	for (unsigned i = 2; i < 8; i++) {
		unsigned bytes, offset, c, d;

		__cpuid_count(0xd, i, bytes, offset, c, d);
		if (xcr0 >> i & 1)
			fill_bytes(g, m, offset, bytes);
	}
	*(uint16_t *)m->fpu = 0x37f;
	*(uint32_t *)(m->fpu + 24) = 0x1f80;
	*(uint64_t *)(m->fpu + 512) = xcr0;
	if (rf_context_set_fpu(m->c, m->fpu, size))
		stress_fail("rf_context_set_fpu");
}

static void renew(struct group *g, struct member *m)
{
	pthread_mutex_lock(&m->lock);
	if (m->c)
		rf_context_free(m->c);
	if (rf_context_new(g->m, &m->c))
		stress_fail("rf_context_new");
	/* requests of the old one are gone with it */
	atomic_store(&m->target.taken, atomic_load(&m->target.begun));
	pthread_mutex_unlock(&m->lock);
	fill_fpu(g, m);
	atomic_fetch_add(&stress_totals.contexts, 1);
}

static void start_program(struct group *g, const struct space *s)
{
	uint64_t *word = (uint64_t *)&g->regs;

	g->program = (unsigned)stress_below(&g->rng, PROGRAMS);
	for (size_t i = 0; i < 15; i++)
		word[i] = stress_random(&g->rng);
	g->regs.rip = SPACE_CODE + g->program * PROGRAM_BYTES;
	g->regs.rsp = stress_random(&g->rng) >> 17;
	g->regs.rflags = 0x202;
	g->regs.cs = g->regs.ss = 0;
	g->regs.fs_base = stress_random(&g->rng) >> 17;
	g->regs.gs_base = stress_random(&g->rng) >> 17;
	g->regs.rbx = 0;
	g->regs.rdi = space_random_page(s, &g->rng);
	g->regs.r8 = SPACE_GOOD >> 32;
	g->regs.rsi = SPACE_GOOD | (stress_random(&g->rng) & 0xffffffff);
	g->regs.r14 = g->regs.fs_base;
	memcpy(&g->regs.r13, g->members[g->current].fpu + XMM0 + 7 * 16, 8);
	g->want = g->regs;
}

/* Past the instruction that counts, or at the end of a round that has counted. */
static bool has_counted(const struct group *g)
{
	return g->regs.rip - g->want.rip == 3;
}

/* A trap that the program made; @rbx is the count it must have. */
static void program_trap(struct group *g, uint64_t rbx)
{
	const struct rf_trap *t = &g->trap;

	if (t->kind == RF_TRAP_SYSCALL) {
		if (g->program != CALL)
			stress_fail("group %u: program %s says %ld, rax 0x%lx rcx 0x%lx", g->index,
				    programs[g->program].name, (long)g->regs.orig_rax, g->regs.rax,
				    g->regs.rcx);
		check_register(g, "the call's number", g->regs.orig_rax, g->regs.rbx);
		check_register(g, "rbx", g->regs.rbx, rbx);
		atomic_fetch_add(&stress_totals.system_calls, 1);
		return;
	}
	if (t->kind != RF_TRAP_FAULT)
		stress_fail("group %u, program %s: trap kind %u code %d", g->index,
			    programs[g->program].name, t->kind, t->code);
	atomic_fetch_add(&stress_totals.faults, 1);
	if (g->program == FAULT && t->vector == 6) {
		check_register(g, "rbx", g->regs.rbx, rbx);
		g->regs.rip += 2;
	} else if ((g->program != READ && g->program != WRITE) || t->vector != 14 ||
		   t->address != g->regs.rdi) {
		stress_fail("group %u, program %s: vector %u error 0x%lx address 0x%lx rip 0x%lx",
			    g->index, programs[g->program].name, t->vector, t->error_code,
			    t->address, g->regs.rip);
	}
}

static void one_switch(struct group *g, const struct space *s)
{
	/* CALL and FAULT count once before each event. */
	uint64_t count = g->regs.rbx + !has_counted(g);
	struct member *m = &g->members[g->current];
	uint32_t cpu = g->index * CPUS_EACH + g->cpu;
	uint64_t made = atomic_load(&m->target.made), cpu_made = atomic_load(&g->cpus[g->cpu].made);
	bool must = owed(&m->target, made) || owed(&g->cpus[g->cpu], cpu_made);

	atomic_store(&g->in_switch, true);
	if (rf_context_switch(m->c, s->as, &g->regs, cpu, &g->trap))
		stress_fail("rf_context_switch");
	atomic_store(&g->in_switch, false);
	atomic_fetch_add(&g->runner_progress.steps, 1);
	atomic_fetch_add(&stress_totals.switches, 1);
	if (must && g->trap.kind != RF_TRAP_INTERRUPT)
		stress_fail("group %u: lost an interrupt: trap kind %u instead", g->index,
			    g->trap.kind);
	check_registers(g);
	if (g->trap.cpu != cpu)
		stress_fail("group %u: CPU %u instead of %u", g->index, g->trap.cpu, cpu);
	if (g->trap.kind == RF_TRAP_INTERRUPT) {
		bool known = take(&m->target);

		known |= take(&g->cpus[g->cpu]);
		atomic_fetch_add(&stress_totals.taken, 1);
		atomic_fetch_add(&stress_totals.spurious, !known);
	} else if (g->trap.kind == RF_TRAP_PREEMPT) {
		atomic_fetch_add(&stress_totals.preempted, 1);
	} else {
		program_trap(g, count);
	}
}

static void episode(struct group *g)
{
	struct member *m;
	struct space *s;

	g->current = (unsigned)stress_below(&g->rng, CONTEXTS);
	g->cpu = (unsigned)stress_below(&g->rng, CPUS_EACH);
	m = &g->members[g->current];
	if (!m->c || stress_below(&g->rng, 64) == 0)
		renew(g, m);
	s = spaces_get(g->spaces, &g->rng);
	start_program(g, s);
	atomic_store(&g->runner_progress.phase, "running");
	for (uint64_t n = 1 + stress_below(&g->rng, 12); n; n--)
		one_switch(g, s);
	space_put(s);
	atomic_store(&g->runner_progress.phase, "checking");
	if (stress_below(&g->rng, 4) == 0)
		check_fpu(g);
	if (stress_below(&g->rng, 16) == 0)
		stress_pause(&g->rng);
}

static void *runner_main(void *arg)
{
	struct group *g = arg;

	while (!stress_over())
		episode(g);
	atomic_store(&g->runner_done, true);
	atomic_store(&g->runner_progress.phase, "done");
	return NULL;
}

/* Those who wait for an end must not look hung: they are done. */
static void finish(struct group *g)
{
	pthread_join(g->runner, NULL);
	pthread_join(g->interrupter, NULL);
	for (unsigned i = 0; i < CONTEXTS; i++) {
		rf_context_free(g->members[i].c);
		pthread_mutex_destroy(&g->members[i].lock);
	}
}

static void start(struct group *g, struct rf_machine *m, struct spaces *spaces, unsigned index)
{
	g->m = m;
	g->spaces = spaces;
	g->index = index;
	g->rng.state = stress_options.seed * 977 + index;
	g->interrupter_rng.state = stress_options.seed * 991 + index;
	g->runner_progress.phase = "starting";
	g->runner_progress.describe = describe_group;
	g->runner_progress.owner = g;
	for (unsigned i = 0; i < CONTEXTS; i++) {
		pthread_mutex_init(&g->members[i].lock, NULL);
		renew(g, &g->members[i]);
	}
	stress_watch(&g->runner_progress);
}

int stress_host(struct rf_machine *m)
{
	unsigned groups = stress_options.cpus / CPUS_EACH;
	struct group *g;
	struct spaces spaces;

	if (!groups || groups > GROUPS_MAX)
		stress_fail("%u CPUs: an even number up to %u, please", stress_options.cpus,
			    GROUPS_MAX * CPUS_EACH);
	g = calloc(groups, sizeof(*g));
	if (!g)
		stress_fail("no memory");
	for (unsigned i = 0; i < PROGRAMS; i++)
		memcpy((uint8_t *)rf_machine_memory(m)->base + SPACE_CODE_OFFSET +
			       i * PROGRAM_BYTES,
		       programs[i].start, (size_t)(programs[i].end - programs[i].start));
	spaces_init(&spaces, m, stress_options.seed);
	for (unsigned i = 0; i < groups; i++)
		start(&g[i], m, &spaces, i);
	for (unsigned i = 0; i < groups; i++)
		if (pthread_create(&g[i].runner, NULL, runner_main, &g[i]) ||
		    pthread_create(&g[i].interrupter, NULL, interrupter_main, &g[i]))
			stress_fail("no thread");
	spaces_start(&spaces);
	for (unsigned i = 0; i < groups; i++)
		finish(&g[i]);
	spaces_done(&spaces);
	free(g);
	if (stress_totals.taken > stress_totals.sent)
		stress_fail("more interrupts taken than sent");
	return 0;
}
