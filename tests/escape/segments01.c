/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Learns where the kernel's tables are: SGDT, SIDT, SLDT, STR, SMSW, and LSL, LAR, VERR of the kernel's selectors.
 * Stopped by: UMIP where the CPU has it; else addresses that are the sandbox's own, never the host's: nothing can be read there.
 * Escape-Expect: stopped: the table of sgdt cannot be read
 * Escape-Expect: stopped: the table of sgdt cannot be written
 * Escape-Expect: stopped: the table of sidt cannot be read
 * Escape-Expect: stopped: the table of sidt cannot be written
 */
#include "escape/instruction.h"

/* The address an instruction stored, or 0 where it trapped. */
static uint64_t table_of(unsigned modrm)
{
	static volatile struct __attribute__((packed)) {
		uint16_t limit;
		uint64_t base;
	} table;
	uint64_t at = (uintptr_t)&table;
	/* mov rax, at; sgdt or sidt [rax] */
	uint8_t code[] = { 0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0x0f, 0x01, (uint8_t)modrm };
	struct trap t;

	memcpy(code + 2, &at, sizeof(at));
	table.base = 0;
	t = trap_run(code, sizeof(code));
	return t.sig ? 0 : table.base;
}

static void try_table(const char *name, unsigned modrm)
{
	uint64_t base = table_of(modrm);
	uint8_t code[] = { 0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0x8a, 0x00 };
	struct trap t;

	memcpy(code + 2, &base, sizeof(base));
	t = trap_run(code, sizeof(code));
	if (!t.sig)
		escaped("the table of %s can be read", name);
	stopped("the table of %s cannot be read", name);
	code[10] = 0x88;
	t = trap_run(code, sizeof(code));
	if (!t.sig)
		escaped("the table of %s can be written", name);
	stopped("the table of %s cannot be written", name);
}

void attempt(void)
{
	trap_init();
	try_table("sgdt", 0x00);
	try_table("sidt", 0x08);
}
