/* SPDX-License-Identifier: Apache-2.0 */
/* What the host's kernel writes about mounts: proc_pid_mountinfo(5). */
#pragma once

#include "base/types.h"

struct host_mount {
	u64 id;
	const char *dev, *root, *point, *type; /* in the line they were read from */
};

/* A line, which is changed. False: it is none of a mount. */
bool mountinfo_parse(char *line, struct host_mount *ret);
/* Octal escapes of files of /proc, \040 for a blank and the like, in place. */
void unescape_octal(char *s);
