/* SPDX-License-Identifier: Apache-2.0 */
/*
 * header.S: struct kernel_header, the first bytes of the kernel image, and the boot stacks it names.
 *
 * No code. .text.entry is what kernel.ld places first, and nothing else uses it.
 */
#include "kernel/arch/asm_offsets.h"
#include "kernel/arch/speculation.h"

	.section .text.entry, "ax", @progbits
	.balign 4096
	.globl kernel_header
	.type kernel_header, @object
kernel_header:
	.quad 0x3145434e46474e52	/* BOOT_MAGIC */
	.long 1				/* BOOT_VERSION */
	.long 0
	.quad entry_guest
	.quad entry_host
	.quad boot_stacks
	.quad BOOT_STACK_SIZE
	.quad __text_start
	.quad __text_end
	.quad __rodata_start
	.quad __rodata_end
	.quad __data_start
	.quad __kernel_end
	.quad thunks_start
	.quad thunks_plain
	.quad THUNK_SIZE * THUNK_COUNT
	.size kernel_header, . - kernel_header

	.section .bss.boot_stacks, "aw", @nobits
	.balign 4096
	.globl boot_stacks
	.type boot_stacks, @object
boot_stacks:
	.skip BOOT_STACK_SIZE * BOOT_CPUS_MAX
	.size boot_stacks, . - boot_stacks

	.section .note.GNU-stack, "", @progbits
