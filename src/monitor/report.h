/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is said of a sandbox that was lost: registers, stack, last calls. The monitor and its signal handlers fill a buffer of fixed size in memory shared
 * with the process that writes the file; so the text outlives whatever becomes of the monitor. The reader trusts none of it.
 */
#pragma once

#include <stdatomic.h>

#include "base/types.h"

#define REPORT_MAX (128u << 10) /* bytes of text; what goes beyond is dropped */

struct report {
	atomic_uint used;
	char text[REPORT_MAX];
};

/* Shared with processes forked later; NULL without memory. */
struct report *report_new(void);
void report_free(struct report *r);
/* Appends; may be called by several threads and signal handlers at once. */
void report_add(struct report *r, const char *text, size_t len);
/*
 * Copies the text, defused, into @buf, which has room for REPORT_MAX + 1 bytes, with a terminating 0. Returns its length. The monitor
 * may be hostile and still be writing.
 */
size_t report_take(struct report *r, char *buf);
