/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Residency guest with a tiny ring-0 image: hostcalls, system calls without exits, kicks, fatal
 * exits.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "harness/ring0_image.h"
#include "platform/fixture.h"

/* Arena offsets, beside those of ring0_image.h. */
#define O_AREA  0xa000u /* GS: counters */
#define O_STACK 0x20000u

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

static void boot(struct rf_machine *m, const char *entry)
{
	uint8_t *a = rf_machine_memory(m)->base;
	struct rf_boot_cpu state =
		ring0_boot_cpu(a, image_va(entry), image_va(image_syscall), O_STACK, O_TSS);
	struct rf_error err = { 0 };

	state.gs_base = RF_ARENA_BASE + O_AREA;
	state.arg = 0xabcd;
	memcpy(a + O_IMAGE, image, (size_t)(image_end - image));
	memcpy(a + O_USER, user_loop, (size_t)(user_loop_end - user_loop));
	ring0_tables(a, MEMORY);
	ring0_segments(a);
	ring0_gate(a, RF_VECTOR_KICK, image_va(image_kick), 0);
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
