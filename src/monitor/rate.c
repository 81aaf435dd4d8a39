/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/rate.h"

struct rate_limit {
	u32 per_second, burst;
};

static const struct rate_limit limits[RATES] = {
#define RATE_ROW(name, per_second, burst) [RATE_##name] = { (per_second), (burst) },
	RATE_TABLE(RATE_ROW)
#undef RATE_ROW
};

/* A bucket is the moment at which it is full: so far in the future as tokens are missing. */
u64 rate_take(struct rate_bucket *b, enum rate rate, u64 now_ns)
{
	u64 token = 1000000000ull / limits[rate].per_second, most = token * limits[rate].burst;
	u64 full = atomic_load_explicit(&b->full_ns, memory_order_relaxed), next;

	do {
		next = MAX(full, now_ns) + token;
		if (next - now_ns > most)
			return next - now_ns - most;
	} while (!atomic_compare_exchange_weak(&b->full_ns, &full, next));
	return 0;
}
