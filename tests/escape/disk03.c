/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builds a very deep directory tree in the writable layer and in the writable bind, names of all lengths, and removes it from below.
 * Stopped by: walks need no stack for it; names longer than 255 and paths longer than 4095 bytes are refused.
 * Escape-Expect: stopped: depth of 1500 in the layer
 * Escape-Expect: stopped: depth of 60 in the bind
 * Escape-Expect: stopped: ENAMETOOLONG from a name of 256 bytes
 * Escape-Expect: stopped: ENAMETOOLONG from a path of 4999 bytes
 */
#include "escape/escape.h"

static void dig(const char *what, int depth)
{
	static char text[8192];
	int n;

	for (n = 0; n < depth; n++) {
		OK(mkdir("d", 0755));
		OK(chdir("d"));
	}
	if (getcwd(text, sizeof(text)) && strlen(text) >= 4096)
		stopped("a long path is told in full");
	OK(access("../../d", F_OK));
	for (; n > 0; n--) {
		OK(chdir(".."));
		OK(rmdir("d"));
	}
	stopped("depth of %d in %s", depth, what);
}

void attempt(void)
{
	static char path[5000];

	OK(chdir("/"));
	dig("the layer", 1500);
	OK(chdir(base_path("box")));
	dig("the bind", 60);
	memset(path, 'n', 256);
	REFUSED("a name of 256 bytes", mkdir(path, 0755));
	for (size_t i = 0; i < sizeof(path) - 1; i++)
		path[i] = i % 2 ? '/' : '.';
	REFUSED("a path of 4999 bytes", open(path, O_RDONLY));
}
