/* SPDX-License-Identifier: Apache-2.0 */
/* Contexts, threads and processes that come, go and compete. */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "platform/entry.h"

USER_CODE(code_count, "1: incq (%rdi)\n jmp 1b");
USER_CODE(code_xmm, "1: movq %rdi, %xmm7\n syscall\n movq %xmm7, %rax\n syscall\n jmp 1b");

/* ---- more spinning contexts than CPUs ---- */

#define SPINNERS 9
#define SLICES   12
#define CPUS     2

struct spinner {
	struct fixture *f;
	unsigned index;
	_Atomic unsigned *turns; /* one for each CPU: whose turn it is */
	struct rf_context *c;
	unsigned slices, stuck;
	bool failed;
	pthread_t thread;
};

static void *spin(void *arg)
{
	struct spinner *s = arg;
	uint32_t cpu = s->index % CPUS;
	unsigned peers = SPINNERS / CPUS + (cpu < SPINNERS % CPUS), me = s->index / CPUS;
	volatile uint64_t *count = (uint64_t *)(s->f->memory + DATA_OFF) + s->index * 8;
	struct rf_regs regs = { .rip = CODE, .rflags = 0x202, .rdi = DATA + s->index * 64 };
	struct rf_trap trap;

	while (s->slices < SLICES) {
		uint64_t before = *count;

		while (atomic_load(&s->turns[cpu]) % peers != me)
			usleep(50);
		do
			s->failed |=
				rf_context_switch(s->c, s->f->as, &regs, cpu, &trap) != 0 ||
				(trap.kind != RF_TRAP_PREEMPT && trap.kind != RF_TRAP_INTERRUPT);
		while (!s->failed && *count == before && ++s->stuck < 1000);
		s->failed |= *count == before;
		s->slices++;
		atomic_fetch_add(&s->turns[cpu], 1);
	}
	return NULL;
}

struct preempter {
	struct spinner *spinners;
	struct fixture *f;
	_Atomic bool stop;
	bool by_cpu;
	pthread_t thread;
};

static void *preempt_all(void *arg)
{
	struct preempter *p = arg;

	while (!atomic_load(&p->stop)) {
		usleep(500);
		for (unsigned i = 0; i < SPINNERS && !p->by_cpu; i++)
			rf_context_preempt(p->spinners[i].c);
		for (uint32_t cpu = 0; cpu < CPUS && p->by_cpu; cpu++)
			rf_machine_interrupt_cpu(p->f->m, cpu);
	}
	return NULL;
}

static void check_spinners(bool by_cpu)
{
	struct spinner s[SPINNERS];
	_Atomic unsigned turns[CPUS] = { 0 };
	struct preempter p = { .spinners = s, .by_cpu = by_cpu };
	struct fixture f;

	fixture_up(&f, CPUS);
	LOAD(&f, code_count);
	p.f = &f;
	memset(f.memory + DATA_OFF, 0, 0x1000);
	for (unsigned i = 0; i < SPINNERS; i++) {
		s[i] = (struct spinner){ .f = &f, .index = i, .turns = turns };
		ASSERT_OK(rf_context_new(f.m, &s[i].c));
	}
	for (unsigned i = 0; i < SPINNERS; i++)
		ASSERT_EQ(pthread_create(&s[i].thread, NULL, spin, &s[i]), 0);
	ASSERT_EQ(pthread_create(&p.thread, NULL, preempt_all, &p), 0);
	for (unsigned i = 0; i < SPINNERS; i++)
		pthread_join(s[i].thread, NULL);
	atomic_store(&p.stop, true);
	pthread_join(p.thread, NULL);
	for (unsigned i = 0; i < SPINNERS; i++) {
		EXPECT_FALSE(s[i].failed);
		EXPECT_EQ(s[i].slices, SLICES);
		rf_context_free(s[i].c);
	}
	fixture_down(&f);
}

TEST(more_spinning_contexts_than_cpus_all_progress_by_preempt)
{
	check_spinners(false);
}

TEST(more_spinning_contexts_than_cpus_all_progress_by_interrupt)
{
	check_spinners(true);
}

/* ---- contexts and address spaces between threads ---- */

struct hand_over {
	struct fixture *f;
	struct rf_context *c;
	struct rf_address_space *as;
	struct rf_regs regs;
	uint64_t value;
	uint32_t cpu;
	bool ok;
};

static void *step(void *arg)
{
	struct hand_over *h = arg;
	struct rf_trap trap;

	h->ok = !rf_context_switch(h->c, h->as, &h->regs, h->cpu, &trap) &&
		trap.kind == RF_TRAP_SYSCALL;
	return NULL;
}

static void *finish(void *arg)
{
	struct hand_over *h = arg;

	step(h);
	h->ok = h->ok && h->regs.orig_rax == h->value;
	rf_context_free(h->c); /* its state is in a CPU that the main thread uses next */
	rf_address_space_free(h->as);
	return NULL;
}

static void in_thread(void *(*run)(void *), struct hand_over *h)
{
	pthread_t thread;

	ASSERT_EQ(pthread_create(&thread, NULL, run, h), 0);
	pthread_join(thread, NULL);
	ASSERT_TRUE(h->ok);
}

/* Made here, run there, run and freed in a third thread that then ends. */
TEST(contexts_and_spaces_outlive_threads)
{
	struct fixture f;

	fixture_up(&f, 2);
	LOAD(&f, code_xmm);
	for (uint32_t i = 0; i < 100; i++) {
		struct hand_over h = { .f = &f, .cpu = i & 1, .value = 1000 + i };

		h.regs = (struct rf_regs){ .rip = CODE, .rflags = 0x202, .rdi = h.value };
		ASSERT_OK(rf_context_new(f.m, &h.c));
		ASSERT_OK(rf_address_space_new(f.m, &h.as));
		fixture_map_standard(h.as);
		in_thread(step, &h);
		f.regs.rdi = 7;
		ASSERT_OK(rf_context_switch(f.c, f.as, &f.regs, i >> 1 & 1, &f.trap));
		h.cpu = i >> 2 & 1;
		in_thread(finish, &h);
		ASSERT_OK(rf_context_switch(f.c, f.as, &f.regs, i >> 1 & 1, &f.trap));
		ASSERT_EQ(f.regs.orig_rax, 7);
	}
	fixture_down(&f);
}

/* ---- the end of the process ---- */

static unsigned count_entries(const char *path)
{
	DIR *d = opendir(path);
	unsigned n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

static void *spin_for_ever(void *arg)
{
	struct fixture *f = arg;
	struct rf_regs regs = { .rip = CODE, .rflags = 0x202, .rdi = DATA };
	struct rf_context *c;
	struct rf_trap trap;

	if (!rf_context_new(f->m, &c))
		rf_context_switch(c, f->as, &regs, 1, &trap);
	return NULL;
}

static void child_main(int ready)
{
	struct rf_regs regs = { .rip = CODE, .rflags = 0x202, .rdi = DATA + 64 };
	pthread_t thread;
	struct fixture f;

	fixture_up(&f, 2);
	LOAD(&f, code_count);
	if (pthread_create(&thread, NULL, spin_for_ever, &f))
		_exit(2);
	while (!*(volatile uint64_t *)(f.memory + DATA_OFF))
		sched_yield();
	if (write(ready, "", 1) != 1)
		_exit(3);
	rf_context_switch(f.c, f.as, &regs, 0, &f.trap);
	_exit(4);
}

/* The machine of a process killed inside KVM_RUN is gone with it: threads, descriptors, VM. */
TEST(sigkill_inside_a_switch_leaves_nothing)
{
	const char *vms = "/sys/kernel/debug/kvm";
	unsigned before = count_entries(vms), after = before + 1;

	for (int i = 0; i < 10; i++) {
		int status, ready[2];
		char byte;
		pid_t pid;

		ASSERT_EQ(pipe(ready), 0);
		pid = fork();
		ASSERT_GE(pid, 0);
		if (pid == 0)
			child_main(ready[1]);
		close(ready[1]);
		ASSERT_EQ(read(ready[0], &byte, 1), 1);
		usleep((useconds_t)(i * 100));
		ASSERT_EQ(kill(pid, SIGKILL), 0);
		/* The last descriptor of the child is closed when all of its threads are gone. */
		ASSERT_EQ(read(ready[0], &byte, 1), 0);
		ASSERT_EQ(waitpid(pid, &status, 0), pid);
		ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		ASSERT_EQ(kill(pid, 0), -1);
		ASSERT_EQ(errno, ESRCH);
		close(ready[0]);
	}
	for (int i = 0; i < 200 && before && after > before; i++) {
		usleep(10000); /* KVM removes a VM a moment after its last reference */
		after = count_entries(vms);
	}
	if (!before)
		test_note("no %s to count VMs in", vms);
	else
		test_note("%u entries in %s before, %u after", before, vms, after);
	if (before)
		EXPECT_LT(after,
			  before + 10); /* others may have made theirs meanwhile, but not ten */
}

/* Machines come and go without leaving descriptors or threads. */
TEST(machines_leave_nothing_behind)
{
	unsigned fds, threads;

	for (int i = 0; i < 30; i++) {
		struct fixture f;

		fixture_up(&f, 1 + (unsigned)i % 4);
		LOAD(&f, code_xmm);
		fixture_switch(&f);
		ASSERT_EQ(f.trap.kind, RF_TRAP_SYSCALL);
		fixture_down(&f);
		if (i == 0) {
			fds = count_entries("/proc/self/fd");
			threads = count_entries("/proc/self/task");
		}
	}
	EXPECT_EQ(count_entries("/proc/self/fd"), fds);
	EXPECT_EQ(count_entries("/proc/self/task"), threads);
}
