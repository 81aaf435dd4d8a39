/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loads descriptor tables: LGDT, LIDT, LLDT, LTR.
 * Stopped by: the CPU, ring 3.
 * Escape-Expect: stopped: SIGSEGV (general protection) from lgdt
 * Escape-Expect: stopped: SIGSEGV (general protection) from lidt
 * Escape-Expect: stopped: SIGSEGV (general protection) from lldt
 * Escape-Expect: stopped: SIGSEGV (general protection) from ltr
 */
#include "escape/instruction.h"

static const struct instruction list[] = { { "lgdt", CODE(0x0f, 0x01, 0x54, 0x24, 0xf0) },
					   { "lidt", CODE(0x0f, 0x01, 0x5c, 0x24, 0xf0) },
					   { "lldt", CODE(0x0f, 0x00, 0xd0) },
					   { "ltr", CODE(0x0f, 0x00, 0xd8) } };

void attempt(void)
{
	TRY_INSTRUCTIONS(list);
}
