/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FPU state: every XSAVE component of the machine's XCR0 kept through traps, CPUs and other
 * contexts; never seen by another; exact when fresh; safe from hostile images.
 *
 * User code loads and stores all of it with XRSTOR and XSAVE, so the images compared are the CPU's.
 * XSAVE without its optimised forms writes every component, also those in their initial state (SDM
 * vol. 1 §13.7), so a page of 0xaa shows what it did not write.
 */
#include <cpuid.h>
#include <xmmintrin.h>

#include "platform/entry.h"

#define IN       0x700000ul
#define OUT      0x701000ul
#define IN_OFF   FRAME(0)
#define OUT_OFF  FRAME(1)
#define LEGACY   512u
#define HEADER   512u
#define XCOMP_BV 520u
#define EXTENDED 576u
#define FCW      0u
#define MXCSR    24u
#define ST0      32u
#define XMM0     160u

/* RDI: image to load or 0, RSI: where to store, RBX: components to load. */
USER_CODE(code_fpu, "1: mov %ebx, %eax\n xor %edx, %edx\n xrstor64 (%rdi)\n syscall\n"
		    "2: mov $-1, %eax\n mov $-1, %edx\n xsave64 (%rsi)\n syscall\n jmp 1b");
#define STORE (CODE + 10)
USER_CODE(code_fpu_fault, "mov %ebx, %eax\n xor %edx, %edx\n xrstor64 (%rdi)\n ud2");
USER_CODE(code_fpu_spin, "mov %ebx, %eax\n xor %edx, %edx\n xrstor64 (%rdi)\n 1: jmp 1b");

static void fpu_up(struct fixture *f, uint32_t cpus)
{
	fixture_up(f, cpus);
	LOAD(f, code_fpu);
	ASSERT_OK(rf_address_space_map_file(f->as, IN, IN_OFF, 0x1000, RF_READ, false));
	ASSERT_OK(
		rf_address_space_map_file(f->as, OUT, OUT_OFF, 0x1000, RF_READ | RF_WRITE, false));
	test_note("XCR0 0x%lx, %lu bytes", rf_machine_xcr0(f->m), rf_context_fpu_size(f->m));
	ASSERT_LE(rf_context_fpu_size(f->m), 0x1000);
	if (rf_context_fpu_size(f->m) < EXTENDED)
		test_skip("FXSAVE only: no XSAVE header in images");
	/* CPUID may keep quiet about an XSAVE that works. */
	f->regs.rip = STORE;
	f->regs.rsi = OUT;
	fixture_switch(f);
	if (f->trap.kind == RF_TRAP_FAULT && f->trap.vector == 6)
		test_skip("no XSAVE");
}

/* Where a component's state is in the standard format. */
static void component(unsigned i, size_t *ret_offset, size_t *ret_size)
{
	unsigned a, b, c, d;

	__cpuid_count(0xd, i, a, b, c, d);
	*ret_offset = i == 0 ? 0 : i == 1 ? XMM0 : b;
	*ret_size = i == 0 ? XMM0 : i == 1 ? LEGACY - XMM0 - 96 : a;
}

/* Random state in all components of @mask that a CPU can load and stores again as it was. */
static void random_image(struct test_rng *rng, uint8_t *x, uint64_t mask)
{
	memset(x, 0, 0x1000);
	for (unsigned i = 0; i < 8; i++) {
		size_t offset, size;

		if (!(mask >> i & 1))
			continue;
		component(i, &offset, &size);
		for (size_t k = 0; k < size; k++)
			x[offset + k] = (uint8_t)(test_rng_next(rng) | 1);
	}
	memset(x, 0, ST0);
	*(uint16_t *)(x + FCW) = 0x37f;
	*(uint32_t *)(x + MXCSR) = 0x1f80;
	for (unsigned i = 0; i < 8; i++) /* ten bytes a register */
		memset(x + ST0 + 16 * i + 10, 0, 6);
	if (mask & 1) {
		*(uint16_t *)(x + FCW) = (uint16_t)(0x7f | test_rng_below(rng, 16) << 8);
		x[4] = 0xff; /* no register is empty */
	}
	if (mask & 2)
		*(uint32_t *)(x + MXCSR) = (uint32_t)(0x1f80 | test_rng_below(rng, 4) << 13);
	*(uint64_t *)(x + HEADER) = mask;
}

/* A component as user code stored it, against the image (all of it initial where @want is NULL). */
static void check_component(const uint8_t *got, const uint8_t *want, unsigned i)
{
	static const uint8_t zero[0x1000];
	size_t offset, size;

	component(i, &offset, &size);
	if (i == 0) {
		ASSERT_EQ(*(const uint16_t *)(got + FCW), want ? *(const uint16_t *)want : 0x37f);
		ASSERT_EQ(got[4], want ? want[4] : 0);     /* tags */
		for (size_t at = ST0; at < XMM0; at += 16) /* the last 6 bytes are reserved */
			ASSERT_EQ(memcmp(got + at, want ? want + at : zero, 10), 0);
		return;
	}
	if (memcmp(got + offset, want ? want + offset : zero, size))
		test_note("component %u differs", i);
	ASSERT_EQ(memcmp(got + offset, want ? want + offset : zero, size), 0);
}

static void check_state(const uint8_t *got, const uint8_t *want, uint64_t in_use, uint64_t xcr0)
{
	for (unsigned i = 0; i < 8; i++)
		if (xcr0 >> i & 1)
			check_component(got, in_use >> i & 1 ? want : NULL, i);
	ASSERT_EQ(*(const uint32_t *)(got + MXCSR),
		  in_use & 2 ? *(const uint32_t *)(want + MXCSR) : 0x1f80);
}

static void expect_call(struct fixture *f)
{
	ASSERT_EQ(f->trap.kind, RF_TRAP_SYSCALL);
}

static void load(struct fixture *f, struct rf_context *c, uint32_t cpu, const uint8_t *image,
		 uint64_t mask)
{
	memcpy(f->memory + IN_OFF, image, 0x1000);
	fixture_reset(f);
	f->regs.rdi = IN;
	f->regs.rbx = mask;
	ASSERT_OK(rf_context_switch(c, f->as, &f->regs, cpu, &f->trap));
	expect_call(f);
}

/* What XSAVE in user code writes. */
static const uint8_t *store(struct fixture *f, struct rf_context *c, uint32_t cpu)
{
	memset(f->memory + OUT_OFF, 0xaa, 0x1000);
	memset(f->memory + OUT_OFF + HEADER, 0, 64); /* XSAVE leaves XCOMP_BV alone */
	fixture_reset(f);
	f->regs.rip = STORE;
	f->regs.rsi = OUT;
	switch_after_interrupts(f, c, cpu);
	expect_call(f);
	return f->memory + OUT_OFF;
}

#define CONTEXTS 5

TEST(all_components_survive_other_contexts_and_cpus)
{
	static uint8_t image[CONTEXTS][0x1000];
	struct rf_context *c[CONTEXTS];
	struct test_rng rng;
	struct fixture f;
	uint64_t xcr0;

	fpu_up(&f, 3);
	xcr0 = rf_machine_xcr0(f.m);
	test_rng_init(&rng, 0xf9);
	for (int i = 0; i < CONTEXTS; i++)
		ASSERT_OK(rf_context_new(f.m, &c[i]));
	for (uint32_t round = 0; round < 12; round++) {
		for (uint32_t i = 0; i < CONTEXTS; i++) {
			random_image(&rng, image[i], xcr0);
			load(&f, c[i], (i + round) % 3, image[i], xcr0);
		}
		for (uint32_t n = 0; n < 3 * CONTEXTS; n++) {
			uint64_t i = test_rng_below(&rng, CONTEXTS);

			check_state(store(&f, c[i], n % 3), image[i], xcr0, xcr0);
		}
	}
	for (int i = 0; i < CONTEXTS; i++)
		rf_context_free(c[i]);
	fixture_down(&f);
}

TEST(all_components_survive_faults_and_interrupts)
{
	static uint8_t image[0x1000];
	struct interrupter interrupter;
	struct rf_context *other;
	struct test_rng rng;
	struct fixture f;
	uint64_t xcr0;

	fpu_up(&f, 1);
	xcr0 = rf_machine_xcr0(f.m);
	test_rng_init(&rng, 0xf8);
	ASSERT_OK(rf_context_new(f.m, &other));
	for (int round = 0; round < 20; round++) {
		random_image(&rng, image, xcr0);
		memcpy(f.memory + IN_OFF, image, 0x1000);
		fixture_reset(&f);
		f.regs.rdi = IN;
		f.regs.rbx = xcr0;
		if (round & 1) {
			LOAD(&f, code_fpu_fault);
			fixture_switch(&f);
			EXPECT_FAULT(&f, 6, 0);
		} else {
			LOAD(&f, code_fpu_spin);
			interrupter_start(&interrupter, f.c);
			do
				fixture_switch(&f);
			while (f.regs.rip != CODE + 8);
			interrupter_stop(&interrupter);
			ASSERT_EQ(f.trap.kind, RF_TRAP_INTERRUPT);
		}
		LOAD(&f, code_fpu);
		if (round & 2)
			check_state(store(&f, other, 0), NULL, 0, xcr0);
		check_state(store(&f, f.c, 0), image, xcr0, xcr0);
	}
	rf_context_free(other);
	fixture_down(&f);
}

/* Each component alone, dirty on the CPU that a fresh context then gets. */
TEST(no_component_is_left_to_a_fresh_context)
{
	static uint8_t image[0x1000];
	struct rf_context *fresh;
	struct test_rng rng;
	struct fixture f;
	uint64_t xcr0;

	fpu_up(&f, 1);
	xcr0 = rf_machine_xcr0(f.m);
	test_rng_init(&rng, 0xf7);
	for (unsigned i = 0; i <= 8; i++) {
		uint64_t mask = i == 8 ? xcr0 : 1ull << i;

		if (!(xcr0 & mask))
			continue;
		ASSERT_OK(rf_context_reset_fpu(f.c));
		random_image(&rng, image, mask);
		load(&f, f.c, 0, image, mask);
		ASSERT_OK(rf_context_new(f.m, &fresh));
		check_state(store(&f, fresh, 0), NULL, 0, xcr0);
		check_state(store(&f, f.c, 0), image, mask, xcr0);
		rf_context_free(f.c); /* with its state in the registers */
		f.c = NULL;
		check_state(store(&f, fresh, 0), NULL, 0, xcr0);
		f.c = fresh;
		load(&f, f.c, 0, image, mask);
		ASSERT_OK(rf_context_reset_fpu(f.c));
		check_state(store(&f, f.c, 0), NULL, 0, xcr0);
	}
	fixture_down(&f);
}

TEST(images_are_exact)
{
	static uint8_t image[0x1000], got[0x1000];
	struct test_rng rng;
	struct fixture f;
	uint64_t xcr0;
	size_t size;

	fpu_up(&f, 2);
	xcr0 = rf_machine_xcr0(f.m);
	size = rf_context_fpu_size(f.m);
	test_rng_init(&rng, 0xf6);
	/* What a new context has: FNINIT's control word, every exception masked, all else zero. */
	memset(got, 0xaa, sizeof(got));
	ASSERT_OK(rf_context_get_fpu(f.c, got, size));
	check_state(got, NULL, 0, xcr0);
	for (unsigned i = 0; i < 8; i++) {
		/* in through the interface, out through the CPU; the other way round; all of it */
		uint64_t mask = i ? test_rng_next(&rng) & xcr0 : xcr0;

		random_image(&rng, image, mask);
		ASSERT_OK(rf_context_set_fpu(f.c, image, size));
		check_state(store(&f, f.c, i & 1), image, mask, xcr0);
		ASSERT_OK(rf_context_get_fpu(f.c, got, size));
		check_state(got, image, mask, xcr0);
		EXPECT_EQ(*(uint64_t *)(got + XCOMP_BV), 0);
		EXPECT_EQ(*(uint64_t *)(got + HEADER) & ~xcr0, 0);
		random_image(&rng, image, mask);
		ASSERT_OK(rf_context_reset_fpu(f.c));
		load(&f, f.c, i >> 1 & 1, image, mask);
		ASSERT_OK(rf_context_get_fpu(f.c, got, size));
		check_state(got, image, mask, xcr0);
	}
	fixture_down(&f);
}

/* XSTATE_BV without a component means its initial state, whatever the image has in its place. */
TEST(components_marked_initial_are_restored_as_zero)
{
	static uint8_t image[0x1000];
	struct test_rng rng;
	struct fixture f;
	uint64_t xcr0;

	fpu_up(&f, 1);
	xcr0 = rf_machine_xcr0(f.m);
	test_rng_init(&rng, 0xf5);
	for (unsigned i = 0; i < 8; i++) {
		if (!(xcr0 >> i & 1))
			continue;
		random_image(&rng, image, xcr0);
		*(uint64_t *)(image + HEADER) &= ~(1ull << i);
		if (i == 1)
			*(uint32_t *)(image + MXCSR) = 0x1f80; /* loaded with SSE or AVX */
		ASSERT_OK(rf_context_set_fpu(f.c, image, rf_context_fpu_size(f.m)));
		check_state(store(&f, f.c, 0), image, xcr0 & ~(1ull << i), xcr0);
	}
	fixture_down(&f);
}

/* ---- garbage ---- */

static void garbage(struct test_rng *rng, uint8_t *x)
{
	for (size_t i = 0; i < 0x1000; i += 8)
		*(uint64_t *)(x + i) = test_rng_next(rng);
	switch (test_rng_below(rng, 4)) {
	case 0:
		memset(x + HEADER, 0xff, 64);
		break;
	case 1:
		*(uint64_t *)(x + XCOMP_BV) = 1ull << 63 | test_rng_next(rng);
		break;
	case 2:
		*(uint32_t *)(x + MXCSR) = 0xffffffff;
		break;
	}
}

TEST(garbage_images_never_fail_a_switch_nor_reach_others)
{
	static uint8_t image[0x1000], kept[0x1000], got[0x1000];
	struct rf_context *victim;
	struct test_rng rng;
	struct fixture f;
	uint64_t xcr0;
	size_t size;

	fpu_up(&f, 2);
	xcr0 = rf_machine_xcr0(f.m);
	size = rf_context_fpu_size(f.m);
	test_rng_init(&rng, 0x6a46);
	ASSERT_OK(rf_context_new(f.m, &victim));
	random_image(&rng, kept, xcr0);
	load(&f, victim, 0, kept, xcr0);
	for (uint32_t i = 0; i < 400; i++) {
		const uint8_t *stored;

		garbage(&rng, image);
		ASSERT_OK(rf_context_set_fpu(f.c, image, size));
		stored = store(&f, f.c, i & 1);
		/* Vector registers of an image that says they are in use are taken as they are. */
		if (image[HEADER] & 2)
			ASSERT_EQ(memcmp(stored + XMM0, image + XMM0, 256), 0);
		ASSERT_EQ(*(const uint32_t *)(stored + MXCSR) & 0xffff0000, 0);
		ASSERT_OK(rf_context_get_fpu(f.c, got, size));
		ASSERT_EQ(*(uint64_t *)(got + HEADER) & ~xcr0, 0);
		ASSERT_EQ(*(uint64_t *)(got + XCOMP_BV), 0);
		ASSERT_EQ(*(uint32_t *)(got + MXCSR) & 0xffff0000, 0);
		if (i % 8 == 0)
			check_state(store(&f, victim, i >> 3 & 1), kept, xcr0, xcr0);
	}
	rf_context_free(victim);
	fixture_down(&f);
}

/* ---- control words between user code and us ---- */

USER_CODE(code_control, "ldmxcsr (%rdi)\n fldcw 4(%rdi)\n syscall\n"
			"stmxcsr 8(%rdi)\n fnstcw 12(%rdi)\n syscall");

static uint16_t host_fcw(void)
{
	uint16_t cw;

	__asm__ volatile("fnstcw %0" : "=m"(cw));
	return cw;
}

static void set_host_fcw(uint16_t cw)
{
	__asm__ volatile("fldcw %0" : : "m"(cw));
}

/* All exceptions unmasked on one side, other rounding on the other. */
TEST(control_words_stay_on_their_side)
{
	const uint32_t mxcsr = _mm_getcsr();
	const uint16_t fcw = host_fcw();
	uint32_t seen_mxcsr[3];
	uint16_t seen_fcw[3];
	uint32_t *data;
	struct fixture f;

	fixture_up(&f, 1);
	LOAD(&f, code_control);
	data = (uint32_t *)(f.memory + DATA_OFF);
	data[0] = 0;
	data[1] = 0x340;
	f.regs.rdi = DATA;
	fixture_switch(&f);
	seen_mxcsr[0] = _mm_getcsr();
	seen_fcw[0] = host_fcw();
	ASSERT_EQ(f.trap.kind, RF_TRAP_SYSCALL);
	_mm_setcsr(0x5f80);
	set_host_fcw(0x77f);
	fixture_switch(&f);
	seen_mxcsr[1] = _mm_getcsr();
	seen_fcw[1] = host_fcw();
	_mm_setcsr(mxcsr);
	set_host_fcw(fcw);
	ASSERT_EQ(f.trap.kind, RF_TRAP_SYSCALL);
	EXPECT_EQ(seen_mxcsr[0], mxcsr);
	EXPECT_EQ(seen_fcw[0], fcw);
	EXPECT_EQ(seen_mxcsr[1], 0x5f80);
	EXPECT_EQ(seen_fcw[1], 0x77f);
	EXPECT_EQ(data[2], 0);
	EXPECT_EQ(data[3] & 0xffff, 0x340);
	fixture_down(&f);
}

/* ... nor do they reach another context. */
TEST(control_words_stay_with_their_context)
{
	struct rf_context *other;
	uint32_t *data;
	struct fixture f;

	fixture_up(&f, 1);
	LOAD(&f, code_control);
	ASSERT_OK(rf_context_new(f.m, &other));
	data = (uint32_t *)(f.memory + DATA_OFF);
	data[0] = 0;
	data[1] = 0x340;
	f.regs.rdi = DATA;
	fixture_switch(&f);
	ASSERT_EQ(f.trap.kind, RF_TRAP_SYSCALL);
	ASSERT_OK(rf_context_switch(other, f.as, &f.regs, 0, &f.trap));
	ASSERT_EQ(f.trap.kind, RF_TRAP_SYSCALL);
	EXPECT_EQ(data[2], 0x1f80);
	EXPECT_EQ(data[3] & 0xffff, 0x37f);
	rf_context_free(other);
	fixture_down(&f);
}
