/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Moves the caller's terminal to a process group or session of the host: TIOCSPGRP, TIOCSCTTY with force, TIOCNOTTY, TIOCSWINSZ with nonsense.
 * Stopped by: process groups are our kernel's own, and only those of the session are taken.
 * Escape-Host: terminal
 * Escape-Expect: stopped: ESRCH from TIOCSPGRP of a host's group
 * Escape-Expect: stopped: ESRCH from TIOCSPGRP of no group
 * Escape-Expect: stopped: EINVAL from TIOCSPGRP below 0
 * Escape-Expect: stopped: ENOTTY from TIOCSPGRP from another session
 * Escape-Expect: stopped: EPERM from TIOCSCTTY without CAP_SYS_ADMIN
 */
#include <sys/ioctl.h>

#include "escape/escape.h"

void attempt(void)
{
	pid_t group = (pid_t)told_number("ESCAPE_VICTIM_GROUP"), one = 1000000, none = -5;

	CHECK(isatty(0));
	REFUSED("TIOCSPGRP of a host's group", ioctl(0, TIOCSPGRP, &group));
	REFUSED("TIOCSPGRP of no group", ioctl(0, TIOCSPGRP, &one));
	REFUSED("TIOCSPGRP below 0", ioctl(0, TIOCSPGRP, &none));
	if (fork() == 0) {
		OK(setsid());
		REFUSED("TIOCSPGRP from another session", ioctl(0, TIOCSPGRP, &group));
		REFUSED("TIOCSCTTY without CAP_SYS_ADMIN",
			setresuid(1000, 1000, 1000) < 0 ? -1 : ioctl(0, TIOCSCTTY, 1));
		_exit(0);
	}
	wait(NULL);
}
