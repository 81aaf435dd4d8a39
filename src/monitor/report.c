/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/report.h"

#include <string.h>
#include <sys/mman.h>

#include "monitor/text.h"

struct report *report_new(void)
{
	struct report *r =
		mmap(NULL, sizeof(*r), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return r == MAP_FAILED ? NULL : r;
}

void report_free(struct report *r)
{
	if (r)
		munmap(r, sizeof(*r));
}

void report_add(struct report *r, const char *text, size_t len)
{
	u32 at = atomic_load(&r->used), left, n;

	do {
		left = at < REPORT_MAX ? REPORT_MAX - at : 0;
		n = (u32)MIN(len, (size_t)left);
	} while (!atomic_compare_exchange_weak(&r->used, &at, at + n));
	if (n)
		memcpy(r->text + at, text, n);
}

size_t report_take(struct report *r, char *buf)
{
	u32 used = atomic_load(&r->used);
	size_t n = MIN(used, REPORT_MAX);

	memcpy(buf, r->text, n);
	text_defuse(buf, n);
	buf[n] = 0;
	return n;
}
