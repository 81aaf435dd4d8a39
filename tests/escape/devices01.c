/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opens devices of the host: /dev/kvm, disks, tun, fuse, vhost, loop control, input, frame buffer, watchdog; looks for block devices in /dev.
 * Stopped by: /dev is our kernel's own, and holds the few devices that it implements.
 * Escape-Expect: stopped: ENOENT from /dev/kvm
 * Escape-Expect: stopped: ENOENT from /dev/sda
 * Escape-Expect: stopped: ENOENT from /dev/vda
 * Escape-Expect: stopped: ENOENT from /dev/nvme0n1
 * Escape-Expect: stopped: ENOENT from /dev/loop0
 * Escape-Expect: stopped: ENOENT from /dev/loop-control
 * Escape-Expect: stopped: ENOENT from /dev/mapper/control
 * Escape-Expect: stopped: ENOENT from /dev/net/tun
 * Escape-Expect: stopped: ENOENT from /dev/fuse
 * Escape-Expect: stopped: ENOENT from /dev/vhost-net
 * Escape-Expect: stopped: ENOENT from /dev/vhost-vsock
 * Escape-Expect: stopped: ENOENT from /dev/vsock
 * Escape-Expect: stopped: ENOENT from /dev/vfio/vfio
 * Escape-Expect: stopped: ENOENT from /dev/input/event0
 * Escape-Expect: stopped: ENOENT from /dev/uinput
 * Escape-Expect: stopped: ENOENT from /dev/fb0
 * Escape-Expect: stopped: ENOENT from /dev/watchdog
 * Escape-Expect: stopped: ENOENT from /dev/rtc0
 * Escape-Expect: stopped: ENOENT from /dev/snapshot
 * Escape-Expect: stopped: ENOENT from /dev/btrfs-control
 * Escape-Expect: stopped: ENOENT from /dev/ptmx
 * Escape-Expect: stopped: ENOENT from /dev/userfaultfd
 * Escape-Expect: stopped: ENOENT from /dev/tty0
 * Escape-Expect: stopped: ENOENT from /dev/vcs
 * Escape-Expect: stopped: ENOENT from /dev/cuse
 * Escape-Expect: stopped: ENOENT from /dev/dma_heap/system
 * Escape-Expect: stopped: only memory and terminal devices in /dev
 */
#include <dirent.h>
#include <sys/sysmacros.h>

#include "escape/escape.h"

static void look_around(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *d;
	struct stat st;
	int unknown = 0;

	CHECK(dir != NULL);
	while ((d = readdir(dir))) {
		OK(fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW));
		if (S_ISBLK(st.st_mode))
			escaped("block device %s", d->d_name);
		unknown += S_ISCHR(st.st_mode) && major(st.st_rdev) != 1 && major(st.st_rdev) != 5;
	}
	closedir(dir);
	if (unknown)
		escaped("%d unknown character devices", unknown);
	stopped("only memory and terminal devices in %s", path);
}

void attempt(void)
{
	static const char *const paths[] = { "/dev/kvm",
					     "/dev/sda",
					     "/dev/vda",
					     "/dev/nvme0n1",
					     "/dev/loop0",
					     "/dev/loop-control",
					     "/dev/mapper/control",
					     "/dev/net/tun",
					     "/dev/fuse",
					     "/dev/vhost-net",
					     "/dev/vhost-vsock",
					     "/dev/vsock",
					     "/dev/vfio/vfio",
					     "/dev/input/event0",
					     "/dev/uinput",
					     "/dev/fb0",
					     "/dev/watchdog",
					     "/dev/rtc0",
					     "/dev/snapshot",
					     "/dev/btrfs-control",
					     "/dev/ptmx",
					     "/dev/userfaultfd",
					     "/dev/tty0",
					     "/dev/vcs",
					     "/dev/cuse",
					     "/dev/dma_heap/system" };

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		REFUSED(paths[i], open(paths[i], O_RDWR | O_NONBLOCK));
	look_around("/dev");
}
