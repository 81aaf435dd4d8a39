/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks for the caller's environment in every place where a process's strings can be: environ, /proc, the stack's top, the auxiliary vector.
 * Stopped by: the sandbox's environment is a small documented set; the runner puts a secret into the caller's.
 * Escape-Expect: stopped: no secret in the environment
 * Escape-Expect: stopped: no secret in /proc/self/environ
 * Escape-Expect: stopped: nothing in /proc/1/environ
 * Escape-Expect: stopped: nothing in /proc/1/cmdline
 * Escape-Expect: stopped: no secret in /proc/cmdline
 * Escape-Expect: stopped: no secret at the stack's top
 * Escape-Expect: stopped: no variable of the caller
 */
#include "escape/escape.h"

void attempt(void)
{
	uintptr_t at = (uintptr_t)environ[0] & ~(PAGE - 1);
	unsigned char seen;

	for (char **e = environ; *e; e++)
		check_for_secret("the environment", *e, strlen(*e));
	stopped("no secret in the environment");
	try_read("/proc/self/environ", "/proc/self/environ");
	try_read("/proc/1/environ", "/proc/1/environ");
	try_read("/proc/1/cmdline", "/proc/1/cmdline");
	try_read("/proc/cmdline", "/proc/cmdline");
	while (mincore((void *)at, PAGE, &seen) == 0) {
		check_for_secret("the stack's top", (void *)at, PAGE);
		at += PAGE;
	}
	stopped("no secret at the stack's top");
	if (getenv("LD_PRELOAD") || getenv("LD_AUDIT") || getenv("SSH_AUTH_SOCK") ||
	    getenv("ESCAPE_CALLER"))
		escaped("a variable of the caller");
	stopped("no variable of the caller");
}
