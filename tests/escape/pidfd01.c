/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes hold of a host's process by descriptor: pidfd_open, pidfd_send_signal, pidfd_getfd, process_madvise, process_mrelease, a directory of /proc.
 * Stopped by: our kernel does not have these calls, and there is no such process.
 * Escape-Expect: stopped: no such call: pidfd_open
 * Escape-Expect: stopped: no such call: pidfd_open of ourselves
 * Escape-Expect: stopped: no such call: pidfd_send_signal
 * Escape-Expect: stopped: no such call: pidfd_getfd
 * Escape-Expect: stopped: no such call: process_madvise
 * Escape-Expect: stopped: no such call: process_mrelease
 * Escape-Expect: stopped: ENOENT from the victim's directory
 */
#include "escape/escape.h"

void attempt(void)
{
	pid_t victim = (pid_t)told_number("ESCAPE_VICTIM");
	char path[64];

	REFUSED("pidfd_open", syscall(SYS_pidfd_open, victim, 0));
	REFUSED("pidfd_open of ourselves", syscall(SYS_pidfd_open, getpid(), 0));
	REFUSED("pidfd_send_signal",
		syscall(SYS_pidfd_send_signal, OK(open("/proc/self", O_RDONLY)), SIGTERM, NULL, 0));
	REFUSED("pidfd_getfd", syscall(SYS_pidfd_getfd, 3, 0, 0));
	REFUSED("process_madvise", syscall(SYS_process_madvise, 3, NULL, 0, 4, 0));
	REFUSED("process_mrelease", syscall(SYS_process_mrelease, 3, 0));
	snprintf(path, sizeof(path), "/proc/%d", victim);
	REFUSED("the victim's directory", open(path, O_PATH));
}
