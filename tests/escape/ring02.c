/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Talks to I/O ports: IN, OUT, INS, OUTS, with the ports that residency host uses for its own exits.
 * Stopped by: the CPU, IOPL 0 and no bitmap for ring 3.
 * Escape-Expect: stopped: SIGSEGV (general protection) from in al, 80h
 * Escape-Expect: stopped: SIGSEGV (general protection) from in eax, dx
 * Escape-Expect: stopped: SIGSEGV (general protection) from out 80h, al
 * Escape-Expect: stopped: SIGSEGV (general protection) from out dx, al
 * Escape-Expect: stopped: SIGSEGV (general protection) from out dx, eax
 * Escape-Expect: stopped: SIGSEGV (general protection) from insb
 * Escape-Expect: stopped: SIGSEGV (general protection) from outsb
 * Escape-Expect: stopped: SIGSEGV (general protection) from rep outsd
 * Escape-Expect: stopped: out to every port tried
 */
#include "escape/instruction.h"

static void try_port(unsigned port)
{
	uint8_t out[] = { 0x66, 0xba, (uint8_t)port, (uint8_t)(port >> 8), 0xee };
	struct trap t = trap_run(out, sizeof(out));

	if (!t.sig)
		escaped("out to port %#x ran", port);
}

static const struct instruction list[] = {
	{ "in al, 80h", CODE(0xe4, 0x80) },
	{ "in eax, dx", CODE(0xed) },
	{ "out 80h, al", CODE(0xe6, 0x80) },
	{ "out dx, al", CODE(0xee) },
	{ "out dx, eax", CODE(0xef) },
	{ "insb", CODE(0x6c) },
	{ "outsb", CODE(0x6e) },
	{ "rep outsd", CODE(0xf3, 0x6f) },
};

void attempt(void)
{
	TRY_INSTRUCTIONS(list);
	for (unsigned port = 0; port < 0x10000; port += port < 0x600 ? 16 : 1024)
		try_port(port);
	stopped("out to every port tried");
}
