/* SPDX-License-Identifier: Apache-2.0 */
/* Text from the sandbox on its way to people. Async-signal-safe. */
#pragma once

#include "base/types.h"

/*
 * Replaces by '?' what could drive a terminal: control characters but newline and tab, DEL, and the C1 controls, alone (as a terminal
 * of 8 bits takes them) or in UTF-8 (as xterm does). Other text, UTF-8 included, stays. The same length before and after.
 */
void text_defuse(char *text, size_t len);
