/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tiny ring-0 image of the test's own: the arena mapped at its place by large pages, a hole without memory slot behind it,
 * an IDT that is empty but for what a test puts there. IDT and stacks are the test's to break.
 */
#pragma once

#include <sys/ioctl.h>
#include <sys/mman.h>

#include "platform/fixture.h"
#include "platform/kvm/kvm.h"

#define R0_PML4  0x1000u
#define R0_PDPT  0x2000u
#define R0_PD    0x3000u
#define R0_HOLE  0x4000u /* page directory of the hole */
#define R0_GDT   0x6000u
#define R0_IDT   0x7000u
#define R0_TSS   0x9000u
#define R0_AREA  0xa000u
#define R0_STACK 0x20000u
#define R0_IMAGE 0x200000u

#define R0_VA(offset) (RF_ARENA_BASE + (offset))
#define HOLE_VA       (RF_ARENA_BASE + 0x40000000ul)
#define HOLE_GPA      0x1f00000000ul

static inline void ring0_put(uint8_t *at, uint64_t value)
{
	memcpy(at, &value, sizeof(value));
}

static inline void ring0_gate(uint8_t *arena, unsigned int vector, uint64_t target,
			      unsigned int ist)
{
	ring0_put(arena + R0_IDT + vector * 16, (target & 0xffff) | 0x10 << 16 |
							(uint64_t)ist << 32 | 0x8eull << 40 |
							(target >> 16 & 0xffff) << 48);
	ring0_put(arena + R0_IDT + vector * 16 + 8, target >> 32);
}

static inline void ring0_tables(uint8_t *a)
{
	uint64_t gpa = RF_ARENA_GPA;

	memset(a, 0, 0x20000);
	ring0_put(a + R0_PML4 + 252 * 8, (gpa + R0_PDPT) | 0x23);
	ring0_put(a + R0_PDPT, (gpa + R0_PD) | 0x23);
	ring0_put(a + R0_PDPT + 8, (gpa + R0_HOLE) | 0x23);
	for (uint64_t i = 0; i < MEMORY >> 21; i++)
		ring0_put(a + R0_PD + i * 8, (gpa + (i << 21)) | 0xe3);
	ring0_put(a + R0_HOLE, HOLE_GPA | 0xe3);
	ring0_put(a + R0_GDT + 0x10, 0x00af9b000000ffffull);
	ring0_put(a + R0_GDT + 0x18, 0x00cf93000000ffffull);
	ring0_put(a + R0_TSS + 4, R0_VA(R0_STACK));
}

/* Boots @code, which runs with RDI = HOLE_VA. */
static inline void ring0_boot(struct rf_machine *m, const char *code, const char *end)
{
	uint8_t *a = rf_machine_memory(m)->base;
	const struct rf_boot_cpu state = {
		.rip = R0_VA(R0_IMAGE),
		.rsp = R0_VA(R0_STACK),
		.gs_base = R0_VA(R0_AREA),
		.arg = HOLE_VA,
		.cr3 = RF_ARENA_GPA + R0_PML4,
		.gdt_base = R0_VA(R0_GDT),
		.gdt_limit = 0x4f,
		.idt_base = R0_VA(R0_IDT),
		.idt_limit = 0x21 * 16 - 1,
		.tss_base = R0_VA(R0_TSS),
		.tss_limit = 0x67,
	};
	struct rf_error err = { 0 };

	ring0_tables(a);
	memset(a + R0_IMAGE, 0xf4, 0x1000);
	memcpy(a + R0_IMAGE, code, (size_t)(end - code));
	if (rf_machine_boot_cpu(m, 0, &state, &err))
		test_fatal("%s", err.text);
}
#define RING0_BOOT(m, name) ring0_boot(m, name, name##_end)

static inline enum rf_exit_kind ring0_run(struct rf_machine *m, char *dump, size_t size)
{
	enum rf_exit_kind kind;

	dump[0] = '\0';
	ASSERT_OK(rf_machine_run_cpu(m, 0, &kind, dump, size));
	return kind;
}

static inline struct kvm_vcpu *ring0_vcpu(struct rf_machine *m)
{
	return &kvm_machine(m)->vcpus[0];
}
