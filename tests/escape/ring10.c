/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waits for memory by MONITOR and MWAIT, lifts SMAP by STAC and CLAC, saves and restores supervisor state: XSAVES, XRSTORS.
 * Stopped by: the CPU, ring 3.
 * Escape-Expect: stopped: a fault from monitor
 * Escape-Expect: stopped: a fault from mwait
 * Escape-Expect: stopped: a fault from clac
 * Escape-Expect: stopped: a fault from stac
 * Escape-Expect: stopped: a fault from xrstors
 * Escape-Expect: stopped: a fault from xsaves
 */
#include "escape/instruction.h"

static const struct instruction list[] = {
	{ "monitor", CODE(0x0f, 0x01, 0xc8) },
	{ "mwait", CODE(0x0f, 0x01, 0xc9) },
	{ "clac", CODE(0x0f, 0x01, 0xca) },
	{ "stac", CODE(0x0f, 0x01, 0xcb) },
	{ "xrstors", CODE(0x0f, 0xc7, 0x5c, 0x24, 0xc0) },
	{ "xsaves", CODE(0x0f, 0xc7, 0x6c, 0x24, 0xc0) },
};

void attempt(void)
{
	trap_init();
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		struct trap t = trap_run(list[i].code, list[i].length);

		if (t.sig != SIGILL && t.sig != SIGSEGV)
			escaped("%s ran", list[i].name);
		stopped("a fault from %s", list[i].name);
	}
}
