/* SPDX-License-Identifier: Apache-2.0 */
/* Assembly as read-only data of this program: machine code to be copied into guest memory. */
#pragma once

#define USER_CODE(name, text)                                                    \
	extern const char name[], name##_end[];                                  \
	__asm__(".pushsection .rodata\n.balign 16\n" #name ":\n" text "\n" #name \
		"_end:\n.byte 0xcc\n.popsection\n")
