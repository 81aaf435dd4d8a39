/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watches files of the host: fanotify on the whole mount, inotify, dnotify, leases.
 * Stopped by: our kernel has none of these.
 * Escape-Expect: stopped: EPERM from fanotify_init
 * Escape-Expect: stopped: no such call: fanotify_mark
 * Escape-Expect: stopped: no such call: inotify_init
 * Escape-Expect: stopped: no such call: inotify_init1
 * Escape-Expect: stopped: EINVAL from dnotify
 * Escape-Expect: stopped: EINVAL from a lease
 */
#include "escape/escape.h"

void attempt(void)
{
	int fd = OK(open(base_path("box"), O_RDONLY));

	REFUSED("fanotify_init", syscall(SYS_fanotify_init, 0x4 /* FAN_CLASS_CONTENT */, O_RDONLY));
	REFUSED("fanotify_mark", syscall(SYS_fanotify_mark, fd, 0x11, 0x20, AT_FDCWD, "/"));
	REFUSED("inotify_init", syscall(SYS_inotify_init));
	REFUSED("inotify_init1", syscall(SYS_inotify_init1, 0));
	REFUSED("dnotify", fcntl(fd, F_NOTIFY, DN_CREATE));
	REFUSED("a lease", fcntl(fd, F_SETLEASE, F_WRLCK));
}
