/* SPDX-License-Identifier: Apache-2.0 */
/*
 * printf without libc, allocation or floating point: %d %i %u %x %X %o %c %s %p %%, flags `-`, `0`,
 * `+`, space and `#`, width and precision (also `*`), lengths hh h l ll z j t. %n and floats are
 * not supported: an unknown conversion is copied as it stands and nothing after it is converted,
 * since its argument's size is unknown.
 */
#pragma once

#include <stdarg.h>

#include "base/types.h"

/*
 * As C99 snprintf: writes at most @size bytes with the terminating 0, returns the length the whole
 * text has without it (at most INT_MAX).
 */
__printf(3, 4) int fmt_snprintf(char *buf, size_t size, const char *format, ...);
__printf(3, 0) int fmt_vsnprintf(char *buf, size_t size, const char *format, va_list args);

/*
 * Appends to the text of *@len bytes in @buf and advances *@len, never beyond @size - 1. For
 * making a text in steps without checking each: further calls on a full buffer do nothing. Returns
 * false when something was cut off. Needs @size > 0.
 */
__printf(4, 5) bool fmt_append(char *buf, size_t size, size_t *len, const char *format, ...);
