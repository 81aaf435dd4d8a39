/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pushes characters into the caller's terminal: TIOCSTI, TIOCLINUX with a paste, as standard input and as /dev/tty.
 * Stopped by: our kernel does not pass these requests on.
 * Escape-Host: terminal
 * Escape-Expect: stopped: EPERM from TIOCSTI on standard input
 * Escape-Expect: stopped: ENOTTY from TIOCLINUX on standard input
 * Escape-Expect: stopped: ENOTTY from TIOCLINUX on standard input
 * Escape-Expect: stopped: EPERM from TIOCSTI with high bits on standard input
 * Escape-Expect: stopped: EPERM from TIOCSTI on /dev/tty
 * Escape-Expect: stopped: ENOTTY from TIOCLINUX on /dev/tty
 * Escape-Expect: stopped: ENOTTY from TIOCLINUX on /dev/tty
 * Escape-Expect: stopped: EPERM from TIOCSTI with high bits on /dev/tty
 */
#include <sys/ioctl.h>

#include "escape/escape.h"

static void try_requests(const char *name, int fd)
{
	char what[64], paste[2] = { 3, 0 }, get[1] = { 1 };

	snprintf(what, sizeof(what), "TIOCSTI on %s", name);
	REFUSED(what, ioctl(fd, TIOCSTI, "x"));
	snprintf(what, sizeof(what), "TIOCLINUX on %s", name);
	REFUSED(what, ioctl(fd, TIOCLINUX, paste));
	REFUSED(what, ioctl(fd, TIOCLINUX, get));
	/* The request number with bits above 32, which a filter on 64 bits would let pass. */
	snprintf(what, sizeof(what), "TIOCSTI with high bits on %s", name);
	REFUSED(what, syscall(SYS_ioctl, fd, TIOCSTI | 1ul << 32, "x"));
}

void attempt(void)
{
	int fd;

	CHECK(isatty(0));
	try_requests("standard input", 0);
	fd = open("/dev/tty", O_RDWR);
	if (fd < 0)
		judge_call("open of /dev/tty", fd);
	else
		try_requests("/dev/tty", fd);
}
