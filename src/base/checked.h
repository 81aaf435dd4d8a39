/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checked arithmetic with the names of C23's <stdckdint.h>. Each stores the wrapped result in
 * *@ret and returns true when the true result did not fit its type.
 */
#pragma once

#include "base/types.h"

#ifndef ckd_add
#define ckd_add(ret, a, b) __builtin_add_overflow((a), (b), (ret))
#define ckd_sub(ret, a, b) __builtin_sub_overflow((a), (b), (ret))
#define ckd_mul(ret, a, b) __builtin_mul_overflow((a), (b), (ret))
#endif

/* Rounds @x up to a multiple of @align (a power of two). Returns true when that overflows. */
static inline bool __must_check ckd_align_up(u64 *ret, u64 x, u64 align)
{
	u64 sum;
	bool overflow = ckd_add(&sum, x, align - 1);

	*ret = sum & ~(align - 1);
	return overflow;
}

/* Does [start, start + len) lie within [0, limit)? An empty range at the limit does. */
static inline bool range_within(u64 start, u64 len, u64 limit)
{
	u64 end;

	return !ckd_add(&end, start, len) && end <= limit;
}
