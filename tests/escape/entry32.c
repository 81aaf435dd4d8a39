/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Enters the kernel as a 32-bit program: INT 80h, SYSENTER, x32 numbers, far transfers to a 32-bit code segment.
 * Stopped by: there is no such gate, no such call, no such segment.
 * Escape-Expect: stopped: no such call: x32 write
 * Escape-Expect: stopped: no such call: x32 execve
 * Escape-Expect: stopped: no such call: x32 getpid
 * Escape-Expect: stopped: no such call: a negative number
 * Escape-Expect: stopped: no such call: a number with high bits
 * Escape-Expect: stopped: SIGSEGV (general protection) from int 80h
 * Escape-Expect: stopped: SIGILL (undefined instruction) from sysenter
 * Escape-Expect: stopped: SIGILL (undefined instruction) from a far jump to Linux's 32-bit segment | stopped: SIGSEGV (general protection) from a far jump to Linux's 32-bit segment
 * Escape-Expect: stopped: SIGILL (undefined instruction) from a far jump to selector 8 | stopped: SIGSEGV (general protection) from a far jump to selector 8
 * Escape-Expect: stopped: SIGSEGV (general protection) from a far jump to selector 0x10
 * Escape-Expect: stopped: SIGSEGV (general protection) from a far jump to the null selector
 */
#include "escape/instruction.h"

static void try_far(const char *name, unsigned selector)
{
	/* sub rsp, 16; mov dword [rsp], target; mov dword [rsp+4], selector; jmp far [rsp] */
	uint8_t code[] = { 0x48, 0x83, 0xec, 0x10, 0xc7, 0x04, 0x24, 0,
			   0,    0,    0,    0xc7, 0x44, 0x24, 0x04, (uint8_t)selector,
			   0,    0,    0,    0xff, 0x2c, 0x24 };
	struct trap t;

	t = trap_run(code, sizeof(code));
	judge_trap(name, &t);
}

/* What answers INT 80h: a signal, or an error in EAX. */
static void try_int80(void)
{
	/* mov eax, 20 (getpid of 32-bit Linux); push rbx; int 80h; pop rbx; mov [rip], eax is not needed: a signal comes first. */
	struct trap t = trap_run("\xb8\x14\0\0\0\xcd\x80", 7);

	judge_trap("int 80h", &t);
}

static void try_sysenter(void)
{
	struct trap t = trap_run("\x0f\x34", 2);

	judge_trap("sysenter", &t);
}

void attempt(void)
{
	REFUSED("x32 write", syscall(0x40000000 | 1, 1, "x", 1));
	REFUSED("x32 execve", syscall(0x40000000 | 520, "/bin/true", NULL, NULL));
	REFUSED("x32 getpid", syscall(0x40000000 | 39));
	REFUSED("a negative number", syscall(-2));
	REFUSED("a number with high bits", syscall(0x100000000ul | 600));
	trap_init();
	try_int80();
	try_sysenter();
	try_far("a far jump to Linux's 32-bit segment", 0x23);
	try_far("a far jump to selector 8", 8);
	try_far("a far jump to selector 0x10", 0x10);
	try_far("a far jump to the null selector", 0);
}
