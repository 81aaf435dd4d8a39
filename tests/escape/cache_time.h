/* SPDX-License-Identifier: Apache-2.0 */
/* cache_time.h: how long a read takes, which tells whether it came out of a cache. */
#pragma once

#include <stdint.h>
#include <x86intrin.h>

/* In cycles of the time-stamp counter. */
static inline uint64_t time_of(const volatile uint8_t *p)
{
	unsigned aux;
	uint64_t start;

	_mm_mfence();
	start = __rdtscp(&aux);
	(void)*p;
	_mm_lfence();
	return __rdtscp(&aux) - start;
}
