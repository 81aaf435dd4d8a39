/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounts file systems that would show the host: sysfs, devtmpfs, debugfs, tracefs, securityfs, cgroup2, 9p, nfs, fuse, ext4, overlay, bpf, binfmt_misc.
 * Stopped by: our kernel knows tmpfs and proc, and only its own.
 */
#include <sys/mount.h>

#include "escape/escape.h"

static void attempt(void)
{
	static const char *const types[] = { "sysfs",     "devtmpfs", "debugfs",     "tracefs",
					     "securityfs", "cgroup",   "cgroup2",     "9p",
					     "virtiofs",   "nfs",      "cifs",        "fuse",
					     "ext4",       "vfat",     "iso9660",     "squashfs",
					     "overlay",    "bpf",      "binfmt_misc", "pstore",
					     "efivarfs",   "configfs", "hugetlbfs",   "hostfs",
					     "mqueue",     "devpts" };

	OK(mkdir("/mnt2", 0755));
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		REFUSED(types[i], mount("/dev/vda", "/mnt2", types[i], 0, ""));
	OK(mount("proc", "/mnt2", "proc", 0, NULL));
	try_read("a second proc", "/mnt2/kcore");
}
