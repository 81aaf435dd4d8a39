/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Puts terminal escape sequences into what Ringfence prints of a program under --strace: its name, paths, buffers, arguments.
 * Stopped by: Ringfence's own output has no control characters; the runner looks at every byte of it.
 * Escape-Options: --strace
 * Escape-Expect: stopped: names with control characters were used
 */
#include <sys/prctl.h>

#include "escape/escape.h"

#define INJECTION                            \
	"\033]0;owned\007\033[31m\r\n\b\x9b" \
	"31m\x7f"

void attempt(void)
{
	pid_t pid;

	prctl(PR_SET_NAME, INJECTION);
	open(INJECTION, O_RDONLY);
	mkdir("/" INJECTION, 0755);
	chdir("/" INJECTION);
	symlink(INJECTION, INJECTION);
	readlink(INJECTION, (char[64]){ 0 }, 64);
	syscall(SYS_setxattr, "/", "user." INJECTION, INJECTION, 4, 0);
	sethostname(INJECTION, 12);
	pid = fork();
	if (pid == 0) {
		execve("/" INJECTION, ARGS(INJECTION, INJECTION), ARGS("A=" INJECTION));
		_exit(0);
	}
	wait_ok(pid);
	OK(write(OK(open("/dev/null", O_WRONLY)), INJECTION, sizeof(INJECTION)));
	stopped("names with control characters were used");
}
