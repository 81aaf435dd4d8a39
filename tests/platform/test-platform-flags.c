/* SPDX-License-Identifier: Apache-2.0 */
/* RFLAGS images: whatever is asked for, user code gets what user code may have, and no fault comes of it. */
#include "platform/entry.h"

/* CF PF AF ZF SF DF OF AC ID; TF and RF are apart. */
#define FLAGS_KEPT  0x240cd5ull
#define FLAGS_FIXED 0x202ull
#define FLAG_TF     0x100ull
#define FLAG_RF     0x10000ull

USER_CODE(code_flags, "pushfq\n pop %rbx\n syscall");
USER_CODE(code_flags_fault, "pushfq\n pop %rbx\n ud2");

static uint64_t wanted(uint64_t image)
{
	return (image & FLAGS_KEPT) | FLAGS_FIXED;
}

static void check_image(struct fixture *f, uint64_t image)
{
	fixture_reset(f);
	f->regs.rflags = image & ~FLAG_TF;
	fixture_switch(f);
	ASSERT_TRUE(f->trap.kind == RF_TRAP_SYSCALL ||
		    (f->trap.kind == RF_TRAP_FAULT && f->trap.vector == 6));
	ASSERT_EQ(f->regs.rbx, wanted(image));
	ASSERT_EQ(f->regs.rflags & ~FLAG_RF, wanted(image));
	if (f->trap.kind == RF_TRAP_SYSCALL)
		ASSERT_EQ(f->regs.r11, f->regs.rflags);
}

static void check_all(struct fixture *f)
{
	struct test_rng rng;

	for (unsigned bit = 0; bit < 64; bit++) {
		check_image(f, 1ull << bit);
		check_image(f, ~(1ull << bit));
	}
	test_rng_init(&rng, 0xf1a6);
	for (int i = 0; i < 200; i++)
		check_image(f, test_rng_next(&rng));
}

/* IOPL, NT, VM, VIF, VIP and what is reserved: never the user's, not even for a moment. */
TEST(every_flags_image_is_made_harmless)
{
	struct fixture f;

	fixture_up(&f, 1);
	LOAD(&f, code_flags);
	check_all(&f);
	LOAD(&f, code_flags_fault);
	check_all(&f);
	fixture_down(&f);
}

TEST(flags_images_are_the_same_for_every_entry)
{
	struct fixture f;

	for (int how = 0; how < ENTRIES; how++) {
		fixture_up(&f, 1);
		for (unsigned bit = 0; bit < 24; bit++) {
			entry_prepare(&f, (enum entry)how);
			LOAD(&f, code_flags);
			check_image(&f, 1ull << bit | 0x202);
		}
		fixture_down(&f);
	}
}

USER_CODE(code_popf, "push %rdi\n popfq\n pushfq\n pop %rbx\n push %rsi\n popfq\n syscall");

/* POPF of user code itself: IOPL and the virtual-8086 bits stay as they are (SDM vol. 2B, POPF). */
TEST(user_code_cannot_raise_its_privileges_by_popf)
{
	struct fixture f;

	fixture_up(&f, 1);
	LOAD(&f, code_popf);
	for (unsigned bit = 0; bit < 64; bit++) {
		uint64_t image = 1ull << bit;

		if (image == FLAG_TF)
			continue;
		fixture_reset(&f);
		f.regs.rdi = image;
		f.regs.rsi = 0x202;
		fixture_switch(&f);
		EXPECT_EQ(f.trap.kind, RF_TRAP_SYSCALL);
		/* NT is the user's to set; it goes at the next entry. */
		ASSERT_EQ(f.regs.rbx & ~0x4000ull, wanted(image));
	}
	fixture_down(&f);
}

USER_CODE(code_nt, "pushfq\n orl $0x4000, (%rsp)\n popfq\n syscall\n pushfq\n pop %rbx\n syscall");
USER_CODE(code_nt_fault,
	  "pushfq\n orl $0x4000, (%rsp)\n popfq\n ud2\n pushfq\n pop %rbx\n syscall");

/* IRET with NT set would be a task switch, which 64-bit mode answers with #GP (SDM vol. 2A, IRET). */
TEST(nested_task_flag_does_not_survive_a_trap)
{
	struct fixture f;

	fixture_up(&f, 1);
	LOAD(&f, code_nt);
	fixture_switch(&f);
	EXPECT_EQ(f.trap.kind, RF_TRAP_SYSCALL);
	fixture_switch(&f);
	EXPECT_EQ(f.trap.kind, RF_TRAP_SYSCALL);
	EXPECT_EQ(f.regs.rbx & 0x4000, 0);
	LOAD(&f, code_nt_fault);
	fixture_reset(&f);
	fixture_switch(&f);
	EXPECT_FAULT(&f, 6, 0);
	f.regs.rip += 2;
	fixture_switch(&f);
	EXPECT_EQ(f.trap.kind, RF_TRAP_SYSCALL);
	EXPECT_EQ(f.regs.rbx & 0x4000, 0);
	fixture_down(&f);
}

USER_CODE(code_nops, "nop\n nop\n nop\n nop\n nop\n nop\n nop\n nop\n syscall");

/* One #DB an instruction, whatever the way in; RF in the image does not hide it (SDM vol. 3B §17.3.1.1). */
TEST(single_steps_count_instructions_for_every_entry)
{
	struct fixture f;

	for (int how = 0; how < ENTRIES; how++) {
		fixture_up(&f, 1);
		entry_prepare(&f, (enum entry)how);
		LOAD(&f, code_nops);
		/* Once without, for Bochs: it takes an EPT violation at the first fetch for a step done. */
		fixture_reset(&f);
		fixture_switch(&f);
		EXPECT_EQ(f.trap.kind, RF_TRAP_SYSCALL);
		fixture_reset(&f);
		for (uint64_t i = 1; i <= 8; i++) {
			f.regs.rflags |= FLAG_TF | (i & 1 ? FLAG_RF : 0);
			fixture_switch(&f);
			EXPECT_FAULT(&f, 1, 0);
			ASSERT_EQ(f.regs.rip, CODE + i);
			ASSERT_TRUE(f.regs.rflags & FLAG_TF);
			ASSERT_EQ(f.trap.code, 2); /* TRAP_TRACE */
		}
		f.regs.rflags &= ~FLAG_TF;
		fixture_switch(&f);
		EXPECT_EQ(f.trap.kind, RF_TRAP_SYSCALL);
		fixture_down(&f);
	}
}

USER_CODE(code_string,
	  "mov $0x500000, %edi\n mov $0x41, %eax\n mov $64, %ecx\n rep stosb\n syscall");

/* DF is the user's: a string instruction interrupted by a fault goes on downwards. */
TEST(direction_flag_survives_a_fault_in_a_string_instruction)
{
	struct fixture f;

	fixture_up(&f, 1);
	LOAD(&f, code_string);
	memset(f.memory + FRAME(0), 0, 0x1000);
	f.regs.rflags |= 0x400;
	fixture_switch(&f); /* at DATA, then below it: not mapped */
	EXPECT_FAULT(&f, 14, 6);
	EXPECT_EQ(f.trap.address, DATA - 1);
	EXPECT_EQ(f.regs.rcx, 63);
	EXPECT_TRUE(f.regs.rflags & 0x400);
	ASSERT_OK(rf_address_space_map_file(f.as, DATA - 0x1000, FRAME(0), 0x1000,
					    RF_READ | RF_WRITE, false));
	fixture_switch(&f);
	EXPECT_EQ(f.trap.kind, RF_TRAP_SYSCALL);
	for (int i = 1; i <= 63; i++)
		ASSERT_EQ(f.memory[FRAME(0) + 0x1000 - (unsigned)i], 0x41);
	fixture_down(&f);
}
