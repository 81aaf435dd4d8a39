/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes segments of its own: modify_ldt, set_thread_area, then tries to load selectors of the GDT and of call gates.
 * Stopped by: there is no LDT, and the GDT's segments are the kernel's to use.
 * Escape-Expect: stopped: no such call: modify_ldt
 * Escape-Expect: stopped: no such call: modify_ldt, new
 * Escape-Expect: stopped: no such call: modify_ldt, read
 * Escape-Expect: stopped: no such call: set_thread_area
 * Escape-Expect: stopped: SIGSEGV (general protection) from ds = 0x7
 * Escape-Expect: stopped: SIGSEGV (general protection) from ds = 0xf
 * Escape-Expect: stopped: SIGSEGV (general protection) from es = 0xfff4
 * Escape-Expect: stopped: SIGSEGV (general protection) from fs = 0x1004
 * Escape-Expect: stopped: SIGSEGV (general protection) from ss = 0
 * Escape-Expect: stopped: SIGSEGV (general protection) from ss = 0x18
 * Escape-Expect: stopped: SIGSEGV (general protection) from ss = 0x10
 */
#include "escape/instruction.h"

static void try_selector(const char *segment, const uint8_t *code, size_t length, unsigned selector)
{
	uint8_t bytes[16] = { 0xb8, (uint8_t)selector, (uint8_t)(selector >> 8), 0, 0 };
	char what[64];
	struct trap t;

	memcpy(bytes + 5, code, length);
	t = trap_run(bytes, 5 + length);
	snprintf(what, sizeof(what), "%s = %#x", segment, selector);
	if (t.sig)
		judge_trap(what, &t);
	else
		escaped("%s was taken", what);
}

void attempt(void)
{
	struct {
		unsigned entry, base, limit, flags;
	} u = { .entry = 0, .base = 0, .limit = 0xfffff, .flags = 0x51 };

	REFUSED("modify_ldt", syscall(SYS_modify_ldt, 1, &u, sizeof(u)));
	REFUSED("modify_ldt, new", syscall(SYS_modify_ldt, 0x11, &u, sizeof(u)));
	REFUSED("modify_ldt, read", syscall(SYS_modify_ldt, 0, &u, sizeof(u)));
	REFUSED("set_thread_area", syscall(SYS_set_thread_area, &u));
	trap_init();
	try_selector("ds", CODE(0x8e, 0xd8), 7);
	try_selector("ds", CODE(0x8e, 0xd8), 0xf);
	try_selector("es", CODE(0x8e, 0xc0), 0xfff4);
	try_selector("fs", CODE(0x8e, 0xe0), 0x1004);
	try_selector("ss", CODE(0x8e, 0xd0), 0);
	try_selector("ss", CODE(0x8e, 0xd0), 0x18);
	try_selector("ss", CODE(0x8e, 0xd0), 0x10);
}
