/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unmounts what covers the hidden directories, the sandbox's /proc and /dev, the binds and the root.
 * Stopped by: what the sandbox was started with stays mounted.
 * Escape-Expect: stopped: EINVAL from umount of a cover
 * Escape-Expect: stopped: EINVAL from detach of a cover
 * Escape-Expect: stopped: EINVAL from forced umount of a cover
 * Escape-Expect: stopped: EINVAL from umount of another cover
 * Escape-Expect: stopped: EINVAL from umount of a bind
 * Escape-Expect: stopped: EINVAL from umount of /dev
 * Escape-Expect: stopped: EINVAL from umount of /proc
 * Escape-Expect: stopped: EINVAL from umount of /sys
 * Escape-Expect: stopped: EINVAL from umount of /
 * Escape-Expect: stopped: ENOENT from the host's /proc
 * Escape-Expect: stopped: ENOENT from the host's /sys
 * Escape-Expect: stopped: ENOENT from the host's /dev
 * Escape-Expect: stopped: ENOENT from the secret
 */
#include <sys/mount.h>

#include "escape/escape.h"

void attempt(void)
{
	REFUSED("umount of a cover", umount2(base_path("secret"), 0));
	REFUSED("detach of a cover", umount2(base_path("secret"), MNT_DETACH));
	REFUSED("forced umount of a cover", umount2(base_path("secret"), MNT_FORCE | MNT_DETACH));
	REFUSED("umount of another cover", umount2(told("ESCAPE_OUTSIDE"), MNT_DETACH));
	REFUSED("umount of a bind", umount2(base_path("shelf"), MNT_DETACH));
	REFUSED("umount of /dev", umount2("/dev", MNT_DETACH));
	REFUSED("umount of /proc", umount2("/proc", MNT_DETACH));
	REFUSED("umount of /sys", umount2("/sys", MNT_DETACH));
	REFUSED("umount of /", umount2("/", MNT_DETACH));
	try_write("the host's /proc", "/proc/sysrq-trigger", 0);
	try_read("the host's /sys", "/sys/kernel/uevent_seqnum");
	REFUSED("the host's /dev", open("/dev/kvm", O_RDWR));
	try_read("the secret", base_path("secret/key"));
}
