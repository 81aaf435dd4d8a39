/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounts file systems that would show the host: sysfs, devtmpfs, debugfs, tracefs, securityfs, cgroup2, 9p, nfs, fuse, ext4, overlay, bpf, binfmt_misc.
 * Stopped by: our kernel knows tmpfs and proc, and only its own.
 * Escape-Expect: stopped: ENODEV from sysfs
 * Escape-Expect: stopped: ENODEV from devtmpfs
 * Escape-Expect: stopped: ENODEV from debugfs
 * Escape-Expect: stopped: ENODEV from tracefs
 * Escape-Expect: stopped: ENODEV from securityfs
 * Escape-Expect: stopped: ENODEV from cgroup
 * Escape-Expect: stopped: ENODEV from cgroup2
 * Escape-Expect: stopped: ENODEV from 9p
 * Escape-Expect: stopped: ENODEV from virtiofs
 * Escape-Expect: stopped: ENODEV from nfs
 * Escape-Expect: stopped: ENODEV from cifs
 * Escape-Expect: stopped: ENODEV from fuse
 * Escape-Expect: stopped: ENODEV from ext4
 * Escape-Expect: stopped: ENODEV from vfat
 * Escape-Expect: stopped: ENODEV from iso9660
 * Escape-Expect: stopped: ENODEV from squashfs
 * Escape-Expect: stopped: ENODEV from overlay
 * Escape-Expect: stopped: ENODEV from bpf
 * Escape-Expect: stopped: ENODEV from binfmt_misc
 * Escape-Expect: stopped: ENODEV from pstore
 * Escape-Expect: stopped: ENODEV from efivarfs
 * Escape-Expect: stopped: ENODEV from configfs
 * Escape-Expect: stopped: ENODEV from hugetlbfs
 * Escape-Expect: stopped: ENODEV from hostfs
 * Escape-Expect: stopped: ENODEV from mqueue
 * Escape-Expect: stopped: ENODEV from devpts
 * Escape-Expect: stopped: ENOENT from a second proc
 */
#include <sys/mount.h>

#include "escape/escape.h"

void attempt(void)
{
	static const char *const types[] = {
		"sysfs",    "devtmpfs",  "debugfs", "tracefs", "securityfs",  "cgroup", "cgroup2",
		"9p",       "virtiofs",  "nfs",     "cifs",    "fuse",        "ext4",   "vfat",
		"iso9660",  "squashfs",  "overlay", "bpf",     "binfmt_misc", "pstore", "efivarfs",
		"configfs", "hugetlbfs", "hostfs",  "mqueue",  "devpts"
	};

	OK(mkdir("/mnt2", 0755));
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		REFUSED(types[i], mount("/dev/vda", "/mnt2", types[i], 0, ""));
	OK(mount("proc", "/mnt2", "proc", 0, NULL));
	try_read("a second proc", "/mnt2/kcore");
}
