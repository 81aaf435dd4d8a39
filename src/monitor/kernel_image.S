/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kernel_image.S: the kernel's ELF image inside the ringfence program.
 *
 * No code. The build passes the path of the image as KERNEL_IMAGE_PATH; C sees
 *   extern const unsigned char kernel_image_start[], kernel_image_end[];
 */
	.section .rodata.kernel_image, "a", @progbits
	.balign 4096
	.globl kernel_image_start
	.globl kernel_image_end
	.hidden kernel_image_start
	.hidden kernel_image_end
	.type kernel_image_start, @object
kernel_image_start:
	.incbin KERNEL_IMAGE_PATH
kernel_image_end:
	.size kernel_image_start, kernel_image_end - kernel_image_start

	.section .note.GNU-stack, "", @progbits
