/* SPDX-License-Identifier: Apache-2.0 */
#include "base/parse.h"

#include "base/checked.h"
#include "base/string.h"

/* 16 and above for what is not a digit. */
static unsigned int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned int)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned int)(c - 'A') + 10;
	return 16;
}

const char *parse_digits(const char *s, const char *end, unsigned int base, u64 *ret_value)
{
	const char *start = s;
	u64 value = 0;

	for (; s < end && digit_value(*s) < base; s++)
		if (ckd_mul(&value, value, (u64)base) ||
		    ckd_add(&value, value, (u64)digit_value(*s)))
			return NULL;
	if (s == start)
		return NULL;
	*ret_value = value;
	return s;
}

/* Takes the prefix off *@s. */
static unsigned int base_from_prefix(const char **s)
{
	const char *p = *s;

	if (p[0] != '0' || !p[1])
		return 10;
	*s += 2;
	if (p[1] == 'x' || p[1] == 'X')
		return 16;
	if (p[1] == 'b' || p[1] == 'B')
		return 2;
	if (p[1] != 'o' && p[1] != 'O')
		*s -= 1;
	return 8;
}

bool parse_u64(const char *s, unsigned int base, u64 max, u64 *ret_value)
{
	const char *end = s + strlen(s);
	u64 value;

	if (base == 0)
		base = base_from_prefix(&s);
	if (parse_digits(s, end, base, &value) != end || value > max)
		return false;
	*ret_value = value;
	return true;
}

bool parse_u32(const char *s, unsigned int base, u32 *ret_value)
{
	u64 value;

	if (!parse_u64(s, base, UINT32_MAX, &value))
		return false;
	*ret_value = (u32)value;
	return true;
}

bool parse_s64(const char *s, s64 *ret_value)
{
	bool negative = *s == '-';
	u64 value;

	if (!parse_u64(s + (*s == '-' || *s == '+'), 10, (u64)INT64_MAX + negative, &value))
		return false;
	*ret_value = (s64)(negative ? -value : value);
	return true;
}

static unsigned int size_shift(char suffix)
{
	static const char suffixes[] = "kmgtKMGT";
	const char *p = suffix ? strchr(suffixes, suffix) : NULL;

	return p ? 10 * ((unsigned int)(p - suffixes) % 4 + 1) : 0;
}

bool parse_size(const char *s, u64 *ret_bytes)
{
	const char *end = s + strlen(s);
	unsigned int shift = end > s ? size_shift(end[-1]) : 0;
	u64 value;

	if (shift)
		end--;
	if (parse_digits(s, end, 10, &value) != end || value > UINT64_MAX >> shift)
		return false;
	*ret_bytes = value << shift;
	return true;
}

/* Seconds of a suffix of parse_duration(); 0: it is none. */
static u64 suffix_seconds(char c)
{
	switch (c) {
	case 's':
		return 1;
	case 'm':
		return 60;
	case 'h':
		return 3600;
	case 'd':
		return 86400;
	default:
		return 0;
	}
}

/* The digits after the point of [@s, @end), in units of 10^-9. */
static bool parse_fraction(const char *s, const char *end, u64 *ret)
{
	u64 value;

	if (end - s > 9 || parse_digits(s, end, 10, &value) != end)
		return false;
	for (long n = end - s; n < 9; n++)
		value *= 10;
	*ret = value;
	return true;
}

bool parse_duration(const char *s, u64 *ret_ns)
{
	const char *end = s + strlen(s), *point;
	u64 unit = end > s ? suffix_seconds(end[-1]) : 0, whole, fraction = 0;

	if (unit)
		end--;
	else
		unit = 1;
	point = parse_digits(s, end, 10, &whole);
	if (!point)
		return false;
	if (point != end && (*point != '.' || !parse_fraction(point + 1, end, &fraction)))
		return false;
	/* The fraction times a day is below 2^47. */
	if (ckd_mul(&whole, whole, unit * 1000000000ull) || ckd_add(&whole, whole, fraction * unit))
		return false;
	*ret_ns = whole;
	return true;
}
