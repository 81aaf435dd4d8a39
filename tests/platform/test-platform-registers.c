/* SPDX-License-Identifier: Apache-2.0 */
/* Registers through every kind of trap and of entry; contexts that move; time. */
#include <signal.h>
#include <x86intrin.h>

#include "platform/entry.h"
#include "platform/emulated.h"

USER_CODE(code_getpid, "mov $39, %eax\n syscall");
USER_CODE(code_null, "xor %eax, %eax\n mov (%rax), %rbx");

TEST(system_calls_arrive_whatever_the_entry)
{
	struct fixture f;

	for (int how = 0; how < ENTRIES; how++) {
		fixture_up(&f, 1);
		entry_prepare(&f, (enum entry)how);
		LOAD(&f, code_getpid);
		for (int i = 0; i < 20; i++) {
			fixture_reset(&f);
			fixture_switch(&f);
			EXPECT_SYSCALL(&f, 39);
			ASSERT_EQ(f.regs.rip, CODE + 7);
		}
		fixture_down(&f);
	}
}

TEST(faults_arrive_whatever_the_entry)
{
	struct fixture f;

	for (int how = 0; how < ENTRIES; how++) {
		fixture_up(&f, 1);
		entry_prepare(&f, (enum entry)how);
		LOAD(&f, code_null);
		for (int i = 0; i < 20; i++) {
			fixture_reset(&f);
			fixture_switch(&f);
			EXPECT_FAULT(&f, 14, 4);
			ASSERT_EQ(f.trap.address, 0);
			ASSERT_EQ(f.trap.signo, SIGSEGV);
			ASSERT_EQ(f.regs.rip, CODE + 2);
		}
		fixture_down(&f);
	}
}

TEST(empty_address_space_faults_at_the_first_fetch)
{
	struct rf_address_space *empty;
	struct fixture f;

	for (int how = 0; how < ENTRIES; how++) {
		fixture_up(&f, 1);
		ASSERT_OK(rf_address_space_new(f.m, &empty));
		entry_prepare(&f, (enum entry)how);
		for (int i = 0; i < 5; i++) {
			fixture_reset(&f);
			ASSERT_OK(rf_context_switch(f.c, empty, &f.regs, 0, &f.trap));
			EXPECT_FAULT(&f, 14, 0x14);
			ASSERT_EQ(f.trap.address, CODE);
			ASSERT_EQ(f.trap.access, RF_EXEC);
			ASSERT_EQ(f.trap.signo, SIGSEGV);
			ASSERT_EQ(f.regs.rip, CODE);
			ASSERT_EQ(f.regs.rsp, STACK_TOP - 64);
		}
		rf_address_space_free(empty);
		fixture_down(&f);
	}
}

/* ---- all sixteen registers ---- */

#define COMPLEMENT                                                                     \
	"not %rax\n not %rbx\n not %rcx\n not %rdx\n not %rsi\n not %rdi\n not %rbp\n" \
	"not %rsp\n not %r8\n not %r9\n not %r10\n not %r11\n not %r12\n not %r13\n"   \
	"not %r14\n not %r15\n"
USER_CODE(code_not_syscall, COMPLEMENT "syscall");
USER_CODE(code_not_fault, COMPLEMENT "ud2");
USER_CODE(code_not_page_fault, COMPLEMENT "movb $1, 0x400000");
USER_CODE(code_not_spin, COMPLEMENT "1: jmp 1b");

static void random_registers(struct test_rng *rng, struct rf_regs *regs)
{
	uint64_t *const word[] = { &regs->rax, &regs->rbx, &regs->rcx, &regs->rdx,
				   &regs->rsi, &regs->rdi, &regs->rbp, &regs->rsp,
				   &regs->r8,  &regs->r9,  &regs->r10, &regs->r11,
				   &regs->r12, &regs->r13, &regs->r14, &regs->r15 };

	for (size_t i = 0; i < sizeof(word) / sizeof(word[0]); i++)
		*word[i] = test_rng_next(rng);
	regs->rip = CODE;
	/* CF PF AF ZF SF OF DF ID: what no instruction of ours changes. */
	regs->rflags = 0x202 | (test_rng_next(rng) & 0x200cd5);
	regs->cs = regs->ss = 0;
	regs->fs_base = test_rng_next(rng) >> 17;
	regs->gs_base = test_rng_next(rng) >> 17 | 0xffff800000000000ull;
}

/* System calls lose RCX and R11 (SYSCALL in SDM vol. 2B); nothing else loses anything. */
static void check_complement(const struct fixture *f, const struct rf_regs *in)
{
	const struct rf_regs *r = &f->regs;
	bool call = f->trap.kind == RF_TRAP_SYSCALL;

	ASSERT_EQ(r->rax, ~in->rax);
	ASSERT_EQ(r->rbx, ~in->rbx);
	ASSERT_EQ(r->rcx, call ? r->rip : ~in->rcx);
	ASSERT_EQ(r->rdx, ~in->rdx);
	ASSERT_EQ(r->rsi, ~in->rsi);
	ASSERT_EQ(r->rdi, ~in->rdi);
	ASSERT_EQ(r->rbp, ~in->rbp);
	ASSERT_EQ(r->rsp, ~in->rsp);
	ASSERT_EQ(r->r8, ~in->r8);
	ASSERT_EQ(r->r9, ~in->r9);
	ASSERT_EQ(r->r10, ~in->r10);
	ASSERT_EQ(r->r11, call ? r->rflags : ~in->r11);
	ASSERT_EQ(r->r12, ~in->r12);
	ASSERT_EQ(r->r13, ~in->r13);
	ASSERT_EQ(r->r14, ~in->r14);
	ASSERT_EQ(r->r15, ~in->r15);
	ASSERT_EQ(r->rflags & ~0x10000ull, in->rflags); /* a fault sets RF in its image */
	ASSERT_EQ(r->fs_base, in->fs_base);
	ASSERT_EQ(r->gs_base, in->gs_base);
	ASSERT_EQ(r->orig_rax, call ? ~in->rax : ~0ull);
	ASSERT_EQ(r->cs, 0x33);
	ASSERT_EQ(r->ss, 0x2b);
}

static void check_registers(const char *code, const char *end, uint32_t kind, uint64_t rip)
{
	struct interrupter interrupter;
	struct test_rng rng;
	struct fixture f;
	struct rf_regs in;

	fixture_up(&f, 1);
	fixture_code(&f, code, end);
	test_rng_init(&rng, 0x2e65);
	if (kind == RF_TRAP_INTERRUPT)
		interrupter_start(&interrupter, f.c);
	for (int i = 0; i < 200; i++) {
		random_registers(&rng, &f.regs);
		in = f.regs;
		do
			fixture_switch(&f);
		while (f.trap.kind == RF_TRAP_INTERRUPT && f.regs.rip != rip);
		ASSERT_EQ(f.trap.kind, kind);
		ASSERT_EQ(f.regs.rip, rip);
		check_complement(&f, &in);
	}
	if (kind == RF_TRAP_INTERRUPT)
		interrupter_stop(&interrupter);
	fixture_down(&f);
}

#define CHECK_REGISTERS(code, kind, offset) \
	check_registers(code, code##_end, kind, CODE + (uint64_t)(offset))

TEST(registers_pass_through_system_calls)
{
	CHECK_REGISTERS(code_not_syscall, RF_TRAP_SYSCALL, code_not_syscall_end - code_not_syscall);
}

TEST(registers_pass_through_faults)
{
	CHECK_REGISTERS(code_not_fault, RF_TRAP_FAULT, 48);
}

TEST(registers_pass_through_page_faults)
{
	CHECK_REGISTERS(code_not_page_fault, RF_TRAP_FAULT, 48);
}

TEST(registers_pass_through_interrupts)
{
	CHECK_REGISTERS(code_not_spin, RF_TRAP_INTERRUPT, 48);
}

/* ---- a context that moves ---- */

USER_CODE(code_walk, "1: inc %rbx\n movq %xmm3, %rax\n inc %rax\n movq %rax, %xmm3\n"
		     "lock incq (%rdi)\n rdfsbase %rdx\n inc %rdx\n wrfsbase %rdx\n syscall\n"
		     "jmp 1b");

struct walk {
	struct fixture *f;
	uint64_t steps;
	_Atomic int turn;
};

static void walk_step(struct walk *w, uint32_t cpu)
{
	struct fixture *f = w->f;

	w->steps++;
	ASSERT_OK(rf_context_switch(f->c, f->as, &f->regs, cpu, &f->trap));
	ASSERT_EQ(f->trap.kind, RF_TRAP_SYSCALL);
	ASSERT_EQ(f->trap.cpu, cpu);
	ASSERT_EQ(f->regs.rbx, w->steps);
	ASSERT_EQ(f->regs.orig_rax, w->steps);
	ASSERT_EQ(f->regs.fs_base, w->steps);
}

static void *walk_main(void *arg)
{
	struct walk *w = arg;

	for (int i = 0; i < 100; i++) {
		while (atomic_load(&w->turn) != 1)
			sched_yield();
		walk_step(w, (uint32_t)i / 3 & 1);
		atomic_store(&w->turn, 0);
	}
	return NULL;
}

/* Every combination of thread and CPU number, a hundred times. */
TEST(context_moves_between_cpus_and_threads)
{
	struct fixture f;
	struct walk w = { .f = &f };
	pthread_t thread;

	fixture_up(&f, 2);
	LOAD(&f, code_walk);
	*(uint64_t *)(f.memory + DATA_OFF) = 0;
	f.regs.rdi = DATA;
	ASSERT_EQ(pthread_create(&thread, NULL, walk_main, &w), 0);
	for (int i = 0; i < 100; i++) {
		while (atomic_load(&w.turn) != 0)
			sched_yield();
		walk_step(&w, (uint32_t)i / 2 & 1);
		atomic_store(&w.turn, 1);
	}
	pthread_join(thread, NULL);
	EXPECT_EQ(*(uint64_t *)(f.memory + DATA_OFF), 200);
	fixture_down(&f);
}

/* ---- FS and GS bases that user code writes ---- */

USER_CODE(code_write_bases, "wrfsbase %rsi\n wrgsbase %rdi\n syscall\n"
			    "rdfsbase %rbx\n rdgsbase %rdx\n ud2\n"
			    "rdfsbase %rbx\n rdgsbase %rdx\n 1: jmp 1b");
USER_CODE(code_read_bases, "rdfsbase %rbx\n rdgsbase %rdx\n syscall");

static void expect_bases(const struct fixture *f, uint64_t fs, uint64_t gs)
{
	ASSERT_EQ(f->regs.rbx, fs);
	ASSERT_EQ(f->regs.rdx, gs);
	ASSERT_EQ(f->regs.fs_base, fs);
	ASSERT_EQ(f->regs.gs_base, gs);
}

/* Another context on the same CPU, whose own bases are 0 and 0: it must not see what was written. */
static void check_no_bases_left(struct fixture *f, struct rf_context *other)
{
	struct rf_regs regs = { .rip = CODE + 0x100, .rflags = 0x202, .rbx = 1, .rdx = 1 };
	struct rf_trap trap;

	ASSERT_OK(rf_context_switch(other, f->as, &regs, 0, &trap));
	ASSERT_EQ(trap.kind, RF_TRAP_SYSCALL);
	ASSERT_EQ(regs.rbx, 0);
	ASSERT_EQ(regs.rdx, 0);
	ASSERT_EQ(regs.fs_base, 0);
	ASSERT_EQ(regs.gs_base, 0);
}

TEST(written_bases_survive_traps_and_do_not_leak)
{
	struct interrupter interrupter;
	struct rf_context *other;
	struct fixture f;

	fixture_up(&f, 1);
	LOAD(&f, code_write_bases);
	memcpy(f.memory + CODE_OFF + 0x100, code_read_bases,
	       (size_t)(code_read_bases_end - code_read_bases));
	ASSERT_OK(rf_context_new(f.m, &other));
	for (uint64_t i = 1; i < 30; i++) {
		const uint64_t fs = i << 12, gs = 0xffffffff00000000ull + i;

		fixture_reset(&f);
		f.regs.rsi = fs;
		f.regs.rdi = gs;
		switch_after_interrupts(&f, f.c, 0);
		ASSERT_EQ(f.trap.kind, RF_TRAP_SYSCALL);
		ASSERT_EQ(f.regs.fs_base, fs);
		ASSERT_EQ(f.regs.gs_base, gs);
		check_no_bases_left(&f, other);
		fixture_switch(&f);
		EXPECT_FAULT(&f, 6, 0);
		expect_bases(&f, fs, gs);
		check_no_bases_left(&f, other);
		f.regs.rip += 2;
		f.regs.rbx = 0;
		interrupter_start(&interrupter, f.c);
		do
			fixture_switch(&f);
		while (f.regs.rbx == 0 || f.regs.rdx != gs);
		interrupter_stop(&interrupter);
		ASSERT_EQ(f.trap.kind, RF_TRAP_INTERRUPT);
		expect_bases(&f, fs, gs);
		check_no_bases_left(&f, other);
	}
	rf_context_free(other);
	fixture_down(&f);
}

/* ---- time ---- */

USER_CODE(code_rdtsc, "1: lfence\n rdtsc\n lfence\n shl $32, %rdx\n or %rdx, %rax\n syscall\n"
		      "jmp 1b");

static uint64_t host_tsc(void)
{
	uint64_t t;

	_mm_lfence();
	t = __rdtsc();
	_mm_lfence();
	return t;
}

TEST(time_stamps_are_the_hosts)
{
	const uint64_t slack = cpu_is_emulated() ? 100000000 : 0;
	struct fixture f;

	fixture_up(&f, 2);
	LOAD(&f, code_rdtsc);
	for (uint32_t i = 0; i < 100; i++) {
		uint64_t before = host_tsc(), after;

		ASSERT_OK(rf_context_switch(f.c, f.as, &f.regs, i & 1, &f.trap));
		after = host_tsc();
		ASSERT_EQ(f.trap.kind, RF_TRAP_SYSCALL);
		if (i == 0 && f.regs.orig_rax < before / 2)
			test_skip(
				"this KVM gives a machine a clock of its own (no offset attribute)");
		/* QEMU's virtual CPUs have time stamps some milliseconds apart, and KVM there distrusts them. */
		ASSERT_LE(before - slack, f.regs.orig_rax);
		ASSERT_LE(f.regs.orig_rax, after + slack);
	}
	fixture_down(&f);
}
