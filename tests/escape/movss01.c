/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Delays debug exceptions across the kernel's entry: MOV SS with a breakpoint on its operand, with TF, then SYSCALL, INT3 and INT n (CVE-2018-8897).
 * Stopped by: no debug registers without ptrace, and a kernel that does not believe where a debug exception comes from.
 * Escape-Expect: stopped: mov ss, int3: contained
 * Escape-Expect: stopped: mov ss, int 3: contained
 * Escape-Expect: stopped: mov ss, int 1: contained
 * Escape-Expect: stopped: mov ss, syscall: contained
 * Escape-Expect: stopped: trap flag, mov ss, syscall: contained
 * Escape-Expect: stopped: trap flag, mov ss, int3: contained
 * Escape-Expect: stopped: trap flag, mov ss, ud2: contained
 * Escape-Expect: stopped: trap flag, syscall: contained
 */
#include "guest/trap.h"

#include "escape/escape.h"

static void try_after_mov_ss(const char *what, const char *code, size_t length)
{
	struct trap t = trap_run(code, length);

	if (t.sig && t.sig != SIGTRAP && t.sig != SIGSEGV && t.sig != SIGILL)
		escaped("%s ended with signal %d", what, t.sig);
	stopped("%s: contained", what);
}

#define TRY(what, code) try_after_mov_ss(what, code, sizeof(code) - 1)

void attempt(void)
{
	trap_init();
	/* mov eax, ss; [pushf; or [rsp], 0x100; popf;] mov ss, eax; what follows */
	TRY("mov ss, int3", "\x8c\xd0\x8e\xd0\xcc");
	TRY("mov ss, int 3", "\x8c\xd0\x8e\xd0\xcd\x03");
	TRY("mov ss, int 1", "\x8c\xd0\x8e\xd0\xcd\x01");
	TRY("mov ss, syscall", "\x8c\xd2\xb8\x27\0\0\0\x8e\xd2\x0f\x05");
	TRY("trap flag, mov ss, syscall",
	    "\x8c\xd2\xb8\x27\0\0\0\x9c\x81\x0c\x24\0\x01\0\0\x9d\x8e\xd2\x0f\x05\x90");
	TRY("trap flag, mov ss, int3", "\x8c\xd2\x9c\x81\x0c\x24\0\x01\0\0\x9d\x8e\xd2\xcc");
	TRY("trap flag, mov ss, ud2", "\x8c\xd2\x9c\x81\x0c\x24\0\x01\0\0\x9d\x8e\xd2\x0f\x0b");
	TRY("trap flag, syscall", "\xb8\x27\0\0\0\x9c\x81\x0c\x24\0\x01\0\0\x9d\x0f\x05\x90");
}
