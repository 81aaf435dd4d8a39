/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a tiny ring-0 image needs in the arena to be booted in residency guest: page tables, GDT, IDT and TSS at fixed offsets. PML4 slot 252
 * maps the arena with large pages, slot 0 one large page for the user.
 */
#pragma once

#include <stdint.h>
#include <string.h>

#include <ringfence/platform.h>

/* Arena offsets. */
#define O_PML4  0x1000u
#define O_PDPT  0x2000u
#define O_PD    0x3000u
#define O_UPDPT 0x4000u
#define O_UPD   0x5000u
#define O_GDT   0x6000u
#define O_IDT   0x7000u
#define O_TSS   0x9000u
#define O_IMAGE 0x200000u
#define O_USER  0x400000u
#define USER_VA 0x400000u

static inline void ring0_put(uint8_t *at, uint64_t value)
{
	memcpy(at, &value, sizeof(value));
}

/* @size: of the arena at @a, bytes. */
static inline void ring0_tables(uint8_t *a, uint64_t size)
{
	const uint64_t gpa = RF_ARENA_GPA;

	ring0_put(a + O_PML4 + 252 * 8, (gpa + O_PDPT) | 0x23);
	ring0_put(a + O_PDPT, (gpa + O_PD) | 0x23);
	for (uint64_t i = 0; i < size >> 21; i++)
		ring0_put(a + O_PD + i * 8, (gpa + (i << 21)) | 0xe3);
	ring0_put(a + O_PML4, (gpa + O_UPDPT) | 0x27);
	ring0_put(a + O_UPDPT, (gpa + O_UPD) | 0x27);
	ring0_put(a + O_UPD + (USER_VA >> 21) * 8, (gpa + O_USER) | 0xe7);
}

static inline void ring0_segments(uint8_t *a)
{
	ring0_put(a + O_GDT + 0x10, 0x00af9b000000ffffull);
	ring0_put(a + O_GDT + 0x18, 0x00cf93000000ffffull);
	ring0_put(a + O_GDT + 0x28, 0x00cff3000000ffffull);
	ring0_put(a + O_GDT + 0x30, 0x00affb000000ffffull);
}

/* An interrupt gate to @va; @dpl: who may use it by INT n. */
static inline void ring0_gate(uint8_t *a, unsigned vector, uint64_t va, unsigned dpl)
{
	ring0_put(a + O_IDT + vector * 16, (va & 0xffff) | 0x10 << 16 | (0x8eull | dpl << 5) << 40 |
						   (va >> 16 & 0xffff) << 48);
	ring0_put(a + O_IDT + vector * 16 + 8, va >> 32);
}

/* The state of a CPU that starts at @entry, with the stack at arena offset @stack also for what comes from ring 3. */
static inline struct rf_boot_cpu ring0_boot_cpu(uint8_t *a, uint64_t entry, uint64_t syscall_entry,
						uint32_t stack, uint32_t tss)
{
	ring0_put(a + tss + 4, RF_ARENA_BASE + stack);
	return (struct rf_boot_cpu){
		.rip = entry,
		.rsp = RF_ARENA_BASE + stack,
		.cr3 = RF_ARENA_GPA + O_PML4,
		.gdt_base = RF_ARENA_BASE + O_GDT,
		.gdt_limit = 0x4f,
		.idt_base = RF_ARENA_BASE + O_IDT,
		.idt_limit = 0x21 * 16 - 1,
		.tss_base = RF_ARENA_BASE + tss,
		.tss_limit = 0x67,
		.lstar = syscall_entry,
		.star = 0x23ull << 48 | 0x10ull << 32,
		.sfmask = 0x257700,
	};
}
