/* SPDX-License-Identifier: Apache-2.0 */
/* The public functions and the registry, over the fake platform: no device needed. */
#include <string.h>

#include "harness/test.h"
#include "platform/fake/fake.h"

#define PAGE 0x1000ul
#define ADDR 0x400000ul

static struct rf_machine *machine(void)
{
	struct rf_options options = { .cpus = 2, .memory.size = 64 * PAGE };
	struct rf_machine *m;

	ASSERT_OK(rf_machine_new(&fake_platform, -1, &options, &m, NULL));
	return m;
}

TEST(registry_lists_by_name_and_refuses_twice)
{
	const struct rf_platform *first, *p;

	EXPECT_NOT_NULL(rf_platform_lookup("kvm"));
	EXPECT_NULL(rf_platform_lookup("fake"));
	EXPECT_NULL(rf_platform_lookup(NULL));
	EXPECT_OK(rf_platform_register(&fake_platform));
	EXPECT_EQ(rf_platform_register(&fake_platform), -17);
	EXPECT_PTR_EQ(rf_platform_lookup("fake"), &fake_platform);
	first = rf_platform_next(NULL);
	EXPECT_STR_EQ(rf_platform_name(first), "fake");
	for (p = first; rf_platform_next(p); p = rf_platform_next(p))
		EXPECT_LT(strcmp(rf_platform_name(p), rf_platform_name(rf_platform_next(p))), 0);
}

TEST(map_replaces_and_next_iterates)
{
	struct rf_machine *m = machine();
	struct rf_address_space *as;
	u64 addr, offset;
	u32 prot;

	ASSERT_OK(rf_address_space_new(m, &as));
	ASSERT_OK(rf_address_space_map_file(as, ADDR, 0, 8 * PAGE, RF_READ | RF_WRITE, false));
	ASSERT_OK(rf_address_space_map_file(as, ADDR + 2 * PAGE, 32 * PAGE, PAGE, RF_READ | RF_EXEC,
					    false));
	ASSERT_EQ(rf_address_space_next(as, ADDR + 2 * PAGE + 5, ~0ul, &addr, &offset, &prot), 1);
	EXPECT_EQ(addr, ADDR + 2 * PAGE);
	EXPECT_EQ(offset, 32 * PAGE);
	EXPECT_EQ(prot, RF_READ | RF_EXEC);
	ASSERT_OK(rf_address_space_protect(as, ADDR, 8 * PAGE, RF_READ));
	ASSERT_EQ(rf_address_space_next(as, ADDR, ADDR + PAGE, &addr, &offset, &prot), 1);
	EXPECT_EQ(prot, RF_READ);
	ASSERT_OK(rf_address_space_protect(as, ADDR, PAGE, 0));
	EXPECT_EQ(rf_address_space_next(as, ADDR, ADDR + PAGE, &addr, &offset, &prot), 0);
	ASSERT_OK(rf_address_space_unmap(as, ADDR, 8 * PAGE));
	EXPECT_EQ(rf_address_space_next(as, 0, ~0ul, &addr, &offset, &prot), 0);
	rf_address_space_free(as);
	rf_machine_free(m);
}

TEST(hostile_ranges_are_refused)
{
	static const u64 bad[][2] = {
		{ ADDR + 1, PAGE },
		{ ADDR, PAGE + 1 },
		{ ADDR, 0 },
		{ 0, PAGE },
		{ ~0xffful, PAGE },
		{ RF_MAX_USER_ADDRESS, PAGE },
		{ RF_MAX_USER_ADDRESS - PAGE, 2 * PAGE },
		{ ADDR, ~0xffful },
	};
	struct rf_machine *m = machine();
	struct rf_address_space *as;

	ASSERT_OK(rf_address_space_new(m, &as));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(rf_address_space_map_file(as, bad[i][0], 0, bad[i][1], RF_READ, false),
			  -22);
		EXPECT_EQ(rf_address_space_unmap(as, bad[i][0], bad[i][1]), -22);
		EXPECT_EQ(rf_address_space_protect(as, bad[i][0], bad[i][1], RF_READ), -22);
	}
	EXPECT_EQ(rf_address_space_map_file(as, ADDR, 63 * PAGE, 2 * PAGE, RF_READ, false), -22);
	EXPECT_EQ(rf_address_space_map_file(as, ADDR, ~0xffful, PAGE, RF_READ, false), -22);
	EXPECT_EQ(rf_address_space_map_file(as, ADDR, 0, PAGE, 8, false), -22);
	rf_address_space_free(as);
	rf_machine_free(m);
}

TEST(copies_stop_at_the_first_page_without_access)
{
	struct rf_machine *m = machine();
	struct rf_address_space *as;
	char out[3 * PAGE], in[3 * PAGE];
	u32 old;

	memset(out, 'x', sizeof(out));
	ASSERT_OK(rf_address_space_new(m, &as));
	ASSERT_OK(rf_address_space_map_file(as, ADDR, 0, 2 * PAGE, RF_READ | RF_WRITE, false));
	EXPECT_EQ(rf_address_space_copy_out(as, ADDR + 10, out, sizeof(out)), 2 * PAGE - 10);
	EXPECT_EQ(rf_address_space_copy_in(as, in, ADDR + 10, sizeof(in)), 2 * PAGE - 10);
	EXPECT_MEM_EQ(in, out, 2 * PAGE - 10);
	EXPECT_EQ(rf_address_space_zero_out(as, ADDR + PAGE, PAGE), PAGE);
	EXPECT_EQ(rf_address_space_cas_u32(as, ADDR + PAGE, 1, 2, &old), 0);
	EXPECT_EQ(old, 0);
	EXPECT_EQ(rf_address_space_load_u32(as, ADDR + PAGE + 2, &old), -14);
	EXPECT_EQ(rf_address_space_swap_u32(as, ADDR + 2 * PAGE, 2, &old), -14);
	rf_address_space_free(as);
	rf_machine_free(m);
}

static void count_program(void *arg, struct rf_address_space *as, struct rf_regs *regs,
			  struct rf_trap *trap)
{
	u64 *count = arg;

	regs->rax = ++*count;
	trap->kind = *count % 3 ? RF_TRAP_SYSCALL : RF_TRAP_NONE;
}

TEST(switch_runs_the_program_until_it_traps)
{
	struct rf_machine *m = machine();
	struct rf_address_space *as;
	struct rf_regs regs = { 0 };
	struct rf_context *c;
	struct rf_trap trap;
	u64 count = 0;

	ASSERT_OK(rf_address_space_new(m, &as));
	ASSERT_OK(rf_context_new(m, &c));
	ASSERT_OK(rf_context_switch(c, as, &regs, 0, &trap));
	EXPECT_EQ(trap.kind, RF_TRAP_ERROR);
	fake_context_set_program(c, count_program, &count);
	for (u64 want = 1; want < 20; want++) {
		if (want % 3 == 0)
			continue;
		ASSERT_OK(rf_context_switch(c, as, &regs, 1, &trap));
		EXPECT_EQ(trap.kind, RF_TRAP_SYSCALL);
		EXPECT_EQ(regs.orig_rax, want);
		EXPECT_EQ(trap.cpu, 1);
	}
	rf_context_interrupt(c);
	ASSERT_OK(rf_context_switch(c, as, &regs, 1, &trap));
	EXPECT_EQ(trap.kind, RF_TRAP_INTERRUPT);
	rf_context_preempt(c);
	ASSERT_OK(rf_context_switch(c, as, &regs, 1, &trap));
	EXPECT_EQ(trap.kind, RF_TRAP_SYSCALL);
	EXPECT_EQ(rf_context_switch(c, as, &regs, 2, &trap), -22);
	rf_context_free(c);
	rf_address_space_free(as);
	rf_machine_free(m);
}

TEST(boot_is_refused_by_platforms_without_it)
{
	struct rf_machine *m = machine();
	const struct rf_boot_cpu state = { 0 };
	struct rf_error err;

	EXPECT_EQ(rf_machine_boot_cpu(m, 0, &state, &err), -38);
	EXPECT_NOT_NULL(strstr(err.text, "fake"));
	rf_machine_free(m);
}
