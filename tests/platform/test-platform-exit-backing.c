/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory file is truncated under the machine: user code gets SIGBUS, the I/O functions stop short, and both go on
 * elsewhere.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "platform/fixture.h"

#define LOST     0x700000ul /* mapped to what is cut off */
#define LOST_OFF (MEMORY - 0x4000ul)
#define KEPT     0x6ff000ul /* the page before it */

struct backing {
	struct fixture f;
	int fd;
	void *base;
};

static void backing_up(struct backing *b)
{
	struct rf_options options = { .cpus = 1, .memory.size = MEMORY };
	struct rf_error err = { 0 };
	struct fixture *f = &b->f;
	int device;

	b->fd = memfd_create("backing", MFD_CLOEXEC);
	ASSERT_EQ(ftruncate(b->fd, MEMORY), 0);
	b->base = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED, b->fd, 0);
	ASSERT_TRUE(b->base != MAP_FAILED);
	options.memory.base = b->base;
	if (rf_platform_open_device(fixture_platform(), NULL, &device, &err))
		test_skip("%s", err.text);
	if (rf_machine_new(fixture_platform(), device, &options, &f->m, &err))
		test_fatal("%s", err.text);
	f->memory = b->base;
	ASSERT_OK(rf_address_space_new(f->m, &f->as));
	ASSERT_OK(rf_context_new(f->m, &f->c));
	fixture_map_standard(f->as);
	ASSERT_OK(rf_address_space_map_file(f->as, LOST, LOST_OFF, 0x4000,
					    RF_READ | RF_WRITE | RF_EXEC, false));
	ASSERT_OK(rf_address_space_map_file(f->as, KEPT, FRAME(3), 0x1000, RF_READ | RF_WRITE,
					    false));
	fixture_reset(f);
}

/* The test framework puts its own handler in place for each test, after the library's. */
static void handler(int signo, siginfo_t *info, void *context)
{
	if (!rf_platform_fault(signo, info, context))
		test_fatal("SIGBUS at %p", info->si_addr);
}

static void handler_up(void)
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };

	ASSERT_EQ(sigaction(SIGBUS, &action, NULL), 0);
}

static void cut(struct backing *b)
{
	ASSERT_EQ(ftruncate(b->fd, LOST_OFF), 0);
}

static void backing_down(struct backing *b)
{
	fixture_down(&b->f);
	munmap(b->base, MEMORY);
	close(b->fd);
}

#define EXPECT_LOST(f, at)                                     \
	do {                                                   \
		EXPECT_EQ((f)->trap.kind, RF_TRAP_FAULT);      \
		EXPECT_EQ((f)->trap.signo, SIGBUS);            \
		EXPECT_EQ((f)->trap.code, 2 /* BUS_ADRERR */); \
		EXPECT_EQ((f)->trap.address, (uint64_t)(at));  \
	} while (0)

USER_CODE(load_rdi, "mov (%rdi), %rax\n mov $77, %eax\n syscall");
USER_CODE(store_rsi, "movq $5, 8(%rsi)\n mov $78, %eax\n syscall");
USER_CODE(push_rax, "push %rax\n mov $79, %eax\n syscall");
USER_CODE(load_hidden, "mov %fs:0, %rax\n mov $80, %eax\n syscall");
USER_CODE(
	touch_first,
	"mov (%rdi), %rax\n mov $81, %eax\n syscall\n mov (%rdi), %rax\n mov $82, %eax\n syscall");

TEST(load_from_a_cut_page_is_sigbus_at_its_address)
{
	struct backing b;
	uint32_t word;
	struct fixture *f = &b.f;

	backing_up(&b);
	LOAD(f, load_rdi);
	cut(&b);
	/* First of this program: the handler is the one that rf_machine_new() installed. */
	EXPECT_EQ(rf_address_space_load_u32(f->as, LOST, &word), -14);
	f->regs.rdi = LOST + 0x1238;
	fixture_switch(f);
	EXPECT_LOST(f, LOST + 0x1238);
	EXPECT_EQ(f->regs.rip, CODE);
	fixture_reset(f); /* the context lives on */
	f->regs.rdi = DATA;
	fixture_switch(f);
	EXPECT_SYSCALL(f, 77);
	backing_down(&b);
}

TEST(store_to_a_cut_page_is_sigbus)
{
	struct backing b;
	struct fixture *f = &b.f;

	backing_up(&b);
	LOAD(f, store_rsi);
	cut(&b);
	f->regs.rsi = LOST + 0x2000;
	fixture_switch(f);
	EXPECT_LOST(f, LOST + 0x2000);
	EXPECT_EQ(f->regs.rip, CODE);
	/* The file comes back: the same instruction goes through. */
	ASSERT_EQ(ftruncate(b.fd, MEMORY), 0);
	fixture_switch(f);
	EXPECT_SYSCALL(f, 78);
	EXPECT_EQ(*(uint64_t *)(f->memory + LOST_OFF + 0x2008), 5);
	backing_down(&b);
}

TEST(page_in_use_that_is_cut_is_sigbus)
{
	struct backing b;
	struct fixture *f = &b.f;

	backing_up(&b);
	LOAD(f, touch_first);
	f->regs.rdi = LOST;
	fixture_switch(f);
	EXPECT_SYSCALL(f, 81);
	cut(&b);
	fixture_switch(f);
	EXPECT_LOST(f, LOST);
	backing_down(&b);
}

TEST(cut_stack_and_cut_code_are_sigbus)
{
	struct backing b;
	struct fixture *f = &b.f;

	backing_up(&b);
	LOAD(f, push_rax);
	cut(&b);
	f->regs.rsp = LOST + 0x1000;
	fixture_switch(f);
	EXPECT_LOST(f, LOST + 0xff8);
	fixture_reset(f);
	f->regs.rip = LOST + 0x10;
	fixture_switch(f);
	EXPECT_LOST(f, LOST + 0x10);
	EXPECT_EQ(f->regs.rip, LOST + 0x10);
	backing_down(&b);
}

/* No register points to it: the lowest lost page of the address space, in which it is. */
TEST(hidden_address_is_found_by_search)
{
	struct backing b;
	struct fixture *f = &b.f;

	backing_up(&b);
	LOAD(f, load_hidden);
	cut(&b);
	f->regs.fs_base = LOST + 0x40;
	fixture_switch(f);
	EXPECT_EQ(f->trap.kind, RF_TRAP_FAULT);
	EXPECT_EQ(f->trap.signo, SIGBUS);
	EXPECT_EQ(f->trap.address & ~0xffful, LOST);
	backing_down(&b);
}

/* Every length around the border, from both sides of it. */
TEST(io_functions_stop_at_the_cut)
{
	static uint8_t buf[256], expected[256];
	struct backing b;
	struct fixture *f = &b.f;

	backing_up(&b);
	handler_up();
	memset(f->memory + FRAME(3), 0x5a, 0x1000);
	cut(&b);
	for (uint64_t before = 0; before <= 130; before++) {
		for (uint64_t after = 0; after <= 130; after += after < 20 ? 1 : 37) {
			uint64_t at = LOST - before;
			size_t n = before + after;

			memset(buf, 0, sizeof(buf));
			memset(expected, 0, sizeof(expected));
			memset(expected, 0x5a, before);
			ASSERT_EQ(rf_address_space_copy_in(f->as, buf, at, n), before);
			ASSERT_EQ(memcmp(buf, expected, sizeof(buf)), 0);
			ASSERT_EQ(rf_address_space_zero_out(f->as, at, n), before);
			ASSERT_EQ(rf_address_space_copy_in(f->as, buf, at, before), before);
			memset(expected, 0, before);
			ASSERT_EQ(memcmp(buf, expected, before), 0);
			memset(buf, 0x5a, sizeof(buf));
			ASSERT_EQ(rf_address_space_copy_out(f->as, at, buf, n), before);
			ASSERT_EQ(f->memory[FRAME(3) + 0xfff], 0x5a);
		}
	}
	backing_down(&b);
}

TEST(words_of_a_cut_page_are_refused)
{
	struct backing b;
	struct fixture *f = &b.f;
	uint32_t old = 1;

	backing_up(&b);
	handler_up();
	cut(&b);
	for (uint64_t at = LOST; at < LOST + 0x4000; at += 0x7fc) {
		EXPECT_EQ(rf_address_space_load_u32(f->as, at, &old), -14);
		EXPECT_EQ(rf_address_space_swap_u32(f->as, at, 2, &old), -14);
		EXPECT_EQ(rf_address_space_cas_u32(f->as, at, 0, 2, &old), -14);
		EXPECT_EQ(old, 1);
	}
	ASSERT_OK(rf_address_space_swap_u32(f->as, LOST - 4, 9, &old));
	EXPECT_OK(rf_address_space_cas_u32(f->as, LOST - 4, 9, 10, &old));
	EXPECT_EQ(old, 9);
	EXPECT_OK(rf_address_space_load_u32(f->as, LOST - 4, &old));
	EXPECT_EQ(old, 10);
	backing_down(&b);
}

/* The cut comes at any moment of a copy. */
static _Atomic bool cutter_stop;

static void *cutter(void *arg)
{
	struct backing *b = arg;

	for (int i = 0; !atomic_load(&cutter_stop); i++)
		if (ftruncate(b->fd, LOST_OFF + (i & 3) * 0x1000) || ftruncate(b->fd, MEMORY))
			break;
	return NULL;
}

TEST(io_functions_survive_a_racing_cut)
{
	static uint8_t buf[0x4000];
	struct backing b;
	struct fixture *f = &b.f;
	uint64_t short_copies = 0, wrong = 0;
	pthread_t thread;
	uint32_t old;

	backing_up(&b);
	handler_up();
	ASSERT_EQ(pthread_create(&thread, NULL, cutter, &b), 0);
	for (int i = 0; i < 20000 && short_copies < 300; i++) {
		size_t in = rf_address_space_copy_in(f->as, buf, LOST, sizeof(buf));
		size_t out = rf_address_space_copy_out(f->as, LOST, buf, sizeof(buf));
		int r = rf_address_space_cas_u32(f->as, LOST + 0x3000, 0, 0, &old);

		short_copies += in < sizeof(buf) || out < sizeof(buf);
		wrong += in > sizeof(buf) || out > sizeof(buf) || (r != 0 && r != -14);
	}
	atomic_store(&cutter_stop, true);
	pthread_join(thread, NULL);
	test_note("%lu copies were cut short", short_copies);
	EXPECT_EQ(wrong, 0);
	backing_down(&b);
}

/* A SIGBUS of somebody else's reaches the handler that was there before us. */
static _Atomic int foreign;
static void *volatile foreign_page;

static void foreign_handler(int signo, siginfo_t *info, void *context)
{
	if (rf_platform_fault(signo, info, context))
		return;
	atomic_fetch_add(&foreign, 1);
	mmap(foreign_page, 0x1000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
	     -1, 0);
}

TEST(foreign_handler_shares_the_signal)
{
	struct sigaction old, action = { .sa_sigaction = foreign_handler, .sa_flags = SA_SIGINFO };
	int fd = memfd_create("foreign", MFD_CLOEXEC);
	struct backing b;
	uint32_t word;

	backing_up(&b);
	ASSERT_EQ(sigaction(SIGBUS, &action, &old), 0);
	cut(&b);
	foreign_page = mmap(NULL, 0x1000, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	EXPECT_EQ(*(volatile uint8_t *)foreign_page, 0);
	EXPECT_EQ(atomic_load(&foreign), 1);
	EXPECT_EQ(rf_address_space_load_u32(b.f.as, LOST, &word), -14);
	EXPECT_EQ(atomic_load(&foreign), 1);
	sigaction(SIGBUS, &old, NULL);
	munmap(foreign_page, 0x1000);
	close(fd);
	backing_down(&b);
}

TEST(precommit_populates)
{
	struct backing b;
	unsigned char present[4] = { 0 };

	backing_up(&b);
	ASSERT_EQ(mincore((uint8_t *)b.base + LOST_OFF, 0x4000, present), 0);
	EXPECT_EQ(present[2] & 1, 0);
	ASSERT_OK(rf_address_space_map_file(b.f.as, LOST, LOST_OFF, 0x4000, RF_READ | RF_WRITE,
					    true));
	ASSERT_EQ(mincore((uint8_t *)b.base + LOST_OFF, 0x4000, present), 0);
	EXPECT_EQ(present[2] & 1, 1);
	/* What cannot be had is no error. */
	cut(&b);
	EXPECT_OK(rf_address_space_map_file(b.f.as, LOST, LOST_OFF, 0x4000, RF_READ | RF_WRITE,
					    true));
	backing_down(&b);
}
