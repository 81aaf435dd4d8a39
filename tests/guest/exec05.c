/* SPDX-License-Identifier: Apache-2.0 */
/* Scripts: the interpreter gets its one argument, the script's path and the rest; scripts of scripts work. */
#include <limits.h>

#include "guest/guest.h"

static void run(char *const argv[])
{
	pid_t pid = OK(fork());

	if (pid == 0) {
		execve(argv[0], argv, NULL);
		FAIL("execve %s", argv[0]);
	}
	wait_ok(pid);
}

int main(int argc, char **argv)
{
	char self[PATH_MAX] = "", text[PATH_MAX + 100];

	if (argc > 1) {
		say("%d:", argc);
		for (int i = 1; i < argc; i++)
			say(" [%s]", argv[i]);
		say("\n");
		return 0;
	}
	OK(readlink("/proc/self/exe", self, sizeof(self) - 1));
	CHECK(strlen(self) < 100);
	scratch();
	snprintf(text, sizeof(text), "#!%s\nx", self);
	write_file("plain", text);
	snprintf(text, sizeof(text), "#! %s  one argument \nx", self);
	write_file("argument", text);
	write_file("nested", "#!./argument more\n");
	OK(chmod("plain", 0755));
	OK(chmod("argument", 0755));
	OK(chmod("nested", 0755));
	run(ARGS("./plain", "a", "", "b"));
	run(ARGS("./argument", "a"));
	run(ARGS("./nested", "a"));
	return 0;
}
