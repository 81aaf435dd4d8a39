/* SPDX-License-Identifier: Apache-2.0 */
/* The host terminal's mode: saved once, given back on every way out. Async-signal-safe but for terminal_save(). */
#pragma once

#include "base/types.h"

/* Remembers the mode of the first terminal among the standard streams; restores it at exit(3) too. */
void terminal_save(void);
/* Back to the saved mode, remembering the present one for terminal_reapply(). */
void terminal_restore(void);
/* The mode that was in force before the last terminal_restore(). */
void terminal_reapply(void);
/* The mode was changed for the sandbox: there is something to restore. */
void terminal_touched(void);
