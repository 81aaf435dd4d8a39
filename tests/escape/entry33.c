/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs 32-bit code by a far jump to Linux's 32-bit segment, code below 4 GiB, and enters the kernel from there: INT 80h, SYSENTER, SYSCALL.
 * Stopped by: there is no such segment, or, where the CPU's own table has one, the kernel ends what comes out of it.
 * Escape-Expect: stopped: a signal from int 80h in 32-bit code
 * Escape-Expect: stopped: a signal from sysenter in 32-bit code
 * Escape-Expect: stopped: a signal from syscall in 32-bit code
 * Escape-Expect: stopped: a signal from hlt in 32-bit code
 * Escape-Expect: stopped: a signal from les in 32-bit code
 */
#include "escape/instruction.h"

static uint8_t *low;

/* The code runs at 0x10000 in 32-bit mode, if it runs at all. */
static void try_code(const char *name, const char *code, size_t length)
{
	/* sub rsp, 16; mov dword [rsp], 0x10000; mov dword [rsp+4], 0x23; jmp far [rsp] */
	static const char jump[] =
		"\x48\x83\xec\x10\xc7\x04\x24\0\0\x01\0\xc7\x44\x24\x04\x23\0\0\0\xff\x2c\x24";
	struct trap t;

	memcpy(low, code, length);
	t = trap_run(jump, sizeof(jump) - 1);
	if (!t.sig)
		escaped("%s came back", name);
	stopped("a signal from %s", name);
}

#define TRY(name, code) try_code(name, code, sizeof(code))

void attempt(void)
{
	low = mmap((void *)0x10000, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	CHECK(low != MAP_FAILED);
	trap_init();
	/* mov eax, 1 (exit of 32-bit Linux); mov ebx, 99; entry; ud2 */
	TRY("int 80h in 32-bit code", "\xb8\x01\0\0\0\xbb\x63\0\0\0\xcd\x80\x0f\x0b");
	TRY("sysenter in 32-bit code", "\xb8\x01\0\0\0\xbb\x63\0\0\0\x0f\x34\x0f\x0b");
	TRY("syscall in 32-bit code", "\xb8\x01\0\0\0\xbb\x63\0\0\0\x0f\x05\x0f\x0b");
	TRY("hlt in 32-bit code", "\xf4\x0f\x0b");
	/* mov eax, 0x2b; mov ss, eax; les ebx, [eax]: instructions that 64-bit mode has not */
	TRY("les in 32-bit code", "\xc4\x18\x0f\x0b");
}
