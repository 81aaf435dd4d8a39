/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads and writes model-specific registers: where SYSCALL enters, the kernel's GS, EFER, the APIC, the PVM and KVM ranges; and performance counters.
 * Stopped by: the CPU, ring 3, for every number.
 * Escape-Expect: stopped: SIGSEGV (general protection) from rdmsr
 * Escape-Expect: stopped: SIGSEGV (general protection) from wrmsr
 * Escape-Expect: stopped: SIGSEGV (general protection) from rdpmc
 * Escape-Expect: stopped: SIGSEGV (general protection) from xsetbv
 * Escape-Expect: stopped: rdmsr and wrmsr of every register tried
 */
#include "escape/instruction.h"

static void try_msr(uint32_t msr)
{
	uint8_t code[] = { 0xb9, 0, 0, 0, 0, 0x31, 0xc0, 0x31, 0xd2, 0x0f, 0x32 };
	struct trap t;

	memcpy(code + 1, &msr, sizeof(msr));
	t = trap_run(code, sizeof(code));
	if (!t.sig)
		escaped("rdmsr %#x ran", msr);
	code[10] = 0x30;
	t = trap_run(code, sizeof(code));
	if (!t.sig)
		escaped("wrmsr %#x ran", msr);
}

static const struct instruction list[] = { { "rdmsr", CODE(0x0f, 0x32) },
					   { "wrmsr", CODE(0x0f, 0x30) },
					   { "rdpmc", CODE(0x0f, 0x33) },
					   { "xsetbv", CODE(0x0f, 0x01, 0xd1) } };

void attempt(void)
{
	static const uint32_t registers[] = {
		0x10,       0x1b,       0x48,       0x49,       0x174,      0x175,      0x176,
		0x1d9,      0x277,      0x38f,      0x800,      0xc0000080, 0xc0000081, 0xc0000082,
		0xc0000084, 0xc0000100, 0xc0000101, 0xc0000102, 0xc0000103, 0xc0010114, 0xc0010117,
		0x4b564d00, 0x4b564d01, 0x40000000, 0x3a
	};

	TRY_INSTRUCTIONS(list);
	for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++)
		try_msr(registers[i]);
	stopped("rdmsr and wrmsr of every register tried");
}
