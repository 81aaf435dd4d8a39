/* SPDX-License-Identifier: Apache-2.0 */
/* What hosted programs do about a broken invariant. */
#include "base/bug.h"

#include <stdio.h>
#include <stdlib.h>

__noreturn void bug_fail(const char *file, int line, const char *expr)
{
	fprintf(stderr, "ringfence: bug at %s:%d: %s\n", file, line, expr);
	fflush(NULL);
	abort();
}

void warn_report(const char *file, int line, const char *expr)
{
	fprintf(stderr, "ringfence: warning at %s:%d: %s\n", file, line, expr);
}
