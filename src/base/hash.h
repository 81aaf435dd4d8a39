/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hash functions for in-memory tables. Not cryptographic, not stable across versions; a table whose
 * keys the guest chooses must bound its chains or mix a secret into the seed.
 */
#pragma once

#include "base/types.h"

#define HASH_FNV_BASIS 0xcbf29ce484222325ull
#define HASH_FNV_PRIME 0x100000001b3ull

/* FNV-1a over @n bytes (Fowler, Noll, Vo; draft-eastlake-fnv), continuing from @seed. */
static inline u64 hash_bytes(const void *data, size_t n, u64 seed)
{
	const u8 *p = data;
	u64 h = seed ^ HASH_FNV_BASIS;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * HASH_FNV_PRIME;
	return h;
}

/* FNV-1a over a string, without its end. */
static inline u64 hash_string(const char *s)
{
	u64 h = HASH_FNV_BASIS;

	for (; *s; s++)
		h = (h ^ (u8)*s) * HASH_FNV_PRIME;
	return h;
}

/* A bijection in which every input bit reaches every output bit (splitmix64's finaliser). */
static inline u64 hash_u64(u64 x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

static inline u64 hash_combine(u64 a, u64 b)
{
	return hash_u64(a ^ hash_u64(b + 0x9e3779b97f4a7c15ull));
}

static inline u64 hash_pointer(const void *p)
{
	return hash_u64((u64)(uintptr_t)p);
}
