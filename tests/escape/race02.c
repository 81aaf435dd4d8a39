/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread moves a directory up and down while this one walks ".." from inside of it: one step too many would leave the bind.
 * Stopped by: ".." is our kernel's own parent pointer, and the bind's root leads to the mount above it.
 * Escape-Expect: stopped: no .. of 1500 led to the secret
 */
#include <pthread.h>

#include "escape/escape.h"

#define ROUNDS 1500

static volatile bool stop;

static void *move(void *arg)
{
	while (!stop) {
		rename("d1/d2/d3", "d3");
		rename("d3", "d1/d2/d3");
	}
	return arg;
}

void attempt(void)
{
	pthread_t thread;
	char text[64];
	int in, out = 0;

	OK(chdir(base_path("box")));
	OK(mkdir("d1", 0755));
	OK(mkdir("d1/d2", 0755));
	OK(mkdir("d1/d2/d3", 0755));
	in = OK(open("d1/d2/d3", O_PATH | O_DIRECTORY));
	CHECK(pthread_create(&thread, NULL, move, NULL) == 0);
	for (int i = 0; i < ROUNDS; i++) {
		int fd =
			openat(in, i % 2 ? "../../secret/key" : "../../../../secret/key", O_RDONLY);

		if (fd < 0)
			continue;
		check_for_secret("a raced ..", text, (size_t)OK(read(fd, text, sizeof(text))));
		out++;
		close(fd);
	}
	stop = true;
	pthread_join(thread, NULL);
	CHECK_EQ(out, 0);
	stopped("no .. of %d led to the secret", ROUNDS);
}
