/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts a sandbox in the sandbox: Ringfence itself, and KVM by its own ioctls.
 * Stopped by: there is no /dev/kvm inside, and Ringfence says so.
 * Escape-Expect: stopped: ENOENT from open of /dev/kvm
 * Escape-Expect: stopped: Ringfence inside ended with exit status 201
 * Escape-Expect: stopped: Ringfence inside names /dev/kvm
 */
#include "escape/escape.h"

void attempt(void)
{
	char text[4096] = "";
	size_t length = 0;
	int pair[2], fd;
	pid_t pid;
	ssize_t n;

	fd = open("/dev/kvm", O_RDWR);
	judge_call("open of /dev/kvm", fd);
	OK(pipe(pair));
	pid = OK(fork());
	if (pid == 0) {
		OK(dup2(pair[1], 2));
		execl(told("ESCAPE_RINGFENCE"), "ringfence", "run", "--", "/bin/true",
		      (char *)NULL);
		_exit(99);
	}
	close(pair[1]);
	while ((n = OK(read(pair[0], text + length, sizeof(text) - 1 - length))) > 0)
		length += (size_t)n;
	stopped("Ringfence inside ended with %s", ending_of(wait_for(pid)));
	if (strstr(text, "/dev/kvm"))
		stopped("Ringfence inside names /dev/kvm");
}
