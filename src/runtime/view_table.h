/* SPDX-License-Identifier: Apache-2.0 */
/* The default view's hidden paths: docs/view.md gives the reason of each. */
#pragma once

#include "base/types.h"

struct view_rule {
	const char *pattern; /* host path; may end in a glob(7) pattern */
	u32 mode;            /* permissions of the empty directory inside; 0: the host's */
	bool own;            /* our kernel has its own there */
};
extern const struct view_rule view_rules[]; /* ended by a NULL pattern */
/* What no passwd(5) line or HOME can hide: NULL-terminated. */
extern const char *const view_system_directories[];
/* File systems through which a kernel is asked and told things, wherever they are mounted: NULL-terminated. */
extern const char *const view_kernel_filesystems[];
