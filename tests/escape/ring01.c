/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stops the CPU and its interrupts: HLT, CLI, STI.
 * Stopped by: the CPU, ring 3.
 */
#include "escape/instruction.h"

static const struct instruction list[] = { { "hlt", CODE(0xf4) }, { "cli", CODE(0xfa) }, { "sti", CODE(0xfb) } };

static void attempt(void)
{
	TRY_INSTRUCTIONS(list);
}
