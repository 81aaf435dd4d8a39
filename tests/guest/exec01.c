/* SPDX-License-Identifier: Apache-2.0 */
/* Arguments and environment arrive whole: empty ones, long ones, many. */
#include "guest/guest.h"

extern char **environ;

static int show(int argc, char **argv)
{
	size_t total = 0;
	int count = 0;

	for (int i = 1; i < argc && i < 6; i++)
		say("[%.40s] %zu\n", argv[i], strlen(argv[i]));
	CHECK(argv[argc] == NULL);
	for (char **e = environ; *e; e++, count++)
		total += strlen(*e);
	say("argc %d envc %d env bytes %zu first %.20s\n", argc, count, total,
	    environ[0] ? environ[0] : "-");
	return 0;
}

static void run(char *const argv[], char *const envp[])
{
	pid_t pid = OK(fork());

	if (pid == 0) {
		execve("/proc/self/exe", argv, envp);
		FAIL("execve");
	}
	wait_ok(pid);
}

int main(int argc, char **argv)
{
	static char big[100001], *none[] = { NULL };
	static const char *many[3002];

	if (argc > 1)
		return show(argc, argv);
	memset(big, 'b', sizeof(big) - 1);
	run(ARGS("x", "", "two words", big, "\xff\x01"), none);
	for (int i = 0; i < 3000; i++)
		many[i] = "NAME=some value";
	run(ARGS("x", "y"), (char *const *)many);
	for (int i = 0; i < 3001; i++)
		many[i] = "arg";
	run((char *const *)many, ARGS("A=B"));
	return 0;
}
