/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stops the CPU and its interrupts: HLT, CLI, STI.
 * Stopped by: the CPU, ring 3.
 * Escape-Expect: stopped: SIGSEGV (general protection) from hlt
 * Escape-Expect: stopped: SIGSEGV (general protection) from cli
 * Escape-Expect: stopped: SIGSEGV (general protection) from sti
 */
#include "escape/instruction.h"

static const struct instruction list[] = { { "hlt", CODE(0xf4) },
					   { "cli", CODE(0xfa) },
					   { "sti", CODE(0xfb) } };

void attempt(void)
{
	TRY_INSTRUCTIONS(list);
}
