/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flushes caches and translations: INVD, WBINVD, INVLPG, INVPCID.
 * Stopped by: the CPU, ring 3.
 * Escape-Expect: stopped: SIGSEGV (general protection) from invd
 * Escape-Expect: stopped: SIGSEGV (general protection) from wbinvd
 * Escape-Expect: stopped: SIGSEGV (general protection) from invlpg
 * Escape-Expect: stopped: SIGILL (undefined instruction) from invpcid
 */
#include "escape/instruction.h"

static const struct instruction list[] = { { "invd", CODE(0x0f, 0x08) },
					   { "wbinvd", CODE(0x0f, 0x09) },
					   { "invlpg", CODE(0x0f, 0x01, 0x3c, 0x24) },
					   { "invpcid",
					     CODE(0x66, 0x0f, 0x38, 0x82, 0x04, 0x24) } };

void attempt(void)
{
	TRY_INSTRUCTIONS(list);
}
