/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs set-user-id programs as an ordinary user, and makes such a program in the writable bind, where the host's users could run it.
 * Stopped by: root inside is nobody outside; the runner looks for set-id files in the bind.
 * Escape-Expect: stopped: EPERM from chmod u+s in a bind
 * Escape-Expect: stopped: EPERM from chmod g+s in a bind
 * Escape-Expect: stopped: EPERM from fchmod u+s in a bind
 * Escape-Expect: stopped: EPERM from creating a set-id file in a bind
 * Escape-Expect: stopped: EOPNOTSUPP from a file capability in a bind
 * Escape-Expect: stopped: EPERM from setuid back to root
 * Escape-Expect: stopped: ENOENT from the secret as somebody else
 */
#include "escape/escape.h"

void attempt(void)
{
	struct stat st;
	pid_t pid;

	OK(chdir(base_path("box")));
	REFUSED("chmod u+s in a bind", chmod("mine", 04755));
	REFUSED("chmod g+s in a bind", chmod("mine", 02755));
	REFUSED("fchmod u+s in a bind", fchmod(OK(open("mine", O_RDONLY)), 06755));
	REFUSED("creating a set-id file in a bind",
		open("new-suid", O_CREAT | O_WRONLY, 04755) < 0 || stat("new-suid", &st) < 0 ||
				!(st.st_mode & 06000)
			? (errno = EPERM, -1)
			: 0);
	REFUSED("a file capability in a bind",
		syscall(SYS_setxattr, "mine", "security.capability",
			"\1\0\0\2\377\377\377\377\377\377\377\377", 20, 0));
	write_file("/suid", "#!/bin/sh\n");
	OK(chmod("/suid", 04755));
	pid = OK(fork());
	if (pid == 0) {
		OK(setresgid(1000, 1000, 1000));
		OK(setresuid(1000, 1000, 1000));
		REFUSED("setuid back to root", setuid(0));
		try_read("the secret as somebody else", base_path("secret/key"));
		_exit(0);
	}
	wait_ok(pid);
}
