/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exceptions from user code: vector, error code, signal, and that the context can go on after each.
 */
#include <signal.h>

#include "platform/fixture.h"

USER_CODE(code_de, "xor %ecx, %ecx\n div %ecx");
USER_CODE(code_bp, "int3");
USER_CODE(code_ud, "ud2");
USER_CODE(code_gp_hlt, "hlt");
USER_CODE(code_gp_cli, "cli");
USER_CODE(code_gp_cr, "mov %cr0, %rax");
USER_CODE(code_gp_cr_write, "mov %rax, %cr3");
USER_CODE(code_gp_wrmsr, "wrmsr");
USER_CODE(code_gp_rdmsr, "mov $0xc0000082, %ecx\n rdmsr");
USER_CODE(code_gp_in, "in $0x60, %al");
USER_CODE(code_gp_out, "out %al, $0x70");
USER_CODE(code_gp_out_syscall, "nop\n out %al, $0x60");
USER_CODE(code_gp_out_dx, "mov $0x60, %edx\n out %al, %dx");
USER_CODE(code_gp_outl_dx, "mov $0x60, %edx\n out %eax, %dx");
USER_CODE(code_gp_lgdt, "lgdt (%rsp)");
USER_CODE(code_gp_iretq, "push $0x18\n push %rsp\n pushfq\n push $0x10\n push $0x400000\n iretq");
USER_CODE(code_gp_load, "mov $0x8000000000000000, %rax\n mov (%rax), %rax");
USER_CODE(code_ss_load, "mov $0x8000000000000000, %rbp\n mov (%rbp), %rax");
USER_CODE(code_int80, "int $0x80");
USER_CODE(code_int20, "int $0x20");
USER_CODE(code_invlpg, "invlpg (%rsp)");
USER_CODE(code_swapgs, "swapgs");
USER_CODE(code_sysret, "sysretq");
USER_CODE(code_vmcall, "vmcall");
USER_CODE(code_vmmcall, "vmmcall");
USER_CODE(code_rdpmc, "xor %ecx, %ecx\n rdpmc");
USER_CODE(code_mov_ss, "mov $0x18, %eax\n mov %eax, %ss");
USER_CODE(code_xsetbv, "xor %ecx, %ecx\n mov $7, %eax\n xor %edx, %edx\n xsetbv");
USER_CODE(code_invd, "invd");
USER_CODE(code_far, "push $0x10\n push $0x400000\n lretq");

struct expectation {
	const char *name, *start, *end;
	int vector; /* -1: any */
	int signo;  /* 0: any */
	uint64_t error_code;
	uint64_t rip_offset; /* of the faulting instruction */
};
#define CASE(n, vector, signo, error, off)                \
	{                                                 \
#n, n, n##_end, vector, signo, error, off \
	}

static const struct expectation cases[] = {
	CASE(code_de, 0, SIGFPE, 0, 2),
	CASE(code_bp, 3, SIGTRAP, 0, 1),
	CASE(code_ud, 6, SIGILL, 0, 0),
	CASE(code_gp_hlt, 13, SIGSEGV, 0, 0),
	CASE(code_gp_cli, 13, SIGSEGV, 0, 0),
	CASE(code_gp_cr, 13, SIGSEGV, 0, 0),
	CASE(code_gp_cr_write, 13, SIGSEGV, 0, 0),
	CASE(code_gp_wrmsr, 13, SIGSEGV, 0, 0),
	CASE(code_gp_rdmsr, 13, SIGSEGV, 0, 5),
	CASE(code_gp_in, 13, SIGSEGV, 0, 0),
	CASE(code_gp_out, 13, SIGSEGV, 0, 0),
	CASE(code_gp_out_syscall, 13, SIGSEGV, 0, 1),
	CASE(code_gp_out_dx, 13, SIGSEGV, 0, 5),
	CASE(code_gp_outl_dx, 13, SIGSEGV, 0, 5),
	CASE(code_gp_lgdt, 13, SIGSEGV, 0, 0),
	CASE(code_gp_load, 13, SIGSEGV, 0, 10),
	CASE(code_ss_load, -1, 0, 0, 10), /* #SS, but QEMU emulates #GP */
	CASE(code_int80, 13, SIGSEGV, 0x402, 0),
	CASE(code_int20, 13, SIGSEGV, 0x102, 0),
	CASE(code_invlpg, 13, SIGSEGV, 0, 0),
	CASE(code_swapgs, 13, SIGSEGV, 0, 0),
	CASE(code_rdpmc, 13, SIGSEGV, 0, 2),
	CASE(code_mov_ss, 13, SIGSEGV, 0x18, 5),
	CASE(code_xsetbv, 13, SIGSEGV, 0, 9),
	CASE(code_invd, 13, SIGSEGV, 0, 0),
	CASE(code_sysret, 13, SIGSEGV, 0, 0),
	CASE(code_vmcall, -1, 0, 0, 0),
	CASE(code_vmmcall, -1, 0, 0, 0),
	CASE(code_gp_iretq, -1, 0, 0, 0),
	CASE(code_far, -1, 0, 0, 0),
};

USER_CODE(code_ok, "mov $7, %eax\n syscall");

static void check_goes_on(struct fixture *f)
{
	LOAD(f, code_ok);
	fixture_reset(f);
	fixture_switch(f);
	EXPECT_SYSCALL(f, 7);
}

TEST(every_exception_is_reported)
{
	struct fixture f;

	fixture_up(&f, 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct expectation *e = &cases[i];

		fixture_code(&f, e->start, e->end);
		fixture_reset(&f);
		fixture_switch(&f);
		test_note("%s: kind %u vector %u error 0x%lx rip +%ld signal %d code %d", e->name,
			  f.trap.kind, f.trap.vector, f.trap.error_code, (long)(f.regs.rip - CODE),
			  f.trap.signo, f.trap.code);
		EXPECT_TRUE(f.trap.kind == RF_TRAP_FAULT ||
			    (e->vector < 0 && f.trap.kind == RF_TRAP_SYSCALL));
		if (e->vector >= 0) {
			EXPECT_EQ(f.trap.vector, e->vector);
			EXPECT_EQ(f.trap.signo, e->signo);
			EXPECT_EQ(f.trap.error_code, e->error_code);
			EXPECT_EQ(f.regs.rip - CODE, e->rip_offset);
		}
		check_goes_on(&f);
	}
	fixture_down(&f);
}

USER_CODE(code_load, "mov (%rdi), %rax\n syscall");
USER_CODE(code_store, "movb $1, (%rdi)\n syscall");
USER_CODE(code_jump, "jmp *%rdi");
USER_CODE(code_rmw, "lock incq (%rdi)\n syscall");

#define PF(f, code, addr, error, want)                          \
	do {                                                    \
		LOAD(f, code);                                  \
		fixture_reset(f);                               \
		(f)->regs.rdi = (addr);                         \
		fixture_switch(f);                              \
		EXPECT_FAULT(f, 14, error);                     \
		EXPECT_EQ((f)->trap.address, (uint64_t)(addr)); \
		EXPECT_EQ((f)->trap.access, (uint32_t)(want));  \
		EXPECT_EQ((f)->trap.signo, SIGSEGV);            \
	} while (0)

/*
 * A CPU faults for the write. QEMU's single-threaded emulation does a locked instruction as a load and a store, so the load faults
 * first; the access and the error code must agree in any case.
 */
static void check_read_modify_write(struct fixture *f, uint64_t address)
{
	LOAD(f, code_rmw);
	fixture_reset(f);
	f->regs.rdi = address;
	fixture_switch(f);
	EXPECT_EQ(f->trap.kind, RF_TRAP_FAULT);
	EXPECT_EQ(f->trap.vector, 14);
	EXPECT_EQ(f->trap.error_code & ~UINT64_C(2), 4);
	EXPECT_EQ(f->trap.address, address);
	EXPECT_EQ(f->trap.access, f->trap.error_code & 2 ? RF_WRITE : RF_READ);
}

TEST(page_faults_report_access_and_presence)
{
	struct fixture f;

	fixture_up(&f, 1);
	PF(&f, code_load, 0x0, 4, RF_READ);
	PF(&f, code_load, 0x700000, 4, RF_READ);
	PF(&f, code_store, 0x700123, 6, RF_WRITE);
	check_read_modify_write(&f, 0x700128);
	PF(&f, code_store, CODE + 0x800, 7, RF_WRITE);
	PF(&f, code_jump, 0x700000, 20, RF_EXEC);
	PF(&f, code_jump, DATA, 21, RF_EXEC);
	PF(&f, code_load, RF_ARENA_BASE, 4, RF_READ);
	PF(&f, code_store, RF_ARENA_BASE + 0x2000, 6, RF_WRITE);
	PF(&f, code_load, RF_ARENA_BASE + 0x800000, 4, RF_READ);
	PF(&f, code_load, 0xffff800000000000ull, 4, RF_READ);
	fixture_down(&f);
}

TEST(fault_resumes_when_the_page_is_mapped)
{
	struct fixture f;

	fixture_up(&f, 1);
	LOAD(&f, code_store);
	f.regs.rdi = 0x700010;
	fixture_switch(&f);
	EXPECT_FAULT(&f, 14, 6);
	EXPECT_EQ(f.regs.rip, CODE);
	ASSERT_OK(rf_address_space_map_file(f.as, 0x700000, FRAME(0), 0x1000, RF_READ | RF_WRITE,
					    false));
	f.regs.rax = 77;
	fixture_switch(&f);
	EXPECT_SYSCALL(&f, 77);
	EXPECT_EQ(f.memory[FRAME(0) + 0x10], 1);
	fixture_down(&f);
}

USER_CODE(code_ac, "pushfq\n orl $0x40000, (%rsp)\n popfq\n mov 1(%rsp), %rax\n syscall");

TEST(alignment_check_is_a_bus_error)
{
	struct fixture f;

	fixture_up(&f, 1);
	LOAD(&f, code_ac);
	fixture_switch(&f);
	if (f.trap.kind == RF_TRAP_SYSCALL)
		test_skip("this KVM does not deliver #AC");
	EXPECT_FAULT(&f, 17, 0);
	EXPECT_EQ(f.trap.signo, SIGBUS);
	fixture_down(&f);
}

USER_CODE(code_xm, "movl $0x1d80, -4(%rsp)\n ldmxcsr -4(%rsp)\n xorps %xmm0, %xmm0\n"
		   "mov $1, %eax\n cvtsi2ss %eax, %xmm1\n divss %xmm0, %xmm1");
USER_CODE(code_mf,
	  "fninit\n movw $0x37b, -4(%rsp)\n fldcw -4(%rsp)\n fld1\n fldz\n fdivrp\n fwait");

TEST(float_exceptions_have_codes)
{
	struct fixture f;

	fixture_up(&f, 1);
	LOAD(&f, code_xm);
	fixture_switch(&f);
	if (f.trap.vector == 3)
		test_skip("this CPU does not deliver #XM");
	EXPECT_FAULT(&f, 19, 0);
	EXPECT_EQ(f.trap.signo, SIGFPE);
	EXPECT_EQ(f.trap.code, 3); /* FPE_FLTDIV */
	ASSERT_OK(rf_context_reset_fpu(f.c));
	LOAD(&f, code_mf);
	fixture_reset(&f);
	fixture_switch(&f);
	EXPECT_FAULT(&f, 16, 0);
	EXPECT_EQ(f.trap.code, 3);
	fixture_down(&f);
}
