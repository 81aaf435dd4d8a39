/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Core scheduling: hyperthreads of one core run this sandbox only, or nothing. It closes what processors leak from one
 * hyperthread to its sibling, which no flush between them can (docs/security.md).
 */
#pragma once

#include "base/types.h"
#include <ringfence/platform.h>

/*
 * Whether the host can: 0; -EOPNOTSUPP: its kernel is not built for it (Linux 5.14, CONFIG_SCHED_CORE); -ENODEV: it sees no CPU with
 * hyperthreads, so there is nothing to do, unless it is a virtual machine that is not told. With a message.
 */
int core_sched_available(struct rf_error *err) __must_check;

/*
 * Gives this process a core-scheduling cookie of its own, which threads made later inherit. prctl(2), PR_SCHED_CORE. Returns 0 or
 * a negative errno with a message; it has been verified then.
 */
int core_sched_enter(struct rf_error *err) __must_check;

/* The cookie of the calling thread, 0: none. 0 or a negative errno. */
int core_sched_cookie(u64 *ret) __must_check;
