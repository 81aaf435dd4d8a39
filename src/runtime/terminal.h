/* SPDX-License-Identifier: Apache-2.0 */
/* The host terminal's mode: saved before a sandbox gets the terminal, given back on every way out. */
#pragma once

#include <termios.h>

#include "base/types.h"

struct terminal {
	int fd; /* -1: none of the standard streams is a terminal */
	struct termios saved, sandbox;
};

/* Remembers the mode of the first terminal among the standard streams, through a descriptor of its own. */
void terminal_init(struct terminal *t);
/* Back to the saved mode, remembering the present one for terminal_reapply(). */
void terminal_restore(struct terminal *t);
/* The mode that was in force before the last terminal_restore(), unless we are in the background. */
void terminal_reapply(const struct terminal *t);
void terminal_done(struct terminal *t);
