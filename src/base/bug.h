/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Assertions that stay in release builds.
 *
 * BUG_ON is for invariants only we can break; what a guest can reach is refused with an error. Each
 * image provides bug_fail() and warn_report(): the kernel panics with registers and task, hosted
 * programs take bug_hosted.c.
 */
#pragma once

#include "base/types.h"

/* Reports a broken invariant and ends the image. */
__noreturn void bug_fail(const char *file, int line, const char *expr);
/* Reports a surprise and goes on. */
void warn_report(const char *file, int line, const char *expr);

#define BUG() bug_fail(__FILE__, __LINE__, "unreachable")

#define BUG_ON(cond)                                         \
	do {                                                 \
		if (unlikely(cond))                          \
			bug_fail(__FILE__, __LINE__, #cond); \
	} while (0)

/* Returns the truth of @cond, so that the caller can refuse: `if (WARN_ON(x)) return -EINVAL;` */
#define WARN_ON(cond)                                           \
	__extension__({                                         \
		bool warn_cond_ = !!(cond);                     \
		if (unlikely(warn_cond_))                       \
			warn_report(__FILE__, __LINE__, #cond); \
		unlikely(warn_cond_);                           \
	})
