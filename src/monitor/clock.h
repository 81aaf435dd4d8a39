/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time from the TSC: measures its rate against CLOCK_MONOTONIC and publishes struct time_params.
 *
 * The published CLOCK_MONOTONIC never jumps back: where the host's turns out to be behind what readers may already
 * have seen, it goes on from there at a slower rate.
 */
#pragma once

#include "abi/boot.h"
#include "base/types.h"

struct clock_sample {
	u64 tsc, mono, real, boot;
	u64 error; /* by how much real and boot may be wrong against mono, ns */
};

struct clock {
	bool reliable;              /* the TSC ticks at one rate on all CPUs */
	struct clock_sample base;   /* where the rate is measured from */
	struct clock_sample recent; /* the newest; becomes the base later */
	u64 next_ns;                /* CLOCK_MONOTONIC time of the next refresh */
	u32 refreshes;
	struct time_params
		published; /* what readers were told; the shared copy is the kernel's to change */
};

struct clock_sample clock_sample_take(void);
/* As early as possible: the longer until clock_publish(), the better the first rate. */
void clock_init(struct clock *c);
/* First parameters. Returns the TSC's rate in kHz, or 0 when it is not reliable. */
u64 clock_publish(struct clock *c, struct time_params *out);
/* Corrects the parameters if it is time to; cheap otherwise. */
void clock_refresh(struct clock *c, struct time_params *out, u64 now_ns);

/* Pure parts, for tests. mult and shift for @ns nanoseconds in @ticks: mult is between 2^22 and 2^23. */
bool clock_rate(u64 ticks, u64 ns, u32 *ret_mult, u32 *ret_shift);
/* New parameters that go on where @old (may be NULL) would be at @s. */
struct time_params clock_params(const struct time_params *old, const struct clock_sample *s,
				u32 mult, u32 shift);
/* CLOCK_MONOTONIC at @tsc according to @p. */
u64 clock_extrapolate(const struct time_params *p, u64 tsc);
