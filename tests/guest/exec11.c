/* SPDX-License-Identifier: Apache-2.0 */
/* A running program's file can't be opened for writing, truncated or executed while being written: ETXTBSY. */
#include "guest/guest.h"

static void copy_self(const char *to)
{
	static char text[1 << 16];
	int in = OK(open("/proc/self/exe", O_RDONLY)),
	    out = OK(open(to, O_WRONLY | O_CREAT | O_TRUNC, 0755));
	ssize_t n;

	while ((n = OK(read(in, text, sizeof(text)))) > 0)
		CHECK_EQ(write(out, text, (size_t)n), n);
	OK(close(in));
	OK(close(out));
}

int main(int argc, char **argv)
{
	pid_t pid;
	int fd;

	if (argc > 1) {
		FAILS(open("/proc/self/exe", O_RDWR), ETXTBSY);
		FAILS(open("program", O_WRONLY), ETXTBSY);
		FAILS(open("program", O_RDONLY | O_TRUNC), ETXTBSY);
		FAILS(truncate("program", 0), ETXTBSY);
		say("%s: busy\n", argv[1]);
		return 0;
	}
	scratch();
	copy_self("program");
	pid = OK(fork());
	if (pid == 0)
		OK(execv("program", ARGS("program", "child")));
	wait_ok(pid);
	fd = OK(open("program", O_RDWR));
	FAILS(execv("program", ARGS("program", "again")), ETXTBSY);
	OK(close(fd));
	OK(truncate("program", 0));
	say("free\n");
	return 0;
}
