/* SPDX-License-Identifier: Apache-2.0 */
/* System calls and registers: what goes into user code and what comes back. */
#include "platform/fixture.h"

USER_CODE(code_getpid, "1: mov $39, %eax\n syscall\n jmp 1b");

TEST(syscall_returns_ten_thousand_times)
{
	struct fixture f;
	uint64_t start;

	fixture_up(&f, 1);
	LOAD(&f, code_getpid);
	start = now_ns();
	for (int i = 0; i < 10000; i++) {
		f.regs.rbx = (uint64_t)i * 0x9e3779b97f4a7c15ull;
		f.regs.r15 = ~f.regs.rbx;
		fixture_switch(&f);
		ASSERT_EQ(f.trap.kind, RF_TRAP_SYSCALL);
		ASSERT_EQ(f.regs.orig_rax, 39);
		ASSERT_EQ(f.regs.rip, CODE + 7);
		ASSERT_EQ(f.regs.rbx, (uint64_t)i * 0x9e3779b97f4a7c15ull);
		ASSERT_EQ(f.regs.r15, ~f.regs.rbx);
		ASSERT_EQ(f.regs.rsp, STACK_TOP - 64);
		f.regs.rax = 1000;
	}
	test_note("%lu ns per round trip", (now_ns() - start) / 10000);
	fixture_down(&f);
}

USER_CODE(code_registers,
	  "xor $-1, %rax\n xor $-1, %rbx\n xor $-1, %rdx\n xor $-1, %rsi\n xor $-1, %rdi\n"
	  "xor $-1, %rbp\n xor $-1, %r8\n xor $-1, %r9\n xor $-1, %r10\n xor $-1, %r12\n"
	  "xor $-1, %r13\n xor $-1, %r14\n xor $-1, %r15\n xor $-1, %rsp\n syscall");

TEST(syscall_preserves_all_registers)
{
	struct fixture f;
	struct rf_regs in;

	fixture_up(&f, 1);
	LOAD(&f, code_registers);
	for (uint64_t round = 1; round < 50; round++) {
		uint64_t *word = (uint64_t *)&f.regs;

		fixture_reset(&f);
		for (size_t i = 0; i < 15; i++)
			word[i] = round * 0x0123456789abcdefull + i;
		f.regs.rsp = round * 0xfedcba987654321ull;
		f.regs.rflags = 0x202 | (round & 1) | (round & 2) << 9;
		in = f.regs;
		fixture_switch(&f);
		ASSERT_EQ(f.trap.kind, RF_TRAP_SYSCALL);
		ASSERT_EQ(f.regs.orig_rax, ~in.rax);
		ASSERT_EQ(f.regs.rbx, ~in.rbx);
		ASSERT_EQ(f.regs.rdx, ~in.rdx);
		ASSERT_EQ(f.regs.rsi, ~in.rsi);
		ASSERT_EQ(f.regs.rdi, ~in.rdi);
		ASSERT_EQ(f.regs.rbp, ~in.rbp);
		ASSERT_EQ(f.regs.rsp, ~in.rsp);
		ASSERT_EQ(f.regs.r8, ~in.r8);
		ASSERT_EQ(f.regs.r9, ~in.r9);
		ASSERT_EQ(f.regs.r10, ~in.r10);
		ASSERT_EQ(f.regs.r12, ~in.r12);
		ASSERT_EQ(f.regs.r15, ~in.r15);
		ASSERT_EQ(f.regs.rcx, f.regs.rip);
		ASSERT_EQ(f.regs.r11, f.regs.rflags);
		ASSERT_EQ(f.regs.cs, 0x33);
		ASSERT_EQ(f.regs.ss, 0x2b);
	}
	fixture_down(&f);
}

USER_CODE(code_flags, "pushfq\n pop %rax\n syscall");

TEST(flags_are_sanitised_and_kept)
{
	struct fixture f;
	static const uint64_t flags[] = { 0x202, 0x246, 0xad7, 0x40202, 0x200202, 0x203, 0x602 };

	fixture_up(&f, 1);
	LOAD(&f, code_flags);
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		fixture_reset(&f);
		f.regs.rflags = flags[i] | 0x3000 | 0x4000 | 0x20000 | 0x80000 |
				0x100000; /* IOPL NT VM VIF VIP */
		f.regs.rflags &= ~0x100ull;
		fixture_switch(&f);
		ASSERT_EQ(f.trap.kind, RF_TRAP_SYSCALL);
		EXPECT_EQ(f.regs.orig_rax, flags[i] & ~0x100ull);
		EXPECT_EQ(f.regs.rflags, flags[i] & ~0x100ull);
	}
	fixture_down(&f);
}

USER_CODE(code_step, "nop\n nop\n nop\n syscall\n nop\n nop");

TEST(trap_flag_steps)
{
	struct fixture f;

	fixture_up(&f, 1);
	LOAD(&f, code_step);
	/* Once without, for Bochs: it takes an EPT violation at the first fetch for a step done. */
	fixture_switch(&f);
	EXPECT_EQ(f.trap.kind, RF_TRAP_SYSCALL);
	fixture_reset(&f);
	f.regs.rflags |= 0x100;
	for (uint64_t i = 1; i <= 3; i++) {
		fixture_switch(&f);
		EXPECT_FAULT(&f, 1, 0);
		EXPECT_EQ(f.trap.signo, 5);
		EXPECT_EQ(f.regs.rip, CODE + i);
		EXPECT_TRUE(f.regs.rflags & 0x100);
	}
	fixture_switch(&f);
	EXPECT_EQ(f.trap.kind, RF_TRAP_SYSCALL);
	EXPECT_EQ(f.regs.rip, CODE + 5);
	EXPECT_TRUE(f.regs.rflags & 0x100);
	f.regs.rax = 0;
	fixture_switch(&f);
	EXPECT_FAULT(&f, 1, 0);
	EXPECT_TRUE(f.regs.rip == CODE + 5 || f.regs.rip == CODE + 6);
	fixture_down(&f);
}

USER_CODE(code_bases,
	  "mov %fs:0, %rbx\n mov %gs:8, %rdx\n syscall\n"
	  "wrfsbase %rsi\n wrgsbase %rdi\n mov %fs:0, %rbx\n mov %gs:8, %rdx\n syscall\n"
	  "rdfsbase %rbx\n rdgsbase %rdx\n syscall\n"
	  "wrfsbase %rsi\n wrgsbase %rdi\n ud2");

TEST(fs_and_gs_bases_follow_regs_and_wrfsbase)
{
	struct fixture f;
	uint64_t *data;

	fixture_up(&f, 1);
	LOAD(&f, code_bases);
	data = (uint64_t *)(f.memory + DATA_OFF);
	for (uint64_t i = 0; i < 64; i++)
		data[i] = i;
	f.regs.fs_base = DATA + 80;
	f.regs.gs_base = DATA + 160;
	fixture_switch(&f);
	EXPECT_EQ(f.trap.kind, RF_TRAP_SYSCALL);
	EXPECT_EQ(f.regs.rbx, 10);
	EXPECT_EQ(f.regs.rdx, 21);
	EXPECT_EQ(f.regs.fs_base, DATA + 80);
	f.regs.rsi = DATA + 8;
	f.regs.rdi = DATA + 16;
	fixture_switch(&f);
	EXPECT_EQ(f.trap.kind, RF_TRAP_SYSCALL);
	EXPECT_EQ(f.regs.rbx, 1);
	EXPECT_EQ(f.regs.rdx, 3);
	EXPECT_EQ(f.regs.fs_base, DATA + 8);
	EXPECT_EQ(f.regs.gs_base, DATA + 16);
	f.regs.fs_base = 0x7123;
	fixture_switch(&f);
	EXPECT_EQ(f.regs.rbx, 0x7123);
	EXPECT_EQ(f.regs.rdx, DATA + 16);
	f.regs.rsi = 0x1234;
	f.regs.rdi = 0x5678;
	fixture_switch(&f);
	EXPECT_FAULT(&f, 6, 0);
	EXPECT_EQ(f.regs.fs_base, 0x1234);
	EXPECT_EQ(f.regs.gs_base, 0x5678);
	fixture_down(&f);
}

TEST(bad_register_values_are_faults)
{
	struct fixture f;

	fixture_up(&f, 1);
	LOAD(&f, code_getpid);
	f.regs.rip = 0x800000000000ull;
	fixture_switch(&f);
	EXPECT_FAULT(&f, 13, 0);
	EXPECT_EQ(f.trap.signo, 11);
	fixture_reset(&f);
	f.regs.rip = RF_ARENA_BASE;
	fixture_switch(&f);
	EXPECT_FAULT(&f, 14, 20);
	EXPECT_EQ(f.trap.access, RF_EXEC);
	fixture_reset(&f);
	f.regs.cs = 0x10;
	fixture_switch(&f);
	EXPECT_FAULT(&f, 13, 0);
	fixture_reset(&f);
	f.regs.ss = 0x18;
	fixture_switch(&f);
	EXPECT_FAULT(&f, 13, 0);
	fixture_reset(&f);
	f.regs.fs_base = 0x8000000000000000ull;
	fixture_switch(&f);
	EXPECT_FAULT(&f, 13, 0);
	fixture_reset(&f);
	fixture_switch(&f);
	EXPECT_SYSCALL(&f, 39);
	fixture_down(&f);
}

USER_CODE(code_noncanonical, "mov $0x900000000000, %rcx\n jmp *%rcx");
USER_CODE(code_jump_stub, "mov $0x7e0000000000, %rcx\n jmp *%rcx");

TEST(jumps_out_of_user_space_fault)
{
	struct fixture f;

	fixture_up(&f, 1);
	LOAD(&f, code_noncanonical);
	fixture_switch(&f);
	EXPECT_EQ(f.trap.kind, RF_TRAP_FAULT);
	EXPECT_EQ(f.trap.signo, 11);
	LOAD(&f, code_jump_stub);
	fixture_reset(&f);
	fixture_switch(&f);
	EXPECT_FAULT(&f, 14, f.trap.error_code);
	EXPECT_EQ(f.trap.address, RF_ARENA_BASE);
	EXPECT_EQ(f.trap.error_code & 4, 4);
	fixture_down(&f);
}
