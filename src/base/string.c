/* SPDX-License-Identifier: Apache-2.0 */
#include "base/string.h"

size_t strlcpy(char *restrict dst, const char *restrict src, size_t size)
{
	size_t len = strlen(src);

	if (size) {
		size_t n = MIN(len, size - 1);

		memcpy(dst, src, n);
		dst[n] = '\0';
	}
	return len;
}

size_t strlcat(char *restrict dst, const char *restrict src, size_t size)
{
	size_t used = strnlen(dst, size);

	return used + strlcpy(dst + used, src, size - used);
}

bool str_starts_with(const char *s, const char *prefix)
{
	while (*prefix)
		if (*s++ != *prefix++)
			return false;
	return true;
}

bool str_ends_with(const char *s, const char *suffix)
{
	size_t len = strlen(s), n = strlen(suffix);

	return n <= len && memcmp(s + len - n, suffix, n) == 0;
}

bool mem_is_zero(const void *p, size_t n)
{
	const u8 *b = p;

	/* Equal to itself moved by one byte, and the first byte is 0. */
	return n == 0 || (b[0] == 0 && memcmp(b, b + 1, n - 1) == 0);
}
