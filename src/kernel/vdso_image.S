/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vdso_image.S: the vDSO's ELF image inside kernel.elf.
 *
 * No code. The build passes the path of the image as VDSO_IMAGE_PATH; C sees
 *   extern const unsigned char vdso_image_start[], vdso_image_end[];
 * page-aligned at both ends, so that user address spaces can map these pages themselves.
 */
	.section .vdso, "a", @progbits
	.balign 4096
	.globl vdso_image_start
	.globl vdso_image_end
	.hidden vdso_image_start
	.hidden vdso_image_end
	.type vdso_image_start, @object
vdso_image_start:
	.incbin VDSO_IMAGE_PATH
	.balign 4096
vdso_image_end:
	.size vdso_image_start, vdso_image_end - vdso_image_start

	.section .note.GNU-stack, "", @progbits
