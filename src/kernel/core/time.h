/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks (TSC with host-calibrated parameters) and kernel timers. */
#pragma once

#include "base/rbtree.h"
#include "base/types.h"

#define NSEC_PER_SEC 1000000000ul

u64 ktime_mono(void); /* CLOCK_MONOTONIC, ns */
u64 ktime_real(void); /* CLOCK_REALTIME, ns since the epoch */
u64 ktime_boot(void); /* CLOCK_BOOTTIME, ns */
u64 ktime_up(void);   /* CLOCK_MONOTONIC since the sandbox started, ns */

struct ktimer {
	struct rb_node node;
	u64 deadline; /* CLOCK_MONOTONIC ns */
	void (*fn)(
		struct ktimer *
			t); /* under the kernel lock, must not sleep; may re-arm or free its timer */
	bool armed;
};
void ktimer_init(struct ktimer *t, void (*fn)(struct ktimer *));
void ktimer_arm(struct ktimer *t, u64 deadline); /* re-arms if armed */
bool ktimer_cancel(struct ktimer *t);            /* true if it was armed */
/* Runs what is due; called on every tick, kick and idle exit. Returns the next deadline or 0. */
u64 ktimer_run(void);
