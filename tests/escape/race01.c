/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two threads exchange a directory with a link to the secret directory, in a writable bind, while this one opens through it.
 * Stopped by: each step of a walk is a lookup in our kernel's tree; a link is followed there or not at all.
 * Escape-Expect: stopped: no open of 1500 gave the secret
 */
#include <pthread.h>

#include "escape/escape.h"

#define ROUNDS 1500

static volatile bool stop;

static void *exchange(void *arg)
{
	while (!stop)
		renameat2(AT_FDCWD, "dir", AT_FDCWD, arg, RENAME_EXCHANGE);
	return NULL;
}

void attempt(void)
{
	pthread_t threads[2];
	char text[64];

	OK(chdir(base_path("box")));
	OK(mkdir("dir", 0755));
	write_file("dir/key", "harmless");
	OK(symlink("../secret", "link"));
	OK(symlink(base_path("secret"), "link2"));
	CHECK(pthread_create(&threads[0], NULL, exchange, (void *)"link") == 0);
	CHECK(pthread_create(&threads[1], NULL, exchange, (void *)"link2") == 0);
	for (int i = 0; i < ROUNDS; i++) {
		int fd = open(i % 2 ? "dir/key" : "dir/../dir/../box/dir/key", O_RDONLY);

		if (fd < 0)
			continue;
		check_for_secret("a raced path", text, (size_t)OK(read(fd, text, sizeof(text))));
		close(fd);
	}
	stop = true;
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	stopped("no open of %d gave the secret", ROUNDS);
}
