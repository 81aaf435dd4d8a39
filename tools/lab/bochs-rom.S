/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bochs-rom.S: the firmware of the Bochs lab. It replaces a BIOS: no devices are found, no boot medium is read, the
 * kernel is in memory already. That is the lab's memory image (lab_bochs.py), which Bochs loads at IMAGE:
 *
 *	IMAGE + 0x00	struct hvm_start_info of the PVH boot protocol (Xen, "x86/HVM direct boot ABI")
 *	IMAGE + 0x38	u32: the kernel's PVH entry point
 *	IMAGE + 0x3c	u32: the image's end
 *
 * Entry: reset, real mode, CS:IP at the last 16 bytes below 1 MiB (SDM 3A, section 10.1.4 "First Instruction Executed").
 * Exit: PVH entry: 32-bit protected mode, paging and interrupts off, flat segments, EBX = IMAGE.
 *
 * Bochs hands its memory out in blocks of 128 KiB in the order in which they are first touched, but writes a memory
 * image in one piece behind the first one. So nothing may touch memory before the loop below has touched every block
 * of the image from its beginning to its end: no stack, no data outside of this ROM.
 */

#define IMAGE	    0x100000
#define IMAGE_ENTRY (IMAGE + 0x38)
#define IMAGE_END   (IMAGE + 0x3c)
#define BLOCK	    0x20000

#define MSR_APIC_BASE	  0x1b
#define MSR_MTRR_DEF_TYPE 0x2ff
#define APIC_ENABLED	  0xfee00900 /* at its usual address, bootstrap processor */
#define MTRR_WRITE_BACK	  0x806	     /* MTRRs on, everything write-back */

#define ROM		0xff000 /* where this is linked, F000:F000 */
#define ROM_OFFSET(sym) (sym - ROM + 0xf000)

	.section .text
	.code16
	.globl _start
_start:
	cli
	lgdtl	%cs:ROM_OFFSET(gdt_pointer)
	movl	%cr0, %eax
	orl	$1, %eax
	movl	%eax, %cr0
	ljmpl	$8, $protected

	.code32
protected:
	movw	$16, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movw	%ax, %fs
	movw	%ax, %gs

	movl	$IMAGE, %ebx
1:	movl	(%ebx), %eax
	addl	$BLOCK, %ebx
	cmpl	IMAGE_END, %ebx
	jb	1b

	/* What a BIOS does for the kernel: the local APIC and write-back memory (SDM 3A, 11.4.3 and 12.11.2.1). */
	movl	$MSR_APIC_BASE, %ecx
	movl	$APIC_ENABLED, %eax
	xorl	%edx, %edx
	wrmsr
	movl	$MSR_MTRR_DEF_TYPE, %ecx
	movl	$MTRR_WRITE_BACK, %eax
	wrmsr
	movl	%cr0, %eax
	andl	$0x9fffffff, %eax /* CD and NW off: caching on */
	movl	%eax, %cr0

	movl	$IMAGE, %ebx
	jmp	*IMAGE_ENTRY

	.balign	8
gdt:
	.quad	0
	.quad	0x00cf9b000000ffff /* 8: code, 4 GiB */
	.quad	0x00cf93000000ffff /* 16: data, 4 GiB */
gdt_pointer:
	.word	. - gdt - 1
	.long	gdt

	.org	0xff0
	.code16
	.byte	0xea /* ljmp F000:F000 */
	.word	0xf000, 0xf000
	.org	0x1000
