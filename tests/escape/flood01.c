/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Floods standard output and standard error with many megabytes as fast as possible.
 * Stopped by: a writer waits until the reader has taken what is there; nothing is kept in memory for it.
 * Escape-Options: --memory 64M
 * Escape-Expect: stopped: the flood took its time
 */
#include "escape/escape.h"

#define TOTAL (6l << 20)

void attempt(void)
{
	static char text[1 << 16];

	memset(text, '.', sizeof(text));
	for (size_t i = 79; i < sizeof(text); i += 80)
		text[i] = '\n';
	text[sizeof(text) - 1] = '\n';
	for (long n = 0; n < TOTAL;) {
		ssize_t r = write(1, text, sizeof(text));

		CHECK(r > 0);
		n += r;
		if (r != sizeof(text))
			OK(write(1, "\n", 1));
	}
	stopped("the flood took its time");
}
