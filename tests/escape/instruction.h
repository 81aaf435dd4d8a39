/* SPDX-License-Identifier: Apache-2.0 */
/* instruction.h: try instructions of ring 0 from the program and say how the CPU refused them. */
#pragma once

#include "escape/escape.h"
#include "guest/trap.h"

#define CODE(...) (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })

#define TRAP_UD 6
#define TRAP_GP 13

struct instruction {
	const char *name;
	const uint8_t *code;
	size_t length;
};

static inline const char *trap_name(const struct trap *t)
{
	switch (t->trapno) {
	case TRAP_UD:
		return "undefined instruction";
	case 11:
		return "segment not present";
	case 12:
		return "stack segment";
	case TRAP_GP:
		return "general protection";
	case 14:
		return "page fault";
	default:
		return "another trap";
	}
}

static inline void judge_trap(const char *name, const struct trap *t)
{
	if (!t->sig)
		escaped("%s ran", name);
	stopped("SIG%s (%s) from %s", sigabbrev_np(t->sig), trap_name(t), name);
}

/* Each must end in a signal at the instruction itself. */
static inline void try_instructions(const struct instruction *list, size_t count)
{
	trap_init();
	for (size_t i = 0; i < count; i++) {
		struct trap t = trap_run(list[i].code, list[i].length);

		judge_trap(list[i].name, &t);
		CHECK_EQ(t.rip, 0);
	}
}

#define TRY_INSTRUCTIONS(list) try_instructions(list, sizeof(list) / sizeof((list)[0]))
