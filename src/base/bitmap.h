/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arrays of bits in u64 words, least significant first. Not atomic. Searches return @nbits when
 * they find nothing. Bits at and above @nbits in the last word are never looked at nor changed.
 */
#pragma once

#include "base/types.h"

#define BITS_PER_WORD               64
#define BITMAP_WORDS(nbits)         (((size_t)(nbits) + BITS_PER_WORD - 1) / BITS_PER_WORD)
#define DECLARE_BITMAP(name, nbits) u64 name[BITMAP_WORDS(nbits)]

static inline void bitmap_set(u64 *map, size_t bit)
{
	map[bit / BITS_PER_WORD] |= 1ull << (bit % BITS_PER_WORD);
}

static inline void bitmap_clear(u64 *map, size_t bit)
{
	map[bit / BITS_PER_WORD] &= ~(1ull << (bit % BITS_PER_WORD));
}

static inline void bitmap_assign(u64 *map, size_t bit, bool value)
{
	if (value)
		bitmap_set(map, bit);
	else
		bitmap_clear(map, bit);
}

static inline bool bitmap_test(const u64 *map, size_t bit)
{
	return map[bit / BITS_PER_WORD] >> (bit % BITS_PER_WORD) & 1;
}

/* Each returns the bit's old value. */
static inline bool bitmap_test_and_set(u64 *map, size_t bit)
{
	bool old = bitmap_test(map, bit);

	bitmap_set(map, bit);
	return old;
}

static inline bool bitmap_test_and_clear(u64 *map, size_t bit)
{
	bool old = bitmap_test(map, bit);

	bitmap_clear(map, bit);
	return old;
}

/* The bits of word @i that belong to the range [start, end). */
static inline u64 bitmap_word_mask(size_t i, size_t start, size_t end)
{
	size_t base = i * BITS_PER_WORD;
	u64 mask = ~0ull;

	if (start > base)
		mask &= ~0ull << (start - base);
	if (end < base + BITS_PER_WORD)
		mask &= ~(~0ull << (end - base));
	return mask;
}

/* Sets @n bits from @start. */
static inline void bitmap_set_range(u64 *map, size_t start, size_t n)
{
	for (size_t i = start / BITS_PER_WORD; i < BITMAP_WORDS(start + n); i++)
		map[i] |= bitmap_word_mask(i, start, start + n);
}

/* Clears @n bits from @start. */
static inline void bitmap_clear_range(u64 *map, size_t start, size_t n)
{
	for (size_t i = start / BITS_PER_WORD; i < BITMAP_WORDS(start + n); i++)
		map[i] &= ~bitmap_word_mask(i, start, start + n);
}

/* Whole words, the unused bits of the last included. */
static inline void bitmap_zero(u64 *map, size_t nbits)
{
	for (size_t i = 0; i < BITMAP_WORDS(nbits); i++)
		map[i] = 0;
}

/* The first bit >= @start whose value differs from that of @invert's bits (0 or ~0). */
static inline size_t bitmap_find(const u64 *map, size_t nbits, size_t start, u64 invert)
{
	if (start >= nbits)
		return nbits;
	for (size_t i = start / BITS_PER_WORD; i < BITMAP_WORDS(nbits); i++) {
		u64 word = (map[i] ^ invert) & bitmap_word_mask(i, start, nbits);

		if (word)
			return i * BITS_PER_WORD + (size_t)__builtin_ctzll(word);
	}
	return nbits;
}

static inline size_t bitmap_find_next_set(const u64 *map, size_t nbits, size_t start)
{
	return bitmap_find(map, nbits, start, 0);
}

static inline size_t bitmap_find_next_zero(const u64 *map, size_t nbits, size_t start)
{
	return bitmap_find(map, nbits, start, ~0ull);
}

/* Counts in registers: __builtin_popcountll would call libgcc where POPCNT is not assumed. */
static inline unsigned int bitmap_word_weight(u64 w)
{
	w -= w >> 1 & 0x5555555555555555ull;
	w = (w & 0x3333333333333333ull) + (w >> 2 & 0x3333333333333333ull);
	w = (w + (w >> 4)) & 0x0f0f0f0f0f0f0f0full;
	return (unsigned int)(w * 0x0101010101010101ull >> 56);
}

/* The number of bits set. */
static inline size_t bitmap_weight(const u64 *map, size_t nbits)
{
	size_t n = 0;

	for (size_t i = 0; i < BITMAP_WORDS(nbits); i++)
		n += bitmap_word_weight(map[i] & bitmap_word_mask(i, 0, nbits));
	return n;
}

static inline bool bitmap_is_empty(const u64 *map, size_t nbits)
{
	return bitmap_find_next_set(map, nbits, 0) == nbits;
}

#define bitmap_for_each_set(bit, map, nbits)                           \
	for (bit = bitmap_find_next_set(map, nbits, 0); bit < (nbits); \
	     bit = bitmap_find_next_set(map, nbits, (bit) + 1))
