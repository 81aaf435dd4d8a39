/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Instructions that user code must not, or may hardly, execute: each gets the exception it gets on
 * the host (native.h), and the platform goes on.
 */
#include "platform/native.h"

USER_CODE(code_ok, "mov $7, %eax\n syscall");

static void check_goes_on(struct fixture *f)
{
	LOAD(f, code_ok);
	fixture_reset(f);
	fixture_switch(f);
	EXPECT_SYSCALL(f, 7);
}

/* ---- INT n ---- */

/* INT3 and INTO have gates of their own; INT 0x80 is Linux's 32-bit system call on the host, and absent here. */
TEST(every_interrupt_number_is_the_hosts_fault)
{
	unsigned different = 0;
	struct rf_traits traits;
	struct native want;
	struct fixture f;

	fixture_up(&f, 1);
	rf_machine_traits(f.m, &traits);
	for (unsigned n = 0; n < 256; n++) {
		const uint8_t code[] = { 0xcd, (uint8_t)n };

		fixture_code(&f, (const char *)code, (const char *)code + 2);
		fixture_reset(&f);
		fixture_switch(&f);
		ASSERT_EQ(f.trap.kind, RF_TRAP_FAULT);
		if (!traits.can_boot && f.regs.rip != CODE && n != 3 && n != 4) {
			test_note("int %u: vector %u error 0x%lx, rip +%lu", n, f.trap.vector,
				  f.trap.error_code, f.regs.rip - CODE);
			different++;
			continue;
		}
		if (n == 0x80) {
			EXPECT_FAULT(&f, 13, 0x402);
		} else if (native_run(code, 2, &want)) {
			EXPECT_EQ(f.trap.vector, want.vector);
			/* QEMU's code is 16 an entry, not 8; its RIP as it comes. */
			if (!cpu_is_emulated()) {
				EXPECT_EQ(f.trap.error_code, want.error_code);
				EXPECT_EQ(f.regs.rip, want.rip);
			}
			EXPECT_EQ(f.trap.signo, want.signo);
		} else {
			test_fatal("int %u does not fault on the host", n);
		}
		if (n != 3 && n != 4)
			EXPECT_FAULT(&f, 13, n * 8 + 2);
	}
	/* A KVM without hardware lends user code its own gates: contained, but not as on the host. */
	EXPECT_LE(different, traits.can_boot ? 0 : 3);
	check_goes_on(&f);
	fixture_down(&f);
}

/* ---- against the host, one by one ---- */

struct snippet {
	const char *name, *start, *end;
	/* #UD will do: a KVM without hardware emulates what faults, and does not know this one. */
	bool unknown;
};
#define SNIPPET(name, text) USER_CODE(code_##name, text)

SNIPPET(icebp, ".byte 0xf1");
SNIPPET(cli, "cli");
SNIPPET(sti, "sti");
SNIPPET(hlt, "hlt");
SNIPPET(clts, "clts");
SNIPPET(lmsw, "lmsw %ax");
SNIPPET(lgdt, "lgdt (%rsp)");
SNIPPET(lidt, "lidt (%rsp)");
SNIPPET(lldt, "lldt %ax");
SNIPPET(ltr, "ltr %ax");
SNIPPET(invd, "invd");
SNIPPET(wbinvd, "wbinvd");
SNIPPET(invlpg, "invlpg (%rsp)");
SNIPPET(invpcid, "invpcid (%rsp), %rax");
SNIPPET(read_cr0, "mov %cr0, %rax");
SNIPPET(read_cr2, "mov %cr2, %rax");
SNIPPET(read_cr3, "mov %cr3, %rax");
SNIPPET(read_cr4, "mov %cr4, %rax");
SNIPPET(read_cr8, "mov %cr8, %rax");
SNIPPET(write_cr0, "mov %rax, %cr0");
SNIPPET(write_cr4, "mov %rax, %cr4");
SNIPPET(read_dr0, "mov %dr0, %rax");
SNIPPET(read_dr7, "mov %dr7, %rax");
SNIPPET(write_dr0, "mov %rax, %dr0");
SNIPPET(write_dr7, "mov %rax, %dr7");
SNIPPET(swapgs, "swapgs");
SNIPPET(sysretq, "sysretq");
SNIPPET(sysexit, ".byte 0x0f, 0x35"); /* assemblers disagree about its suffix */
SNIPPET(xsetbv, "xor %ecx, %ecx\n mov $7, %eax\n xsetbv");
SNIPPET(xrstors, "xrstors (%rsp)");
SNIPPET(rdpmc, "xor %ecx, %ecx\n rdpmc");
SNIPPET(in_b, "in $0x80, %al");
SNIPPET(in_dx, "mov $0x3f8, %edx\n in %dx, %eax");
SNIPPET(out_b, "out %al, $0x80");
SNIPPET(out_dx, "mov $0xcf8, %edx\n out %eax, %dx");
SNIPPET(ins, "mov $0x500000, %edi\n mov $1, %ecx\n rep insb");
SNIPPET(outs, "mov $0x500000, %esi\n mov $1, %ecx\n rep outsb");
SNIPPET(rsm, "rsm");
SNIPPET(load_ss_kernel, "mov $0x18, %eax\n mov %eax, %ss");
SNIPPET(load_ss_null, "xor %eax, %eax\n mov %eax, %ss");
SNIPPET(load_ds_kernel, "mov $0x10, %eax\n mov %eax, %ds");
SNIPPET(load_es_beyond, "mov $0xfff8, %eax\n mov %eax, %es");
SNIPPET(load_fs_tss, "mov $0x40, %eax\n mov %eax, %fs");
SNIPPET(load_gs_ldt, "mov $0x0f, %eax\n mov %eax, %gs");
SNIPPET(far_call_kernel, "push $0x10\n push $0x400000\n lcall *(%rsp)");
SNIPPET(far_return_kernel, "push $0x10\n push $0x400000\n lretq");
SNIPPET(far_return_null, "push $0\n push $0x400000\n lretq");
SNIPPET(iret_kernel, "push $0x18\n push %rsp\n pushfq\n push $0x10\n push $0x400000\n iretq");
SNIPPET(iret_null, "push $0x2b\n push %rsp\n pushfq\n push $0\n push $0x400000\n iretq");
SNIPPET(ud0, ".byte 0x0f, 0xff, 0xc0");
SNIPPET(ud1, ".byte 0x0f, 0xb9, 0xc0");
SNIPPET(lock_mov, ".byte 0xf0, 0x89, 0xc0");
SNIPPET(push_cs, ".byte 0x0e");
SNIPPET(daa, ".byte 0x27");
SNIPPET(too_long, ".fill 15, 1, 0x66\n nop");
SNIPPET(divide, "xor %ecx, %ecx\n div %ecx");
SNIPPET(divide_overflow, "mov $0x80000000, %eax\n cltd\n mov $-1, %ecx\n idiv %ecx");
SNIPPET(load_noncanonical, "mov $0x8000000000000000, %rax\n mov (%rax), %rax");
SNIPPET(jump_noncanonical, "mov $0x900000000000, %rcx\n jmp *%rcx");
SNIPPET(return_noncanonical, "mov $0x900000000000, %rax\n push %rax\n ret");
SNIPPET(wrfsbase_bad, "mov $0x900000000000, %rax\n wrfsbase %rax");
SNIPPET(movaps_misaligned, "movaps 8(%rsp), %xmm0");
SNIPPET(ldmxcsr_reserved, "movl $0x10000, (%rsp)\n ldmxcsr (%rsp)");
SNIPPET(step, "pushfq\n orl $0x100, (%rsp)\n popfq\n nop\n nop");

#define S(n)                                        \
	{                                           \
#n, code_##n, code_##n##_end, false \
	}
#define U(n)                                       \
	{                                          \
#n, code_##n, code_##n##_end, true \
	}
static const struct snippet as_on_the_host[] = {
	S(icebp),
	S(cli),
	S(sti),
	S(hlt),
	S(clts),
	S(lmsw),
	S(lgdt),
	S(lidt),
	S(lldt),
	S(ltr),
	S(invd),
	S(wbinvd),
	S(invlpg),
	U(invpcid),
	S(read_cr0),
	S(read_cr2),
	S(read_cr3),
	S(read_cr4),
	S(read_cr8),
	S(write_cr0),
	S(write_cr4),
	S(read_dr0),
	S(read_dr7),
	S(write_dr0),
	S(write_dr7),
	S(swapgs),
	S(sysretq),
	S(xsetbv),
	U(xrstors),
	S(rdpmc),
	S(in_b),
	S(in_dx),
	S(out_b),
	S(out_dx),
	S(ins),
	S(outs),
	S(rsm),
	S(load_ss_kernel),
	S(load_ss_null),
	S(load_ds_kernel),
	S(load_es_beyond),
	S(load_fs_tss),
	S(load_gs_ldt),

	S(ud0),
	S(ud1),
	S(lock_mov),
	S(push_cs),
	S(daa),
	S(too_long),
	S(divide),
	S(divide_overflow),
	S(load_noncanonical),
	S(jump_noncanonical),
	S(return_noncanonical),
	S(wrfsbase_bad),
	S(movaps_misaligned),
	U(ldmxcsr_reserved),
	S(step),
};

static bool same_as_host(struct fixture *f, const struct snippet *s, struct native *want)
{
	fixture_code(f, s->start, s->end);
	fixture_reset(f);
	f->regs.rcx = CODE;
	fixture_switch(f);
	if (s->unknown && f->trap.vector == 6)
		want->vector = 6, want->signo = SIGILL, want->code = ILL_ILLOPN;
	return f->trap.kind == RF_TRAP_FAULT && f->trap.vector == want->vector &&
	       f->trap.error_code == want->error_code && f->regs.rip == want->rip &&
	       f->trap.signo == want->signo && f->trap.code == want->code;
}

/*
 * ICEBP gets further tries: when the delivery of its #DB meets a nested page fault, KVM on AMD injects it anew without the
 * instruction's length, so now and then the CPU below us, or below the host, reports the address of the instruction itself.
 */
#define ICEBP_TRIES 5

static void compare_with_host(struct fixture *f, const struct snippet *s)
{
	int tries = s->start == code_icebp ? ICEBP_TRIES : 1;
	struct native want;
	bool same = false;

	while (!same && tries--) {
		if (!native_run(s->start, (size_t)(s->end - s->start), &want)) {
			test_note("%s does not fault on the host", s->name);
			return;
		}
		same = same_as_host(f, s, &want);
	}
	if (!same)
		test_note("%s: kind %u vector %u error 0x%lx rip +0x%lx signal %d code %d; host: "
			  "vector %lu error 0x%lx rip +0x%lx signal %d code %d",
			  s->name, f->trap.kind, f->trap.vector, f->trap.error_code,
			  f->regs.rip - CODE, f->trap.signo, f->trap.code, want.vector,
			  want.error_code, want.rip - CODE, want.signo, want.code);
	EXPECT_TRUE(same);
	check_goes_on(f);
}

TEST(instructions_fault_as_on_the_host)
{
	struct fixture f;

	fixture_up(&f, 1);
	for (size_t i = 0; i < sizeof(as_on_the_host) / sizeof(as_on_the_host[0]); i++)
		compare_with_host(&f, &as_on_the_host[i]);
	fixture_down(&f);
}

/* ---- what the host's kernel treats in its own way ---- */

SNIPPET(sysenter, "mov %rsp, %rbp\n sysenter");
SNIPPET(vmcall, "vmcall");
SNIPPET(vmmcall, "vmmcall");
SNIPPET(vmxon, "vmxon (%rsp)");
SNIPPET(vmptrld, "vmptrld (%rsp)");
SNIPPET(vmlaunch, "vmlaunch");
SNIPPET(vmfunc, "vmfunc");
SNIPPET(vmrun, "vmrun");
SNIPPET(vmload, "vmload");
SNIPPET(vmsave, "vmsave");
SNIPPET(stgi, "stgi");
SNIPPET(clgi, "clgi");
SNIPPET(skinit, "skinit");
SNIPPET(invlpga, "invlpga");
SNIPPET(monitor, "monitor");
SNIPPET(mwait, "mwait");
SNIPPET(getsec, "getsec");
SNIPPET(encls, ".byte 0x0f, 0x01, 0xcf");
SNIPPET(enclu, ".byte 0x0f, 0x01, 0xd7");
SNIPPET(wrpkru, ".byte 0x0f, 0x01, 0xef");
SNIPPET(far_32, "push $0x23\n push $0x400000\n lretq");
SNIPPET(far_jump_32, "push $0x23\n push $0x400000\n ljmp *(%rsp)");
SNIPPET(far_call_32, "push $0x23\n push $0x400000\n lcall *(%rsp)");
SNIPPET(iret_32, "push $0x2b\n push %rsp\n pushfq\n push $0x23\n push $0x400000\n iretq");
SNIPPET(far_cpu, "push $0x7b\n push $0x400000\n lretq");
SNIPPET(load_ds_cpu, "mov $0x7b, %eax\n mov %eax, %ds");

struct allowed {
	struct snippet s;
	uint32_t vectors; /* bits of the exceptions allowed; bit 31: none at all, too */
};
#define V(n) (1u << (n))
#define NONE (1u << 31)
#define A(n, vectors)         \
	{                     \
		S(n), vectors \
	}
static const struct allowed own_way[] = {
	A(sysenter, V(6) | V(13)), /* #GP with SYSENTER_CS 0; AMD's long mode has none: #UD */
	A(sysexit, V(6) | V(13)),
	A(vmcall,
	  V(6) | V(13) | NONE), /* KVM answers -EPERM in RAX, or #UD: no hypercalls from ring 3 */
	A(vmmcall, V(6) | V(13) | NONE), A(vmxon, V(6) | V(13)), A(vmptrld, V(6) | V(13)),
	A(vmlaunch, V(6) | V(13)), A(vmfunc, V(6) | V(13)), A(vmrun, V(6) | V(13)),
	A(vmload, V(6) | V(13)), A(vmsave, V(6) | V(13)), A(stgi, V(6) | V(13)),
	A(clgi, V(6) | V(13)), A(skinit, V(6) | V(13)), A(invlpga, V(6) | V(13)),
	A(monitor, V(6) | V(13)), A(mwait, V(6) | V(13)), A(getsec, V(6) | V(13)),
	A(encls, V(6) | V(13)), A(enclu, V(6) | V(13)), A(wrpkru, V(6) | V(13) | NONE),
	/* No 32-bit code segment here, nor any beyond the four; without hardware it is the host's table, where it is not present. */
	A(far_32, V(13) | V(11)), A(far_jump_32, V(13) | V(11)), A(far_call_32, V(13) | V(11)),
	A(iret_32, V(13) | V(11)), A(far_cpu, V(13)),
	/*
	 * Not on the host: QEMU's emulation reads the stack with the rights of ring 0 and so kills
	 * its own kernel by SMAP; to us that is a page fault.
	 */
	A(far_call_kernel, V(13) | V(14)), A(far_return_kernel, V(13) | V(14)),
	A(far_return_null, V(13) | V(14)), A(iret_kernel, V(13) | V(14)),
	A(iret_null, V(13) | V(14)),
	A(load_ds_cpu, V(13) | NONE), /* Linux's segment of the CPU number */
};

TEST(instructions_without_a_host_to_compare_are_contained)
{
	struct fixture f;

	fixture_up(&f, 1);
	for (size_t i = 0; i < sizeof(own_way) / sizeof(own_way[0]); i++) {
		const struct allowed *a = &own_way[i];
		bool good;

		fixture_code(&f, a->s.start, a->s.end);
		fixture_reset(&f);
		fixture_switch(&f);
		test_note("%s: kind %u vector %u error 0x%lx rip +%lu rax %ld", a->s.name,
			  f.trap.kind, f.trap.vector, f.trap.error_code, f.regs.rip - CODE,
			  (long)f.regs.rax);
		good = f.trap.kind == RF_TRAP_FAULT && a->vectors >> f.trap.vector & 1;
		/* Gone through: the INT3 behind it. */
		if (!good && a->vectors & NONE)
			good = f.trap.kind == RF_TRAP_FAULT && f.trap.vector == 3;
		EXPECT_TRUE(good);
		check_goes_on(&f);
	}
	fixture_down(&f);
}

/* Under UMIP these fault (SDM vol. 3A §2.5); where they don't, the values are the platform's own, never the host's. */
SNIPPET(sgdt, "sgdt (%rsp)\n mov 2(%rsp), %rdi\n syscall");
SNIPPET(sidt, "sidt (%rsp)\n mov 2(%rsp), %rdi\n syscall");
SNIPPET(sldt, "sldt %rdi\n syscall");
SNIPPET(str, "str %rdi\n syscall");
SNIPPET(smsw, "smsw %rdi\n syscall");

TEST(system_table_addresses_are_hidden)
{
	static const struct snippet table[] = { S(sgdt), S(sidt), S(sldt), S(str), S(smsw) };
	struct fixture f;

	fixture_up(&f, 1);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		fixture_code(&f, table[i].start, table[i].end);
		fixture_reset(&f);
		fixture_switch(&f);
		test_note("%s: kind %u vector %u value 0x%lx", table[i].name, f.trap.kind,
			  f.trap.vector, f.regs.rdi);
		/* KVM makes UMIP of descriptor-table exits on Intel CPUs without it: SMSW has none. */
		if (i == 4 && f.trap.kind == RF_TRAP_SYSCALL)
			test_note("smsw is not intercepted");
		else if (rf_machine_boot_features(f.m) & RF_BOOT_F_UMIP)
			EXPECT_FAULT(&f, 13, 0);
		else if (i < 2)
			EXPECT_TRUE(f.regs.rdi - RF_ARENA_BASE < 0x10000);
		check_goes_on(&f);
	}
	fixture_down(&f);
}

/* ---- model-specific registers ---- */

SNIPPET(rdmsr, "mov %esi, %ecx\n rdmsr");
SNIPPET(wrmsr, "mov %esi, %ecx\n wrmsr");

TEST(model_specific_registers_are_out_of_reach)
{
	static const uint32_t msrs[] = { 0x10,       0x1b,       0x3a,       0x48,       0x49,
					 0x10b,      0x174,      0x175,      0x176,      0x1d9,
					 0x277,      0x38f,      0x48f,      0x6e0,      0x800,
					 0x1234,     0xda0,      0x40000000, 0x4b564d00, 0xc0000080,
					 0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084, 0xc0000100,
					 0xc0000101, 0xc0000102, 0xc0000103, 0xc0010015, 0xc0010114,
					 0xc0010117, 0xffffffff };
	struct fixture f;

	fixture_up(&f, 1);
	for (size_t i = 0; i < 2 * sizeof(msrs) / sizeof(msrs[0]); i++) {
		if (i & 1)
			LOAD(&f, code_rdmsr);
		else
			LOAD(&f, code_wrmsr);
		fixture_reset(&f);
		f.regs.rsi = msrs[i / 2];
		fixture_switch(&f);
		EXPECT_FAULT(&f, 13, 0);
		ASSERT_EQ(f.regs.rip, CODE + 2);
	}
	check_goes_on(&f);
	fixture_down(&f);
}

/* ---- selectors ---- */

SNIPPET(selectors, "mov %ss, %ebx\n mov %cs, %edx\n mov %ds, %esi\n mov %es, %edi\n mov %fs, %r8d\n"
		   "mov %gs, %r9d\n syscall");
SNIPPET(load_selectors, "mov $0x2b, %eax\n mov %eax, %ds\n mov %eax, %es\n mov 0x500000, %ebx\n"
			"mov %es:0x500008, %edx\n syscall");
SNIPPET(load_fs, "mov $0x2b, %eax\n mov %eax, %fs\n syscall\n mov %fs:0, %rbx\n syscall");
SNIPPET(null_selectors, "xor %eax, %eax\n mov %eax, %ds\n mov %eax, %es\n mov 0x500000, %ebx\n"
			"mov %es:0x500008, %edx\n syscall");

/* A KVM without hardware leaves DS, ES, FS and GS selectors alone, even between machines. */
static void check_data_selectors(const struct fixture *f)
{
	struct rf_traits traits;

	rf_machine_traits(f->m, &traits);
	test_note("ds %lx es %lx fs %lx gs %lx", f->regs.rsi, f->regs.rdi, f->regs.r8, f->regs.r9);
	if (!traits.can_boot)
		return;
	EXPECT_EQ(f->regs.rsi, 0);
	EXPECT_EQ(f->regs.rdi, 0);
	EXPECT_EQ(f->regs.r8, 0);
	EXPECT_EQ(f->regs.r9, 0);
}

TEST(segment_selectors_are_linuxs)
{
	struct fixture f;

	fixture_up(&f, 1);
	LOAD(&f, code_selectors);
	fixture_switch(&f);
	EXPECT_EQ(f.trap.kind, RF_TRAP_SYSCALL);
	EXPECT_EQ(f.regs.rbx, 0x2b);
	EXPECT_EQ(f.regs.rdx, 0x33);
	check_data_selectors(&f);
	((uint64_t *)(f.memory + DATA_OFF))[0] = 11;
	((uint64_t *)(f.memory + DATA_OFF))[1] = 22;
	LOAD(&f, code_load_selectors);
	fixture_reset(&f);
	fixture_switch(&f);
	EXPECT_EQ(f.trap.kind, RF_TRAP_SYSCALL);
	EXPECT_EQ(f.regs.rbx, 11);
	EXPECT_EQ(f.regs.rdx, 22);
	LOAD(&f, code_null_selectors);
	fixture_reset(&f);
	fixture_switch(&f);
	EXPECT_EQ(f.trap.kind, RF_TRAP_SYSCALL);
	EXPECT_EQ(f.regs.rbx, 11);
	EXPECT_EQ(f.regs.rdx, 22);
	fixture_down(&f);
}

SNIPPET(dirty_selectors, "mov $0x2b, %eax\n mov %eax, %ds\n mov %eax, %es\n mov %eax, %fs\n"
			 "mov %eax, %gs\n syscall");

/* On the same CPU, the same root, with equal bases: nothing else would reload them. */
TEST(selectors_are_not_left_to_another_context)
{
	struct rf_context *other;
	struct fixture f;

	fixture_up(&f, 1);
	ASSERT_OK(rf_context_new(f.m, &other));
	for (int i = 0; i < 3; i++) {
		LOAD(&f, code_dirty_selectors);
		fixture_reset(&f);
		ASSERT_OK(rf_context_switch(other, f.as, &f.regs, 0, &f.trap));
		ASSERT_EQ(f.trap.kind, RF_TRAP_SYSCALL);
		LOAD(&f, code_selectors);
		fixture_reset(&f);
		fixture_switch(&f);
		ASSERT_EQ(f.trap.kind, RF_TRAP_SYSCALL);
		check_data_selectors(&f);
	}
	rf_context_free(other);
	fixture_down(&f);
}

/* Loading FS loads the descriptor's base, which is 0 (SDM vol. 3A §3.4.4); the bases in rf_regs follow. */
TEST(loading_a_selector_resets_the_base)
{
	struct fixture f;

	fixture_up(&f, 1);
	LOAD(&f, code_load_fs);
	f.regs.fs_base = DATA;
	fixture_switch(&f);
	EXPECT_EQ(f.trap.kind, RF_TRAP_SYSCALL);
	EXPECT_EQ(f.regs.fs_base, 0);
	f.regs.fs_base = DATA;
	*(uint64_t *)(f.memory + DATA_OFF) = 33;
	fixture_switch(&f);
	EXPECT_EQ(f.trap.kind, RF_TRAP_SYSCALL);
	EXPECT_EQ(f.regs.rbx, 33);
	fixture_down(&f);
}

/* ---- MOV SS ---- */

#define SET_TF "mov %ss, %edi\n pushfq\n orl $0x100, (%rsp)\n popfq\n"
SNIPPET(mov_ss_syscall, SET_TF "mov %edi, %ss\n syscall\n mov $77, %ebx\n syscall");
SNIPPET(mov_ss_int3, SET_TF "mov %edi, %ss\n int3\n mov $77, %ebx\n syscall");
SNIPPET(mov_ss_int, SET_TF "mov %edi, %ss\n int $0x21\n mov $77, %ebx\n syscall");
SNIPPET(mov_ss_fault, SET_TF "mov %edi, %ss\n ud2\n mov $77, %ebx\n syscall");
SNIPPET(pop_ss_syscall, "mov %ss, %edi\n push %rdi\n pushfq\n orl $0x100, (%rsp)\n popfq\n"
			".byte 0x8e, 0xd7\n syscall\n mov $77, %ebx\n syscall");

/*
 * The #DB of a single step that MOV SS holds back may come with the entry into ring 0 (SDM vol. 3A
 * §6.8.3). Nothing may be lost or done twice, and no trap may show a state of the platform's own.
 */
TEST(mov_ss_before_an_event_is_harmless)
{
	static const struct snippet table[] = { S(mov_ss_syscall), S(mov_ss_int3), S(mov_ss_int),
						S(mov_ss_fault), S(pop_ss_syscall) };
	struct fixture f;

	fixture_up(&f, 1);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		unsigned steps = 0, events = 0, switches;

		fixture_code(&f, table[i].start, table[i].end);
		fixture_reset(&f);
		for (switches = 0; switches < 20 && f.regs.rbx != 77; switches++) {
			fixture_switch(&f);
			ASSERT_LT(f.regs.rip - CODE, 0x40);
			ASSERT_LT(f.regs.rsp - STACK, 0x1000);
			if (f.trap.kind == RF_TRAP_FAULT && f.trap.vector == 1) {
				steps++;
				continue;
			}
			events += f.regs.rbx != 77;
			if (f.trap.kind == RF_TRAP_FAULT && f.trap.vector != 3)
				f.regs.rip += 2; /* over INT and UD2 */
		}
		test_note("%s: %u steps, %u events in %u switches", table[i].name, steps, events,
			  switches);
		EXPECT_EQ(f.regs.rbx, 77);
		EXPECT_EQ(events, 1);
		check_goes_on(&f);
	}
	fixture_down(&f);
}

/* ---- the ends of user space ---- */

#define LAST_PAGE (RF_MAX_USER_ADDRESS - 0x1000)

static uint8_t *map_last_page(struct fixture *f)
{
	ASSERT_OK(rf_address_space_map_file(f->as, LAST_PAGE, FRAME(0), 0x1000, RF_READ | RF_EXEC,
					    false));
	memset(f->memory + FRAME(0), 0x90, 0x1000);
	return f->memory + FRAME(0) + 0x1000; /* one past the end */
}

TEST(system_call_in_the_last_two_bytes_of_user_space)
{
	struct fixture f;
	uint8_t *end;

	fixture_up(&f, 1);
	end = map_last_page(&f);
	memcpy(end - 2, "\x0f\x05", 2);
	for (int i = 0; i < 3; i++) {
		fixture_reset(&f);
		f.regs.rip = RF_MAX_USER_ADDRESS - 2;
		f.regs.rax = 5;
		fixture_switch(&f);
		EXPECT_SYSCALL(&f, 5);
		EXPECT_EQ(f.regs.rip, RF_MAX_USER_ADDRESS);
		EXPECT_EQ(f.regs.rcx, RF_MAX_USER_ADDRESS);
		fixture_switch(&f); /* goes on behind it: nothing there for the user */
		EXPECT_FAULT(&f, 14, 0x14);
		EXPECT_EQ(f.trap.address, RF_MAX_USER_ADDRESS);
	}
	fixture_down(&f);
}

TEST(execution_ends_at_the_end_of_user_space)
{
	struct fixture f;
	uint8_t *end;

	fixture_up(&f, 1);
	end = map_last_page(&f);
	f.regs.rip = RF_MAX_USER_ADDRESS - 8; /* runs off */
	fixture_switch(&f);
	EXPECT_FAULT(&f, 14, 0x14);
	EXPECT_EQ(f.trap.address, RF_MAX_USER_ADDRESS);
	EXPECT_EQ(f.regs.rip, RF_MAX_USER_ADDRESS);
	end[-1] = 0x0f; /* half of a SYSCALL */
	fixture_reset(&f);
	f.regs.rip = RF_MAX_USER_ADDRESS - 1;
	fixture_switch(&f);
	EXPECT_EQ(f.trap.kind, RF_TRAP_FAULT);
	EXPECT_EQ(f.trap.signo, SIGSEGV);
	EXPECT_EQ(f.regs.rip, RF_MAX_USER_ADDRESS - 1);
	fixture_down(&f);
}

/* SYSRET to a non-canonical address would fault in ring 0 (SDM vol. 2B, SYSRET): no page there can be mapped. */
TEST(last_two_bytes_of_the_canonical_half_cannot_be_mapped)
{
	static const uint64_t last[] = { 0x7ffffffff000, 0x7fffffffe000, RF_MAX_USER_ADDRESS };
	struct fixture f;

	fixture_up(&f, 1);
	for (size_t i = 0; i < sizeof(last) / sizeof(last[0]); i++)
		EXPECT_EQ(rf_address_space_map_file(f.as, last[i], FRAME(0), 0x1000,
						    RF_READ | RF_EXEC, false),
			  -22);
	f.regs.rip = 0x7ffffffffffe;
	fixture_switch(&f);
	EXPECT_FAULT(&f, 14, 0x14);
	EXPECT_EQ(f.trap.address, 0x7ffffffffffe);
	fixture_reset(&f);
	f.regs.rip = 0x800000000000;
	fixture_switch(&f);
	EXPECT_FAULT(&f, 13, 0);
	fixture_down(&f);
}

/* ---- CPUID ---- */

SNIPPET(cpuid,
	"mov %edi, %eax\n mov %esi, %ecx\n cpuid\n mov %eax, %edi\n mov %ecx, %esi\n syscall");

static void cpuid(struct fixture *f, uint32_t leaf, uint32_t subleaf)
{
	LOAD(f, code_cpuid);
	fixture_reset(f);
	f->regs.rdi = leaf;
	f->regs.rsi = subleaf;
	fixture_switch(f);
	ASSERT_EQ(f->trap.kind, RF_TRAP_SYSCALL);
}

/* What needs a hypervisor of one's own is not announced (SDM vol. 2A, CPUID). */
TEST(cpuid_announces_no_virtualisation)
{
	struct fixture f;

	fixture_up(&f, 1);
	cpuid(&f, 1, 0);
	EXPECT_EQ(f.regs.rsi >> 5 & 1, 0);  /* VMX */
	EXPECT_EQ(f.regs.rsi >> 6 & 1, 0);  /* SMX */
	EXPECT_EQ(f.regs.rsi >> 27 & 1, 1); /* OSXSAVE: the host's CR4 bit shows */
	cpuid(&f, 0x80000001, 0);
	EXPECT_EQ(f.regs.rsi >> 2 & 1, 0); /* SVM */
	cpuid(&f, 0x8000000a, 0);
	EXPECT_EQ(f.regs.rdi, 0);
	EXPECT_EQ(f.regs.rbx, 0);
	EXPECT_EQ(f.regs.rdx, 0);
	fixture_down(&f);
}
