/* SPDX-License-Identifier: Apache-2.0 */
/* The arena: one memory file, mapped once at RF_ARENA_BASE. */
#pragma once

#include "base/types.h"
#include <ringfence/platform.h>

struct arena {
	int fd;
	u8 *base;
	u64 size;
};

/* Makes and maps @size bytes (page aligned). @huge asks for transparent huge pages. */
int arena_init(struct arena *a, u64 size, bool huge, struct rf_error *err) __must_check;
void arena_done(struct arena *a);

/* Is the arena address range [addr, addr + len) inside offsets [from, size)? */
bool arena_range_ok(const struct arena *a, u64 addr, u64 len, u64 from);

/* Gives pages back to the host: they read as zeros afterwards. */
int arena_discard(struct arena *a, u64 offset, u64 len);
/* Makes pages present. */
int arena_populate(struct arena *a, u64 offset, u64 len);

/* Fills *@err (may be NULL) and returns @code, a negative errno, whose text is appended unless it is 0. */
int error_set(struct rf_error *err, int code, const char *format, ...) __printf(3, 4);
