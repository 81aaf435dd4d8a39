/* SPDX-License-Identifier: Apache-2.0 */
/* Many contexts on few CPUs: registers and FPU state stay their own. */
#include <pthread.h>
#include <stdatomic.h>

#include "platform/fixture.h"

USER_CODE(code_fpu,
	  "1: movq %rdi, %xmm0\n movq %rdi, %xmm15\n wrfsbase %rdi\n"
	  "mov $1, %eax\n syscall\n"
	  "movq %xmm0, %rbx\n movq %xmm15, %rdx\n rdfsbase %rsi\n mov $2, %eax\n syscall\n jmp 1b");
USER_CODE(code_avx,
	  "1: vmovq %rdi, %xmm1\n vinsertf128 $1, %xmm1, %ymm1, %ymm1\n mov $1, %eax\n syscall\n"
	  "vextractf128 $1, %ymm1, %xmm2\n vmovq %xmm2, %rbx\n mov $2, %eax\n syscall\n jmp 1b");

#define CONTEXTS 12

static void check_multiplex(struct fixture *f, bool fs)
{
	struct rf_context *c[CONTEXTS];
	struct rf_regs regs[CONTEXTS];
	struct rf_trap trap;

	for (uint64_t i = 0; i < CONTEXTS; i++) {
		ASSERT_OK(rf_context_new(f->m, &c[i]));
		regs[i] = (struct rf_regs){ .rip = CODE, .rflags = 0x202, .rsp = STACK_TOP };
	}
	for (uint64_t round = 0; round < 40; round++) {
		for (uint64_t i = 0; i < CONTEXTS; i++) {
			regs[i].rdi = 0x1000 * i + round;
			ASSERT_OK(rf_context_switch(c[i], f->as, &regs[i], 0, &trap));
			ASSERT_EQ(trap.kind, RF_TRAP_SYSCALL);
			ASSERT_EQ(regs[i].orig_rax, 1);
		}
		for (uint64_t i = CONTEXTS; i-- > 0;) {
			ASSERT_OK(rf_context_switch(c[i], f->as, &regs[i], (uint32_t)(round & 1),
						    &trap));
			ASSERT_EQ(regs[i].orig_rax, 2);
			ASSERT_EQ(regs[i].rbx, 0x1000 * i + round);
			if (fs) {
				ASSERT_EQ(regs[i].rdx, 0x1000 * i + round);
				ASSERT_EQ(regs[i].rsi, 0x1000 * i + round);
				ASSERT_EQ(regs[i].fs_base, 0x1000 * i + round);
			}
		}
	}
	for (uint64_t i = 0; i < CONTEXTS; i++)
		rf_context_free(c[i]);
}

TEST(contexts_keep_sse_state_and_fs)
{
	struct fixture f;

	fixture_up(&f, 2);
	LOAD(&f, code_fpu);
	check_multiplex(&f, true);
	fixture_down(&f);
}

TEST(contexts_keep_avx_state)
{
	struct fixture f;

	fixture_up(&f, 2);
	if (!(rf_machine_xcr0(f.m) & 4))
		test_skip("no AVX");
	LOAD(&f, code_avx);
	check_multiplex(&f, false);
	fixture_down(&f);
}

TEST(fpu_get_set_reset)
{
	struct fixture f;
	size_t size;
	uint8_t *a, *b;

	fixture_up(&f, 1);
	LOAD(&f, code_fpu);
	size = rf_context_fpu_size(f.m);
	test_note("xcr0 0x%lx, %lu bytes", rf_machine_xcr0(f.m), size);
	ASSERT_GE(size, 512);
	a = calloc(1, size);
	b = calloc(1, size);
	f.regs.rdi = 0x112233445566ull;
	fixture_switch(&f);
	ASSERT_OK(rf_context_get_fpu(f.c, a, size));
	EXPECT_EQ(*(uint64_t *)(a + 160), 0x112233445566ull);
	EXPECT_EQ(*(uint16_t *)a, 0x37f);
	EXPECT_EQ(*(uint32_t *)(a + 24), 0x1f80);
	*(uint64_t *)(a + 160) = 42;
	*(uint64_t *)(a + 520) = ~0ull;       /* XCOMP_BV */
	*(uint64_t *)(a + 512) |= 1ull << 60; /* a component that does not exist */
	*(uint32_t *)(a + 24) = 0xffffffff;
	ASSERT_OK(rf_context_set_fpu(f.c, a, size));
	fixture_switch(&f);
	EXPECT_EQ(f.regs.rbx, 42);
	EXPECT_EQ(f.regs.rdx, 0x112233445566ull);
	ASSERT_OK(rf_context_get_fpu(f.c, b, size));
	EXPECT_EQ(*(uint32_t *)(b + 24) & 0xffff0000, 0);
	ASSERT_OK(rf_context_reset_fpu(f.c));
	f.regs.rip = CODE + 22; /* after the first system call */
	fixture_switch(&f);
	EXPECT_EQ(f.regs.rbx, 0);
	ASSERT_OK(rf_context_get_fpu(f.c, b, size));
	EXPECT_EQ(*(uint32_t *)(b + 24), 0x1f80);
	EXPECT_EQ(rf_context_get_fpu(f.c, b, size - 1), -22);
	free(a);
	free(b);
	fixture_down(&f);
}

USER_CODE(code_cpu, "1: mov $1000, %ecx\n 2: lock incq (%rdi)\n dec %ecx\n jnz 2b\n"
		    "mov $1, %eax\n syscall\n jmp 1b");

struct worker {
	struct fixture *f;
	uint32_t cpu;
	bool ok;
};

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	struct rf_regs regs = { .rip = CODE, .rflags = 0x202, .rsp = STACK_TOP, .rdi = DATA };
	struct rf_context *c;
	struct rf_trap trap;

	if (rf_context_new(w->f->m, &c))
		return NULL;
	w->ok = true;
	for (int i = 0; i < 1000 && w->ok; i++)
		w->ok = !rf_context_switch(c, w->f->as, &regs, w->cpu, &trap) &&
			trap.kind == RF_TRAP_SYSCALL && trap.cpu == w->cpu;
	rf_context_free(c);
	return NULL;
}

TEST(two_cpus_share_an_address_space)
{
	struct fixture f;
	struct worker w[2] = { { &f, 0, false }, { &f, 1, false } };
	pthread_t thread[2];
	struct rf_stats stats;

	fixture_up(&f, 2);
	LOAD(&f, code_cpu);
	*(uint64_t *)(f.memory + DATA_OFF) = 0;
	for (int i = 0; i < 2; i++)
		ASSERT_EQ(pthread_create(&thread[i], NULL, worker_main, &w[i]), 0);
	for (int i = 0; i < 200; i++) { /* changes elsewhere in the space meanwhile */
		ASSERT_OK(rf_address_space_map_file(f.as, 0x700000, FRAME((uint64_t)i % 8), 0x1000,
						    RF_READ, false));
		ASSERT_OK(rf_address_space_unmap(f.as, 0x700000, 0x1000));
		ASSERT_OK(rf_address_space_flush(f.as));
	}
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	EXPECT_TRUE(w[0].ok);
	EXPECT_TRUE(w[1].ok);
	EXPECT_EQ(*(uint64_t *)(f.memory + DATA_OFF), 2000000);
	rf_machine_stats(f.m, &stats);
	EXPECT_EQ(stats.switches, 2000);
	EXPECT_GE(stats.exits_io, 2000);
	fixture_down(&f);
}

USER_CODE(code_cpuid, "mov %edi, %eax\n mov %esi, %ecx\n cpuid\n mov %eax, %edi\n syscall");
USER_CODE(code_xgetbv, "xor %ecx, %ecx\n xgetbv\n syscall");

/* XCR0's PKRU: where ring 3 runs on the bare host CPU its protection keys cannot be taken away; they are harmless (test-platform-fault). */
#define XCR0_PKRU 0x200u

TEST(cpuid_hides_what_is_not_offered)
{
	struct fixture f;

	fixture_up(&f, 1);
	LOAD(&f, code_xgetbv);
	fixture_switch(&f);
	if (f.trap.kind == RF_TRAP_SYSCALL)
		EXPECT_EQ(f.regs.orig_rax & ~XCR0_PKRU, rf_machine_xcr0(f.m));
	LOAD(&f, code_cpuid);
	fixture_reset(&f);
	f.regs.rdi = 1;
	fixture_switch(&f);
	ASSERT_EQ(f.trap.kind, RF_TRAP_SYSCALL);
	EXPECT_EQ(f.regs.rcx & 0, 0);
	fixture_reset(&f);
	f.regs.rdi = 7;
	fixture_switch(&f);
	EXPECT_EQ(f.regs.rdx >> 24 & 1, 0); /* AMX-TILE */
	EXPECT_EQ(f.regs.rbx >> 14 & 1, 0); /* MPX */
	fixture_reset(&f);
	f.regs.rdi = 0xd;
	fixture_switch(&f);
	if (rf_context_fpu_size(f.m) > 512) { /* XSAVE */
		EXPECT_EQ(f.regs.rdi & ~XCR0_PKRU, rf_machine_xcr0(f.m));
		if (f.regs.rdi & XCR0_PKRU)
			EXPECT_EQ(f.regs.rbx, rf_context_fpu_size(f.m) + 8);
		else
			EXPECT_EQ(f.regs.rbx, rf_context_fpu_size(f.m));
	}
	fixture_down(&f);
}
