/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A platform in software for unit tests: address spaces are flat page lists, and "user code" is a
 * function of the test's. Tests register it themselves: rf_platform_register(&fake_platform).
 */
#pragma once

#include "platform/platform.h"

extern const struct rf_platform fake_platform;

/*
 * Plays the user program: looks at and changes *@regs, and through rf_address_space_copy_in() and
 * friends memory, then says in *@trap how it got out (kind, and the fields that go with it;
 * RF_TRAP_NONE is called again at once).
 */
typedef void fake_program_fn(void *arg, struct rf_address_space *as, struct rf_regs *regs,
			     struct rf_trap *trap);

/* What @c runs from its next switch on. Without a program a switch is an RF_TRAP_ERROR. */
void fake_context_set_program(struct rf_context *c, fake_program_fn *program, void *arg);
/* How often rf_address_space_flush() was called. */
u64 fake_flush_count(const struct rf_address_space *as);
