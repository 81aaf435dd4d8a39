/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often a sandbox may ask for what costs the host more than the caller's own time. Token buckets, one for each kind of call and
 * sandbox: `burst` calls at once, `per_second` in the long run. docs/hostcalls.md says what was measured.
 *
 * RATE(NAME, per_second, burst)
 */
#pragma once

#include <stdatomic.h>

#include "base/types.h"

/* clang-format off */
#define RATE_TABLE(RATE)                                                                                               \
	RATE(LOG,         100,    1000)    /* messages on the log; more are dropped */                                 \
	RATE(KICK,     500000,   50000)    /* a wake-up or a signal to another thread */                               \
	RATE(LOOKUP,  1000000,  100000)    /* looks at names: a walk, sometimes a disk access */                       \
	RATE(OPEN,     200000,   20000)    /* host descriptors, freed by the host with delay */                        \
	RATE(CHANGE,   200000,   20000)    /* changes of names and attributes: the file system's journal */            \
	RATE(SYNC,      20000,    2000)    /* waits for a disk that others use too */                                  \
	RATE(WATCH,    200000,   20000)    /* an event for the event thread */                                         \
	RATE(FRAMES,    20000,    5000)    /* page frames given back or made present; locks of the whole process */    \
	RATE(RANDOM,   100000,   10000)                                                                                \
	RATE(STOP,          5,      10)    /* the user's shell comes to the front */                                   \
	RATE(REFUSED,   20000,   20000)    /* calls that only a broken or hostile kernel makes */
/* clang-format on */

enum rate {
	RATE_NONE,
#define RATE_ENUM(name, per_second, burst) RATE_##name,
	RATE_TABLE(RATE_ENUM)
#undef RATE_ENUM
		RATES,
};

struct rate_bucket {
	atomic_ulong full_ns; /* when it will be full again, CLOCK_MONOTONIC */
};

/* Bytes that all messages of a sandbox on the log may have together; then it is silent. */
#define LOG_TOTAL_MAX (16u << 20)

/* Takes a token at time @now. Returns 0, or how many nanoseconds later there will be one. Any thread. */
u64 rate_take(struct rate_bucket *b, enum rate rate, u64 now_ns);
