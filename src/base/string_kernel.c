/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel image's own libc functions, in which the compiler may also put calls. Loops here must
 * not be recognised as memcpy or memset and turned into calls of themselves: `keep()` makes each
 * round opaque. Bulk moves use REP with 8-byte elements, which is fast on hardware (SDM vol. 1
 * §7.3.9.3, "Fast-String Operation") and 8 times faster than bytes under software emulation. The
 * direction flag is clear, as the ABI demands.
 */
#include "base/string.h"

/* Any address, any type below. */
typedef u64 __attribute__((may_alias, aligned(1))) u64_any;
typedef u32 __attribute__((may_alias, aligned(1))) u32_any;
typedef u16 __attribute__((may_alias, aligned(1))) u16_any;

/* Below this REP's start-up costs more than a loop. */
#define REP_MIN 128

#define keep(x) __asm__ volatile("" : "+r"(x) : : "memory")

/* At most 16 bytes: everything is loaded before anything is stored, so overlap does no harm. */
static void move_small(u8 *d, const u8 *s, size_t n)
{
	if (n >= 8) {
		u64 head = *(const u64_any *)s, tail = *(const u64_any *)(s + n - 8);

		*(u64_any *)d = head;
		*(u64_any *)(d + n - 8) = tail;
	} else if (n >= 4) {
		u32 head = *(const u32_any *)s, tail = *(const u32_any *)(s + n - 4);

		*(u32_any *)d = head;
		*(u32_any *)(d + n - 4) = tail;
	} else if (n >= 2) {
		u16 head = *(const u16_any *)s, tail = *(const u16_any *)(s + n - 2);

		*(u16_any *)d = head;
		*(u16_any *)(d + n - 2) = tail;
	} else if (n) {
		*d = *s;
	}
}

/* More than 16 bytes, upwards; the last 8 bytes are loaded first, since they may be overwritten. */
static void move_up(u8 *d, const u8 *s, size_t n)
{
	u64 tail = *(const u64_any *)(s + n - 8);
	u8 *tail_at = d + n - 8;

	if (n >= REP_MIN) {
		size_t words = n / 8;

		__asm__ volatile("rep movsq" : "+D"(d), "+S"(s), "+c"(words) : : "memory");
	} else {
		for (; n > 8; n -= 8, d += 8, s += 8) {
			*(u64_any *)d = *(const u64_any *)s;
			keep(d);
		}
	}
	*(u64_any *)tail_at = tail;
}

/* More than 16 bytes, downwards. */
static void move_down(u8 *d, const u8 *s, size_t n)
{
	u64 head = *(const u64_any *)s;

	for (; n > 8; n -= 8) {
		*(u64_any *)(d + n - 8) = *(const u64_any *)(s + n - 8);
		keep(d);
	}
	*(u64_any *)d = head;
}

void *memcpy(void *restrict dst, const void *restrict src, size_t n)
{
	if (n <= 16)
		move_small(dst, src, n);
	else
		move_up(dst, src, n);
	return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
	if (n <= 16)
		move_small(dst, src, n);
	else if ((uintptr_t)dst - (uintptr_t)src >= n)
		move_up(dst, src, n);
	else
		move_down(dst, src, n);
	return dst;
}

void *memset(void *dst, int c, size_t n)
{
	u64 pattern = (u8)c * 0x0101010101010101ull;
	u8 *d = dst;

	if (n < 8) {
		for (; n; n--, d++) {
			*d = (u8)c;
			keep(d);
		}
		return dst;
	}
	*(u64_any *)(d + n - 8) = pattern;
	if (n >= REP_MIN) {
		size_t words = n / 8;

		__asm__ volatile("rep stosq" : "+D"(d), "+c"(words) : "a"(pattern) : "memory");
	} else {
		for (; n >= 8; n -= 8, d += 8) {
			*(u64_any *)d = pattern;
			keep(d);
		}
	}
	return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *p = a, *q = b;

	for (; n >= 8 && *(const u64_any *)p == *(const u64_any *)q; n -= 8, p += 8, q += 8)
		keep(p);
	for (; n; n--, p++, q++) {
		if (*p != *q)
			return *p - *q;
		keep(p);
	}
	return 0;
}

void *memchr(const void *s, int c, size_t n)
{
	for (const u8 *p = s; n; n--, p++)
		if (*p == (u8)c)
			return (void *)(uintptr_t)p;
	return NULL;
}

size_t strlen(const char *s)
{
	const char *p = s;

	while (*p) {
		p++;
		keep(p);
	}
	return (size_t)(p - s);
}

size_t strnlen(const char *s, size_t n)
{
	size_t len = 0;

	while (len < n && s[len])
		len++;
	return len;
}

int strcmp(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return (u8)*a - (u8)*b;
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n; n--, a++, b++)
		if (*a != *b || !*a)
			return (u8)*a - (u8)*b;
	return 0;
}

char *strchrnul(const char *s, int c)
{
	while (*s && *s != (char)c)
		s++;
	return (char *)(uintptr_t)s;
}

char *strchr(const char *s, int c)
{
	char *p = strchrnul(s, c);

	return *p == (char)c ? p : NULL;
}

char *strrchr(const char *s, int c)
{
	const char *last = NULL;

	do {
		if (*s == (char)c)
			last = s;
	} while (*s++);
	return (char *)(uintptr_t)last;
}

/* Quadratic in the worst case: for short texts. */
char *strstr(const char *s, const char *needle)
{
	size_t n = strlen(needle);

	for (; n && (s = strchr(s, *needle)); s++)
		if (strncmp(s, needle, n) == 0)
			break;
	return (char *)(uintptr_t)s;
}
