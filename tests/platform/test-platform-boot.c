/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Residency guest with a tiny ring-0 image: hostcalls, system calls without exits, kicks, fatal
 * exits.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "platform/fixture.h"

/* Arena offsets. Slot 252 maps the arena with large pages, slot 0 one large user page. */
#define O_PML4  0x1000u
#define O_PDPT  0x2000u
#define O_PD    0x3000u
#define O_UPDPT 0x4000u
#define O_UPD   0x5000u
#define O_GDT   0x6000u
#define O_IDT   0x7000u
#define O_TSS   0x9000u
#define O_AREA  0xa000u /* GS: counters */
#define O_STACK 0x20000u
#define O_IMAGE 0x200000u
#define O_USER  0x400000u
#define USER_VA 0x400000u

#define AREA_SYSCALLS 0
#define AREA_KICKS    1
#define AREA_ARG      2
#define AREA_STOP_AT  3

USER_CODE(image, "image_entry:\n"
		 "	mov %rdi, %gs:16\n"
		 "	hlt\n"
		 "	hlt\n"
		 "	mov $0x400000, %ecx\n"
		 "	mov $0x202, %r11d\n"
		 "	sysretq\n"
		 "image_syscall:\n"
		 "	incq %gs:0\n"
		 "	mov %gs:0, %rax\n"
		 "	cmp %gs:24, %rax\n"
		 "	jne 1f\n"
		 "	hlt\n"
		 "1:	sysretq\n"
		 "image_kick:\n"
		 "	incq %gs:8\n"
		 "	hlt\n"
		 "	iretq\n"
		 "image_crash:\n"
		 "	movabs $0x123456789000, %rax\n"
		 "	mov (%rax), %rax\n");
extern const char image_entry[], image_syscall[], image_kick[], image_crash[];

USER_CODE(user_loop, "mov $1000, %r12d\n 1: syscall\n dec %r12d\n jnz 1b\n 2: jmp 2b");

static uint64_t image_va(const char *label)
{
	return RF_ARENA_BASE + O_IMAGE + (uint64_t)(label - image);
}

static void put(uint8_t *at, uint64_t value)
{
	memcpy(at, &value, sizeof(value));
}

static void build_tables(uint8_t *a)
{
	uint64_t gpa = RF_ARENA_GPA;

	put(a + O_PML4 + 252 * 8, (gpa + O_PDPT) | 0x23);
	put(a + O_PDPT, (gpa + O_PD) | 0x23);
	for (uint64_t i = 0; i < MEMORY >> 21; i++)
		put(a + O_PD + i * 8, (gpa + (i << 21)) | 0xe3);
	put(a + O_PML4, (gpa + O_UPDPT) | 0x27);
	put(a + O_UPDPT, (gpa + O_UPD) | 0x27);
	put(a + O_UPD + (USER_VA >> 21) * 8, (gpa + O_USER) | 0xe7);
}

static void build_descriptors(uint8_t *a)
{
	uint64_t kick = image_va(image_kick);

	put(a + O_GDT + 0x10, 0x00af9b000000ffffull);
	put(a + O_GDT + 0x18, 0x00cf93000000ffffull);
	put(a + O_GDT + 0x28, 0x00cff3000000ffffull);
	put(a + O_GDT + 0x30, 0x00affb000000ffffull);
	put(a + O_IDT + RF_VECTOR_KICK * 16,
	    (kick & 0xffff) | 0x10 << 16 | 0x8eull << 40 | (kick >> 16 & 0xffff) << 48);
	put(a + O_IDT + RF_VECTOR_KICK * 16 + 8, kick >> 32);
	put(a + O_TSS + 4, RF_ARENA_BASE + O_STACK);
}

static void boot(struct rf_machine *m, const char *entry)
{
	uint8_t *a = rf_machine_memory(m)->base;
	const struct rf_boot_cpu state = {
		.rip = image_va(entry),
		.rsp = RF_ARENA_BASE + O_STACK,
		.gs_base = RF_ARENA_BASE + O_AREA,
		.arg = 0xabcd,
		.cr3 = RF_ARENA_GPA + O_PML4,
		.gdt_base = RF_ARENA_BASE + O_GDT,
		.gdt_limit = 0x4f,
		.idt_base = RF_ARENA_BASE + O_IDT,
		.idt_limit = 0x21 * 16 - 1,
		.tss_base = RF_ARENA_BASE + O_TSS,
		.tss_limit = 0x67,
		.lstar = image_va(image_syscall),
		.star = 0x23ull << 48 | 0x10ull << 32,
		.sfmask = 0x257700,
	};
	struct rf_error err = { 0 };

	memcpy(a + O_IMAGE, image, (size_t)(image_end - image));
	memcpy(a + O_USER, user_loop, (size_t)(user_loop_end - user_loop));
	build_tables(a);
	build_descriptors(a);
	if (rf_machine_boot_cpu(m, 0, &state, &err))
		test_fatal("%s", err.text);
}

static uint64_t *area(struct rf_machine *m)
{
	return (uint64_t *)((uint8_t *)rf_machine_memory(m)->base + O_AREA);
}

static enum rf_exit_kind run(struct rf_machine *m)
{
	enum rf_exit_kind kind;
	char dump[4096] = "";

	ASSERT_OK(rf_machine_run_cpu(m, 0, &kind, dump, sizeof(dump)));
	if (kind == RF_EXIT_FATAL)
		test_note("%s", dump);
	return kind;
}

TEST(hostcall_is_resumed_by_running_again)
{
	struct rf_machine *m = fixture_machine(1, RF_RESIDENCY_GUEST);

	boot(m, image_entry);
	ASSERT_EQ(run(m), RF_EXIT_HOSTCALL);
	EXPECT_EQ(area(m)[AREA_ARG], 0xabcd);
	ASSERT_EQ(run(m), RF_EXIT_HOSTCALL);
	rf_machine_free(m);
}

TEST(kick_while_in_ring0_waits_for_user_mode)
{
	struct rf_machine *m = fixture_machine(1, RF_RESIDENCY_GUEST);
	struct rf_traits traits;

	rf_machine_traits(m, &traits);
	boot(m, image_entry);
	ASSERT_EQ(run(m), RF_EXIT_HOSTCALL);
	rf_machine_interrupt_cpu(m, 0);
	ASSERT_EQ(run(m), RF_EXIT_HOSTCALL);
	EXPECT_EQ(area(m)[AREA_KICKS], 0);
	if (!traits.can_boot)
		test_skip("ring 0 is not native here: no system calls into it");
	ASSERT_EQ(run(m), RF_EXIT_HOSTCALL); /* now in user mode: the kick */
	EXPECT_EQ(area(m)[AREA_KICKS], 1);
	rf_machine_free(m);
}

TEST(system_calls_cost_no_exits)
{
	struct rf_machine *m = fixture_machine(1, RF_RESIDENCY_GUEST);
	struct rf_stats before, after;
	struct rf_traits traits;

	rf_machine_traits(m, &traits);
	if (!traits.can_boot)
		test_skip("ring 0 is not native here: no system calls into it");
	boot(m, image_entry);
	area(m)[AREA_STOP_AT] = 1000;
	ASSERT_EQ(run(m), RF_EXIT_HOSTCALL);
	ASSERT_EQ(run(m), RF_EXIT_HOSTCALL);
	rf_machine_stats(m, &before);
	ASSERT_EQ(run(m), RF_EXIT_HOSTCALL);
	rf_machine_stats(m, &after);
	EXPECT_EQ(area(m)[AREA_SYSCALLS], 1000);
	EXPECT_EQ(after.exits - before.exits, 1);
	rf_machine_free(m);
}

struct kicker {
	struct rf_machine *m;
	_Atomic uint64_t want;
	_Atomic bool stop;
};

static void *kicker_main(void *arg)
{
	struct kicker *k = arg;
	uint64_t done = 0, rng = 88172645463325252ull;

	while (!atomic_load(&k->stop)) {
		if (atomic_load(&k->want) == done)
			continue;
		done++;
		rng ^= rng << 13, rng ^= rng >> 7, rng ^= rng << 17;
		for (volatile uint64_t i = 0; i < rng % 30000; i++)
			;
		rf_machine_interrupt_cpu(k->m, 0);
	}
	return NULL;
}

TEST(kicks_reach_spinning_user_code)
{
	struct rf_machine *m = fixture_machine(1, RF_RESIDENCY_GUEST);
	struct kicker k = { .m = m };
	struct rf_traits traits;
	pthread_t thread;

	rf_machine_traits(m, &traits);
	if (!traits.can_boot)
		test_skip("ring 0 is not native here: no system calls into it");
	boot(m, image_entry);
	ASSERT_EQ(run(m), RF_EXIT_HOSTCALL);
	ASSERT_EQ(run(m), RF_EXIT_HOSTCALL);
	ASSERT_EQ(pthread_create(&thread, NULL, kicker_main, &k), 0);
	for (uint64_t i = 1; i <= 1000; i++) {
		atomic_store(&k.want, i);
		ASSERT_EQ(run(m), RF_EXIT_HOSTCALL);
		ASSERT_EQ(area(m)[AREA_KICKS], i);
	}
	atomic_store(&k.stop, true);
	pthread_join(thread, NULL);
	EXPECT_EQ(area(m)[AREA_SYSCALLS], 1000);
	rf_machine_free(m);
}

TEST(fatal_exit_is_described)
{
	struct rf_machine *m = fixture_machine(1, RF_RESIDENCY_GUEST);
	enum rf_exit_kind kind;
	char dump[4096] = "";

	boot(m, image_crash);
	ASSERT_OK(rf_machine_run_cpu(m, 0, &kind, dump, sizeof(dump)));
	EXPECT_EQ(kind, RF_EXIT_FATAL);
	EXPECT_NOT_NULL(strstr(dump, "SHUTDOWN"));
	EXPECT_NOT_NULL(strstr(dump, "walk rip"));
	if (!strstr(dump,
		    "rip 000000000000fff0")) /* KVM on AMD resets the vCPU at a triple fault */
		EXPECT_NOT_NULL(strstr(dump, "123456789000"));
	rf_machine_free(m);
}

TEST(boot_needs_residency_guest)
{
	struct rf_machine *m = fixture_machine(1, RF_RESIDENCY_HOST);
	const struct rf_boot_cpu state = { 0 };
	struct rf_error err = { 0 };
	enum rf_exit_kind kind;
	char dump[64];

	EXPECT_EQ(rf_machine_boot_cpu(m, 0, &state, &err), -22);
	EXPECT_EQ(rf_machine_run_cpu(m, 0, &kind, dump, sizeof(dump)), -22);
	rf_machine_free(m);
}
