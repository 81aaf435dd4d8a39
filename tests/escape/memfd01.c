/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a program from memory: memfd_create(2), fexecve(3), and execveat(2) of an O_PATH descriptor.
 * Stopped by: it is inside like any other program: same names, same view.
 * Escape-Expect: stopped: the program in memory is inside
 * Escape-Expect: stopped: ENOENT from the secret from there
 */
#include "escape/escape.h"

/* A copy of ourselves comes here again, with the variable set. */
static void second_life(void)
{
	struct utsname u;

	OK(uname(&u));
	if (strcmp(u.nodename, "ringfence") != 0)
		escaped("the program in memory sees host %s", u.nodename);
	stopped("the program in memory is inside");
	try_read("the secret from there", base_path("secret/key"));
}

void attempt(void)
{
	static char buffer[65536], path[64];
	ssize_t n;
	int from, fd;

	if (getenv("ESCAPE_SECOND")) {
		second_life();
		return;
	}
	from = OK(open("/proc/self/exe", O_RDONLY));
	fd = OK(memfd_create("escape", 0));
	while ((n = OK(read(from, buffer, sizeof(buffer)))) > 0)
		CHECK_EQ(write(fd, buffer, (size_t)n), n);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	from = OK(open(path, O_RDONLY));
	OK(close(fd));
	OK(setenv("ESCAPE_SECOND", "yes", 1));
	OK(fexecve(from, ARGS("memfd"), environ));
}
