/* SPDX-License-Identifier: Apache-2.0 */
/* Eight megabytes through a pipe in odd sizes arrive unchanged. */
#include "guest/guest.h"

#define TOTAL (8u << 20)

static int writer(void *arg)
{
	static unsigned char block[70000];
	uint32_t state = 1;
	size_t done = 0, size = 1;

	while (done < TOTAL) {
		if (size > TOTAL - done)
			size = TOTAL - done;
		for (size_t i = 0; i < size; i++) {
			state = state * 1664525 + 1013904223;
			block[i] = (unsigned char)(state >> 24);
		}
		for (size_t at = 0; at < size;)
			at += (size_t)OK(write(((int *)arg)[1], block + at, size - at));
		done += size;
		size = (size * 7 + 13) % sizeof(block) + 1;
	}
	return 0;
}

int main(void)
{
	static unsigned char block[33333];
	uint32_t state = 1;
	size_t total = 0;
	ssize_t n;
	int ends[2];
	pid_t pid;

	OK(pipe(ends));
	pid = spawn(writer, ends);
	close(ends[1]);
	while ((n = OK(read(ends[0], block, sizeof(block)))) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			state = state * 1664525 + 1013904223;
			if (block[i] != (unsigned char)(state >> 24))
				FAIL("byte %zu is wrong", total + (size_t)i);
		}
		total += (size_t)n;
	}
	wait_ok(pid);
	say("%zu\n", total);
	return 0;
}
