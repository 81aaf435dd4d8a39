/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers from text, with every overflow detected. The result is stored only on success.
 */
#pragma once

#include "base/types.h"

/*
 * Reads digits of @base (2 to 16) from [@s, @end), at least one, as many as there are. No sign, no
 * space, no prefix. Returns the first byte not read, or NULL: no digit, or more than 64 bits.
 */
const char *parse_digits(const char *s, const char *end, unsigned int base, u64 *ret_value);

/*
 * A whole string as a number of @base; @base 0 takes 0x, 0o and 0b prefixes, a leading 0 as octal
 * and anything else as decimal. False when it is empty, not all digits, or over @max.
 */
bool __must_check parse_u64(const char *s, unsigned int base, u64 max, u64 *ret_value);
bool __must_check parse_u32(const char *s, unsigned int base, u32 *ret_value);
/* Decimal with an optional sign. */
bool __must_check parse_s64(const char *s, s64 *ret_value);
/* Bytes with an optional suffix K, M, G or T (powers of 1024; upper or lower case). */
bool __must_check parse_size(const char *s, u64 *ret_bytes);
/* Seconds with an optional decimal fraction of at most 9 digits and an optional suffix s, m, h or d, as timeout(1) takes them. */
bool __must_check parse_duration(const char *s, u64 *ret_ns);
