/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the guest of residency host contains besides user code: a few pages in PML4 slot 252, shared
 * by all address spaces. User code can execute one of them and can read none of the others.
 *
 *   RF_ARENA_BASE
 *	+ 0x0000   ring-0 stubs: one per exception vector, the way back, the CPL-0 SYSCALL entry
 *	+ 0x1000   SYSCALL entry for KVMs that stay at CPL 3: user-executable; else absent
 *	+ 0x2000   GDT, IDT
 *	+ 0x10000 + cpu * 0x2000   TSS page, stack page
 *
 * A stub is one OUT to a port that names the event. KVM ends KVM_RUN there with the user's
 * registers untouched and what the CPU pushed on the stack page, which the host reads directly.
 */
#pragma once

#include "base/types.h"
#include <ringfence/platform.h>

/* Guest-physical layout: the platform's pool, a page for slot flips, KVM's own three TSS pages. */
#define KVM_FLIP_GPA     0x80000ull
#define KVM_POOL_GPA     0x100000ull
#define KVM_POOL_MAX     0xe0000000ull
#define KVM_TSS_GPA      0xfffbd000ull
/* KVM's identity-mapped page table, below the TSS pages. */
#define KVM_IDENTITY_GPA 0xfffbc000ull

#define KVM_SLOT_POOL  0u
#define KVM_SLOT_ARENA 1u
#define KVM_SLOT_FLIP  2u

#define KVM_SHARED_PML4_SLOT 252u
#define KVM_STUB_VA          RF_ARENA_BASE
#define KVM_SYSCALL_VA       (RF_ARENA_BASE + 0x1000)
#define KVM_TABLES_VA        (RF_ARENA_BASE + 0x2000)
#define KVM_IDT_OFFSET       0x200u
#define KVM_IDT_VA           (KVM_TABLES_VA + KVM_IDT_OFFSET)
#define KVM_TSS_VA(cpu)      (RF_ARENA_BASE + 0x10000 + (u64)(cpu)*0x2000)
#define KVM_STACK_VA(cpu)    (KVM_TSS_VA(cpu) + 0x1000)
/* The exception stack's first byte past the end; frames start below it. */
#define KVM_STACK_TOP(cpu)   (KVM_STACK_VA(cpu) + PAGE_SIZE)

/* Offsets in the stub page. */
#define KVM_STUB_SIZE       8u /* per vector, from offset 0 */
#define KVM_VECTORS         32u
#define KVM_STUB_IRET       0x400u /* IRETQ */
#define KVM_STUB_FLUSH      0x408u /* push RAX, reload CR3, pop RAX, then IRETQ */
#define KVM_STUB_FLUSH_IRET 0x410u /* that IRETQ */
#define KVM_STUB_SYSCALL    0x440u

#define KVM_PORT_SYSCALL 0x60u
#define KVM_PORT_VECTOR  0xc0u /* + vector */

/* Linux's selectors. */
#define SEL_KERNEL_CS 0x10u
#define SEL_KERNEL_SS 0x18u
#define SEL_USER_CS32 0x23u
#define SEL_USER_SS   0x2bu
#define SEL_USER_CS   0x33u
#define SEL_TSS       0x40u

/* SYSCALL to SEL_KERNEL_CS, SYSRET to SEL_USER_CS (SEL_USER_CS32 + 16) and SEL_USER_SS (+ 8). */
#define KVM_STAR ((u64)SEL_USER_CS32 << 48 | (u64)SEL_KERNEL_CS << 32)

/* Control registers (SDM vol. 3A section 2.5 "Control Registers"). */
#define CR0_LONG_MODE  0x80050033ull /* PG AM WP NE ET MP PE */
#define CR4_PAE        (1ull << 5)
#define CR4_MCE        (1ull << 6)
#define CR4_PGE        (1ull << 7)
#define CR4_OSFXSR     (1ull << 9)
#define CR4_OSXMMEXCPT (1ull << 10)
#define CR4_UMIP       (1ull << 11)
#define CR4_FSGSBASE   (1ull << 16)
#define CR4_OSXSAVE    (1ull << 18)
#define CR4_SMEP       (1ull << 20)
#define CR4_SMAP       (1ull << 21)
#define EFER_AUTOIBRS  (1ull << 21) /* AMD's automatic IBRS */
#define EFER_LONG      0xd01ull     /* NXE LMA LME SCE */

/* The top of the stack page after an exception; error_code is unused where the vector has none. */
struct kvm_frame {
	u64 error_code;
	u64 rip, cs, rflags, rsp, ss;
};
#define KVM_FRAME_VA(cpu) (KVM_STACK_TOP(cpu) - 40) /* of rip: what IRETQ takes */
static_assert(sizeof(struct kvm_frame) == 48, "frame layout");
