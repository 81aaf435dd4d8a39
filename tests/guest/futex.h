/* SPDX-License-Identifier: Apache-2.0 */
/* futex.h: the futex system call, which the C library does not wrap. */
#pragma once

#include <linux/futex.h>

#include "guest/guest.h"

static inline long futex(void *word, int op, uint32_t value, const void *timeout_or_count,
			 void *word2, uint32_t value3)
{
	return syscall(SYS_futex, word, op, value, timeout_or_count, word2, value3);
}

/* Waits until a thread of this process sleeps. */
static inline void wait_until_asleep(pid_t tid)
{
	char path[64], text[512], *end;

	for (;;) {
		int fd;
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
		fd = open(path, O_RDONLY);
		CHECK(fd >= 0);
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
		CHECK(n > 0);
		text[n] = 0;
		end = strrchr(text, ')');
		if (end && end[2] == 'S')
			return;
		sleep_ms(1);
	}
}
