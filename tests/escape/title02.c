/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Puts terminal escape sequences into Ringfence's messages: a program that is not executable, a bad interpreter, an ELF file that is broken.
 * Stopped by: Ringfence's own output has no control characters; the runner looks at every byte of it.
 * Escape-Options: --log debug
 * Escape-Expect: stopped: ENOENT from a script with a bad interpreter
 * Escape-Expect: stopped: ENOEXEC from a broken program
 * Escape-Expect: stopped: ENOEXEC from nothing at all
 * Escape-Expect: stopped: a crash ended with SIGSEGV
 */
#include <sys/prctl.h>

#include "escape/escape.h"

#define NAME "/\033]0;owned\007\r"

static void try_exec(const char *what, const char *text)
{
	pid_t pid;

	write_file(NAME, text);
	OK(chmod(NAME, 0755));
	pid = OK(fork());
	if (pid == 0) {
		REFUSED(what, execve(NAME, ARGS(NAME), environ));
		_exit(0);
	}
	wait_ok(pid);
}

static void crash(void)
{
	prctl(PR_SET_NAME, "\033[31mred");
	raise(SIGSEGV);
}

void attempt(void)
{
	try_exec("a script with a bad interpreter", "#!/\033]0;owned\007\n");
	try_exec("a broken program", "\177ELF\2\1\1\033]0;owned\007");
	try_exec("nothing at all", "\033]0;owned\007");
	stopped("a crash ended with %s", ending_of(in_child(crash)));
}
