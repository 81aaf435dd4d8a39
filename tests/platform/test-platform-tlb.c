/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLB coherence: every kind of change to a mapping, for small and large pages, seen by the CPU that
 * has the translation cached: the same, another that is idle, another that is running.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "platform/fixture.h"

#define M2             0x200000ul
#define SMALL          0x700000ul
#define LARGE          0x40000000ul
/* Four large frames behind the small ones. */
#define LARGE_FRAME(n) (0x400000ul + (n)*M2)
#define BOX            DATA /* mailbox: value, count */

USER_CODE(code_read, "mov (%rdi), %rax\n syscall");
USER_CODE(code_write, "mov %rsi, 16(%rdi)\n syscall");
USER_CODE(code_call, "lea 8(%rdi), %rax\n call *%rax\n syscall");
USER_CODE(code_reading, "1: mov (%rdi), %rax\n mov %rax, (%rsi)\n incq 8(%rsi)\n jmp 1b");
USER_CODE(code_writing, "1: mov %rsi, 16(%rdi)\n incq 8(%rsi)\n jmp 1b");
USER_CODE(code_calling, "lea 8(%rdi), %rax\n 1: call *%rax\n incq 8(%rsi)\n jmp 1b");

enum access { READ_IT, WRITE_IT, CALL_IT };
enum change { UNMAP, REMAP, NO_WRITE, NO_EXEC, WRITE_TOO, EXEC_TOO, SPLIT, MERGE, CHANGES };
enum where { SAME_CPU, OTHER_IDLE, OTHER_RUNNING, WHERES };

static const char *const change_names[] = { "unmap",     "remap",    "no write", "no exec",
					    "write too", "exec too", "split",    "merge" };

/* What user code does before (all of it works) and after, and whether that faults then. */
static const struct {
	enum access access;
	bool works_before, works_after;
	bool only_large;
} rules[] = {
	[UNMAP] = { READ_IT, true, false, false },
	[REMAP] = { READ_IT, true, true, false },
	[NO_WRITE] = { WRITE_IT, true, false, false },
	[NO_EXEC] = { CALL_IT, true, false, false },
	[WRITE_TOO] = { WRITE_IT, false, true, false },
	[EXEC_TOO] = { CALL_IT, false, true, false },
	[SPLIT] = { READ_IT, true, false, true },
	[MERGE] = { READ_IT, true, true, true },
};

struct scene {
	struct fixture f;
	enum change change;
	enum where where;
	bool large;
	uint64_t va, size;
};

static void tlb_up(struct fixture *f, uint32_t cpus)
{
	fixture_up(f, cpus);
	for (uint64_t at = FRAME(0); at < MEMORY; at += 0x1000) {
		memset(f->memory + at, 0, 0x1000);
		*(uint64_t *)(f->memory + at) = at; /* a page tells where it is */
		f->memory[at + 8] = 0xc3;           /* RET */
	}
}

static uint64_t frame_of(const struct scene *s, unsigned n)
{
	return s->large ? LARGE_FRAME(n) : FRAME(n);
}

static void map(struct scene *s, uint64_t va, uint64_t offset, uint64_t size, uint32_t prot)
{
	ASSERT_OK(rf_address_space_map_file(s->f.as, va, offset, size, prot, false));
}

static void before(struct scene *s)
{
	uint32_t prot = RF_READ | RF_WRITE | RF_EXEC;

	ASSERT_OK(rf_address_space_unmap(s->f.as, s->va, s->size));
	if (s->change == WRITE_TOO || s->change == EXEC_TOO)
		prot = RF_READ;
	if (s->change == MERGE) /* page by page, the other way round */
		for (uint64_t i = 0; i < s->size; i += 0x1000)
			map(s, s->va + i, LARGE_FRAME(1) - 0x1000 - i, 0x1000, prot);
	else
		map(s, s->va, frame_of(s, 0), s->size, prot);
}

/* Where user code looks. */
static uint64_t place(const struct scene *s)
{
	return s->large ? s->va + 0x5000 : s->va;
}

static uint64_t value_after(const struct scene *s)
{
	uint64_t offset = place(s) - s->va;

	return frame_of(s, s->change == REMAP || s->change == MERGE) + offset;
}

static void make_change(struct scene *s)
{
	struct rf_address_space *as = s->f.as;

	switch (s->change) {
	case UNMAP:
		ASSERT_OK(rf_address_space_unmap(as, s->va, s->size));
		break;
	case SPLIT:
		ASSERT_OK(rf_address_space_unmap(as, place(s), 0x1000));
		break;
	case REMAP:
	case MERGE:
		map(s, s->va, frame_of(s, 1), s->size, RF_READ | RF_WRITE | RF_EXEC);
		break;
	case NO_WRITE:
		ASSERT_OK(rf_address_space_protect(as, s->va, s->size, RF_READ | RF_EXEC));
		break;
	case NO_EXEC:
		ASSERT_OK(rf_address_space_protect(as, s->va, s->size, RF_READ | RF_WRITE));
		break;
	case WRITE_TOO:
		map(s, s->va, frame_of(s, 0), s->size, RF_READ | RF_WRITE);
		break;
	default:
		map(s, s->va, frame_of(s, 0), s->size, RF_READ | RF_EXEC);
	}
}

/* Makes one access on @cpu. */
static void touch(struct scene *s, enum access access, uint64_t va, uint32_t cpu)
{
	static const struct {
		const char *start, *end;
	} code[] = { { code_read, code_read_end },
		     { code_write, code_write_end },
		     { code_call, code_call_end } };
	struct fixture *f = &s->f;

	fixture_code(f, code[access].start, code[access].end);
	fixture_reset(f);
	f->regs.rdi = va;
	f->regs.rsi = 1;
	ASSERT_OK(rf_context_switch(f->c, f->as, &f->regs, cpu, &f->trap));
}

static void expect_outcome(struct scene *s, bool works)
{
	const struct fixture *f = &s->f;

	ASSERT_EQ(f->trap.kind, works ? RF_TRAP_SYSCALL : RF_TRAP_FAULT);
	if (!works)
		ASSERT_EQ(f->trap.vector, 14);
}

static void check_idle(struct scene *s)
{
	uint32_t cpu = s->where == SAME_CPU ? 0 : 1;
	enum access access = rules[s->change].access;

	/* Cached on both; entering is enough, without a flush. */
	touch(s, READ_IT, place(s), 0);
	touch(s, READ_IT, place(s), 1);
	touch(s, access, place(s), cpu);
	expect_outcome(s, rules[s->change].works_before);
	make_change(s);
	touch(s, access, place(s), cpu);
	expect_outcome(s, rules[s->change].works_after);
	if (access == READ_IT && rules[s->change].works_after)
		ASSERT_EQ(s->f.regs.orig_rax, value_after(s));
	/* The rest of a large page is as it was. */
	if (s->change == SPLIT) {
		touch(s, READ_IT, place(s) + 0x1000, cpu);
		expect_outcome(s, true);
		ASSERT_EQ(s->f.regs.orig_rax, frame_of(s, 0) + 0x6000);
	}
}

static void *run_scene(void *arg)
{
	struct scene *s = arg;
	struct fixture *f = &s->f;

	do {
		if (rf_context_switch(f->c, f->as, &f->regs, 1, &f->trap))
			return NULL;
		/* The page that user code waits for comes with a change. */
	} while (f->trap.kind == RF_TRAP_FAULT && !rules[s->change].works_before &&
		 sched_yield() == 0);
	return arg;
}

static void wait_for_rounds(volatile uint64_t *box, uint64_t n)
{
	uint64_t from = box[1];

	while (box[1] < from + n)
		sched_yield();
}

static void check_running(struct scene *s)
{
	static const struct {
		const char *start, *end;
	} code[] = { { code_reading, code_reading_end },
		     { code_writing, code_writing_end },
		     { code_calling, code_calling_end } };
	volatile uint64_t *box = (uint64_t *)(s->f.memory + DATA_OFF);
	enum access access = rules[s->change].access;
	pthread_t thread;
	void *result;

	fixture_code(&s->f, code[access].start, code[access].end);
	fixture_reset(&s->f);
	s->f.regs.rdi = place(s);
	s->f.regs.rsi = BOX;
	box[1] = 0;
	ASSERT_EQ(pthread_create(&thread, NULL, run_scene, s), 0);
	if (rules[s->change].works_before)
		wait_for_rounds(box, 1000);
	make_change(s);
	ASSERT_OK(rf_address_space_flush(s->f.as));
	if (rules[s->change].works_after) {
		wait_for_rounds(box, 2); /* one may have begun before */
		if (access == READ_IT)
			EXPECT_EQ(box[0], value_after(s));
		rf_context_interrupt(s->f.c);
	}
	pthread_join(thread, &result);
	ASSERT_NOT_NULL(result);
	ASSERT_EQ(s->f.trap.kind, rules[s->change].works_after ? RF_TRAP_INTERRUPT : RF_TRAP_FAULT);
	if (!rules[s->change].works_after)
		ASSERT_EQ(s->f.trap.vector, 14);
}

static void check_all(bool large)
{
	struct scene s = { .large = large,
			   .va = large ? LARGE : SMALL,
			   .size = large ? M2 : 0x1000 };

	tlb_up(&s.f, 2);
	for (int round = 0; round < 4; round++) {
		for (int change = 0; change < CHANGES; change++) {
			if (rules[change].only_large && !large)
				continue;
			for (int where = 0; where < WHERES; where++) {
				s.change = (enum change)change;
				s.where = (enum where)where;
				before(&s);
				if (where == OTHER_RUNNING)
					check_running(&s);
				else
					check_idle(&s);
			}
		}
	}
	test_note("%s .. %s", change_names[0], change_names[CHANGES - 1]);
	fixture_down(&s.f);
}

TEST(changes_of_small_pages_reach_every_cpu)
{
	check_all(false);
}

TEST(changes_of_large_pages_reach_every_cpu)
{
	check_all(true);
}

/* ---- unmapping under readers ---- */

#define READERS 3
#define GOOD    0x600d600d00000000ull
#define POISON  0xdeaddeaddeaddeadull

/* Sees a value that is not GOOD: system call. RBX counts the reads, also for us. */
USER_CODE(code_watch, "1: mov (%rdi), %rax\n inc %rbx\n mov %rbx, (%rsi)\n mov %rax, %rcx\n"
		      "shr $32, %rcx\n cmp %r8, %rcx\n je 1b\n syscall\n jmp 1b");

struct reader {
	struct fixture *f;
	uint32_t cpu;
	_Atomic bool *stop;
	uint64_t bad, faults, reads;
	bool failed;
	struct rf_context *c;
	pthread_t thread;
};

static void *read_all_the_time(void *arg)
{
	struct reader *r = arg;
	struct rf_regs regs = { .rip = CODE,
				.rflags = 0x202,
				.rdi = SMALL,
				.rsi = BOX + 64 * r->cpu,
				.r8 = GOOD >> 32 };
	struct rf_trap trap;

	while (!atomic_load(r->stop)) {
		if (rf_context_switch(r->c, r->f->as, &regs, r->cpu, &trap)) {
			r->failed = true;
			break;
		}
		if (trap.kind == RF_TRAP_SYSCALL)
			r->bad = regs.orig_rax;
		else if (trap.kind == RF_TRAP_FAULT && trap.vector == 14)
			r->faults++;
		else if (trap.kind != RF_TRAP_INTERRUPT)
			r->failed = true;
	}
	r->reads = regs.rbx;
	return NULL;
}

/* Until every reader has read again. */
static void wait_for_readers(const struct reader *readers, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		const struct reader *r = &readers[i];
		volatile uint64_t *reads = (uint64_t *)(r->f->memory + DATA_OFF) + 8 * r->cpu;
		uint64_t before = *reads;

		while (*reads < before + 2)
			sched_yield();
	}
}

static void fill(uint8_t *frame, uint64_t value)
{
	for (size_t i = 0; i < 0x1000; i += 8)
		*(volatile uint64_t *)(frame + i) = value;
}

/* A reader sees what is mapped, or faults; never a frame that was unmapped and given to another use. */
TEST(readers_never_see_a_frame_after_its_unmap)
{
	struct reader readers[READERS];
	_Atomic bool stop = false;
	struct fixture f;

	tlb_up(&f, READERS);
	LOAD(&f, code_watch);
	for (uint32_t i = 0; i < READERS; i++) {
		readers[i] = (struct reader){ .f = &f, .cpu = i, .stop = &stop };
		ASSERT_OK(rf_context_new(f.m, &readers[i].c));
		ASSERT_EQ(pthread_create(&readers[i].thread, NULL, read_all_the_time, &readers[i]),
			  0);
	}
	for (uint64_t round = 0; round < 300; round++) {
		uint8_t *frame = f.memory + FRAME(round % 4);

		fill(frame, GOOD + round);
		ASSERT_OK(rf_address_space_map_file(f.as, SMALL, FRAME(round % 4), 0x1000,
						    round & 1 ? RF_READ : RF_READ | RF_WRITE,
						    false));
		if (round % 8 == 0)
			wait_for_readers(readers, READERS);
		for (uint64_t i = round % 7; i; i--)
			sched_yield();
		if (round % 3) /* straight to the next frame, else through nothing */
			ASSERT_OK(rf_address_space_unmap(f.as, SMALL, 0x1000));
		else
			ASSERT_OK(rf_address_space_map_file(f.as, SMALL, FRAME(8), 0x1000, RF_WRITE,
							    false));
		fill(f.memory + FRAME(8), GOOD);
		ASSERT_OK(rf_address_space_flush(f.as));
		fill(frame, POISON);
	}
	atomic_store(&stop, true);
	for (uint32_t i = 0; i < READERS; i++) {
		rf_context_interrupt(readers[i].c);
		pthread_join(readers[i].thread, NULL);
		test_note("reader %u: %lu reads, %lu faults", i, readers[i].reads,
			  readers[i].faults);
		EXPECT_EQ(readers[i].bad, 0);
		EXPECT_FALSE(readers[i].failed);
		rf_context_free(readers[i].c);
	}
	fixture_down(&f);
}

/* ---- traps that need the tables ---- */

/* INT n: the platform reads the instruction, for which it takes the lock that a flush holds while it waits for this vCPU. */
USER_CODE(code_int_n, "1: int $0x42\n jmp 1b");

static void *trap_all_the_time(void *arg)
{
	struct reader *r = arg;
	struct rf_regs regs = { .rip = CODE, .rflags = 0x202 };
	struct rf_trap trap;

	while (!atomic_load(r->stop)) {
		if (rf_context_switch(r->c, r->f->as, &regs, r->cpu, &trap)) {
			r->failed = true;
			break;
		}
		__atomic_fetch_add(&r->faults, trap.kind == RF_TRAP_FAULT, __ATOMIC_RELAXED);
		if (trap.kind == RF_TRAP_FAULT && trap.vector != 13)
			r->bad = trap.vector;
	}
	return NULL;
}

TEST(a_flush_and_a_trap_do_not_wait_for_each_other)
{
	struct reader readers[2];
	_Atomic bool stop = false;
	struct fixture f;

	tlb_up(&f, 2);
	LOAD(&f, code_int_n);
	for (uint32_t i = 0; i < 2; i++) {
		readers[i] = (struct reader){ .f = &f, .cpu = i, .stop = &stop };
		ASSERT_OK(rf_context_new(f.m, &readers[i].c));
		ASSERT_EQ(pthread_create(&readers[i].thread, NULL, trap_all_the_time, &readers[i]),
			  0);
	}
	for (unsigned round = 0; round < 1000; round++) {
		ASSERT_OK(rf_address_space_map_file(f.as, SMALL, FRAME(round % 4), 0x1000, RF_READ,
						    false));
		ASSERT_OK(rf_address_space_unmap(f.as, SMALL, 0x1000));
		ASSERT_OK(rf_address_space_flush(f.as));
		/* Both keep trapping. */
		for (unsigned i = 0; i < 2 && round % 8 == 0; i++)
			while (__atomic_load_n(&readers[i].faults, __ATOMIC_RELAXED) < round / 4)
				sched_yield();
	}
	atomic_store(&stop, true);
	for (uint32_t i = 0; i < 2; i++) {
		rf_context_interrupt(readers[i].c);
		pthread_join(readers[i].thread, NULL);
		test_note("%lu traps", readers[i].faults);
		EXPECT_EQ(readers[i].bad, 0);
		EXPECT_FALSE(readers[i].failed);
		rf_context_free(readers[i].c);
	}
	fixture_down(&f);
}

/* ---- page-table pages ---- */

static struct rf_machine *small_pool(uint64_t pages, uint32_t cpus)
{
	struct rf_options options = { .cpus = cpus,
				      .memory.size = MEMORY,
				      .table_bytes = pages * 0x1000 };
	struct rf_error err = { 0 };
	struct rf_machine *m;
	int fd;

	if (rf_platform_open_device(fixture_platform(), NULL, &fd, &err))
		test_skip("%s", err.text);
	if (rf_machine_new(fixture_platform(), fd, &options, &m, &err))
		test_fatal("%s", err.text);
	return m;
}

static void pool_up(struct fixture *f, uint64_t pages)
{
	*f = (struct fixture){ 0 };
	f->m = small_pool(pages, 2);
	f->memory = rf_machine_memory(f->m)->base;
	ASSERT_OK(rf_address_space_new(f->m, &f->as));
	ASSERT_OK(rf_context_new(f->m, &f->c));
	fixture_map_standard(f->as);
	for (uint64_t at = FRAME(0); at < MEMORY; at += 0x1000)
		*(uint64_t *)(f->memory + at) = at;
}

#define SPARSE(i) (0x4000000000ul + (i)*0x40000000ul + (i)*0x201000ul)

/*
 * A pool so small that a table taken out of use is used again at once, for another purpose, while
 * another CPU runs on the same root. A table reused before the invalidation would show a wrong frame.
 */
TEST(tables_are_recycled_under_a_running_cpu)
{
	struct reader reader;
	_Atomic bool stop = false;
	struct rf_context *c;
	struct scene s = { .va = SMALL };
	struct fixture *f = &s.f;
	const uint8_t read[] = { 0x48, 0x8b, 0x07, 0x0f, 0x05 };

	pool_up(f, 48);
	LOAD(f, code_watch);
	memcpy(f->memory + CODE_OFF + 0x800, read, sizeof(read));
	fill(f->memory + FRAME(0), GOOD);
	ASSERT_OK(rf_address_space_map_file(f->as, SMALL, FRAME(0), 0x1000, RF_READ, false));
	reader = (struct reader){ .f = f, .cpu = 1, .stop = &stop };
	ASSERT_OK(rf_context_new(f->m, &reader.c));
	ASSERT_OK(rf_context_new(f->m, &c));
	ASSERT_EQ(pthread_create(&reader.thread, NULL, read_all_the_time, &reader), 0);
	for (uint64_t round = 0; round < 400; round++) {
		uint64_t va = SPARSE(round % 9), frame = FRAME(1 + round % 50);

		ASSERT_OK(rf_address_space_map_file(f->as, va, frame, 0x1000, RF_READ, false));
		fixture_reset(f);
		f->regs.rip = CODE + 0x800;
		f->regs.rdi = va;
		ASSERT_OK(rf_context_switch(c, f->as, &f->regs, 0, &f->trap));
		ASSERT_EQ(f->trap.kind, RF_TRAP_SYSCALL);
		ASSERT_EQ(f->regs.orig_rax, frame);
		ASSERT_OK(rf_address_space_unmap(f->as, va, 0x1000));
		if (round & 1)
			ASSERT_OK(rf_address_space_flush(f->as));
		if (round % 32 == 0)
			wait_for_readers(&reader, 1);
	}
	atomic_store(&stop, true);
	rf_context_interrupt(reader.c);
	pthread_join(reader.thread, NULL);
	EXPECT_EQ(reader.bad, 0);
	EXPECT_EQ(reader.faults, 0);
	EXPECT_FALSE(reader.failed);
	rf_context_free(reader.c);
	rf_context_free(c);
	fixture_down(f);
}

/* Roots too: a new address space takes the tables, perhaps the very root, of one that is gone. */
TEST(roots_are_recycled_between_address_spaces)
{
	const uint8_t read[] = { 0x48, 0x8b, 0x07, 0x0f, 0x05 };
	struct fixture f;

	pool_up(&f, 40);
	memcpy(f.memory + CODE_OFF, read, sizeof(read));
	for (uint64_t round = 0; round < 300; round++) {
		uint64_t frame = FRAME(round % 50);
		struct rf_address_space *as;

		ASSERT_OK(rf_address_space_new(f.m, &as));
		fixture_map_standard(as);
		ASSERT_OK(rf_address_space_map_file(as, SMALL, frame, 0x1000, RF_READ, false));
		for (uint32_t cpu = 0; cpu < 2; cpu++) {
			fixture_reset(&f);
			f.regs.rdi = SMALL;
			ASSERT_OK(rf_context_switch(f.c, as, &f.regs, cpu, &f.trap));
			ASSERT_EQ(f.trap.kind, RF_TRAP_SYSCALL);
			ASSERT_EQ(f.regs.orig_rax, frame);
		}
		if (round % 3 == 0)
			ASSERT_OK(rf_address_space_unmap(as, SMALL, 0x1000));
		rf_address_space_free(as);
	}
	fixture_down(&f);
}
