/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bounds that hold on mispredicted paths too (Spectre v1): after a check that the CPU may guess wrong, what decides is arithmetic,
 * which it does not guess. docs/speculation.md says where they are needed.
 */
#pragma once

#include "base/types.h"

/* All ones if index < size, else 0. */
static inline u64 nospec_mask(u64 index, u64 size)
{
	u64 mask;

	__asm__ volatile("cmpq %2, %1; sbbq %0, %0" : "=r"(mask) : "r"(index), "er"(size) : "cc");
	return mask;
}

/* `index` if it is below `size`, else 0. For an array of `size` elements whose element is an address, or is used as one. */
static inline u64 array_index_nospec(u64 index, u64 size)
{
	return index & nospec_mask(index, size);
}

/* The lesser of two, without a branch. */
static inline u64 min_nospec(u64 a, u64 b)
{
	__asm__ volatile("cmpq %1, %0; cmovaq %1, %0" : "+r"(a) : "r"(b) : "cc");
	return a;
}
