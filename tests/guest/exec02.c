/* SPDX-License-Identifier: Apache-2.0 */
/* execve's errors. */
#include "guest/guest.h"

static int run(const char *path)
{
	return execve(path, ARGS("x"), NULL);
}

int main(void)
{
	static char *huge[2], text[200001];

	scratch();
	write_file("plain", "no format at all");
	write_file("notexec", "#!/bin/sh\n");
	write_file("empty", "");
	write_file("badinterpreter", "#!/nonexistent/interpreter\n");
	write_file("nointerpreter", "#!\n");
	OK(chmod("plain", 0755));
	OK(chmod("empty", 0755));
	OK(chmod("badinterpreter", 0755));
	OK(chmod("nointerpreter", 0755));
	OK(mkdir("directory", 0755));
	OK(symlink("loop", "loop"));
	FAILS(run("missing"), ENOENT);
	FAILS(run(""), ENOENT);
	FAILS(run("plain/x"), ENOTDIR);
	FAILS(run("loop"), ELOOP);
	FAILS(run("directory"), EACCES);
	FAILS(run("notexec"), EACCES);
	FAILS(run("/dev/null"), EACCES);
	FAILS(run("plain"), ENOEXEC);
	FAILS(run("empty"), ENOEXEC);
	FAILS(run("nointerpreter"), ENOEXEC);
	FAILS(run("badinterpreter"), ENOENT);
	FAILS(run(bad_address()), EFAULT);
	FAILS(execve("/proc/self/exe", bad_address(), NULL), EFAULT);
	FAILS(execve("/proc/self/exe", ARGS(bad_address()), NULL), EFAULT);
	memset(text, 'x', sizeof(text) - 1);
	huge[0] = text;
	FAILS(execve("/proc/self/exe", huge, NULL), E2BIG);
	say("ok\n");
	return 0;
}
