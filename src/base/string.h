/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strings and memory. Hosted programs take libc's functions; the kernel image links
 * string_kernel.c, which provides exactly those declared here. string.c, in both images, has the
 * few that the libc of the day may lack.
 */
#pragma once

#include "base/types.h"

#if __STDC_HOSTED__

#include <string.h>

#else

void *memcpy(void *restrict dst, const void *restrict src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *s, int c, size_t n);

size_t strlen(const char *s);
size_t strnlen(const char *s, size_t n);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
char *strchrnul(const char *s, int c);
char *strrchr(const char *s, int c);
char *strstr(const char *s, const char *needle);

#endif

/*
 * Copies as much of @src as fits, always terminated when @size is not 0. Returns strlen(@src):
 * a result >= @size means truncation.
 */
size_t strlcpy(char *restrict dst, const char *restrict src, size_t size);
/* The same, appending to the string in @dst. Returns the length it tried to make. */
size_t strlcat(char *restrict dst, const char *restrict src, size_t size);

/* Does @s begin with @prefix? */
bool str_starts_with(const char *s, const char *prefix);
bool str_ends_with(const char *s, const char *suffix);
static inline bool str_equal(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}
/* Are all @n bytes 0? */
bool mem_is_zero(const void *p, size_t n);
