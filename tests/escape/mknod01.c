/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes device nodes of memory, KVM and a disk, in the writable layer, in a tmpfs and in the writable bind, and opens them.
 * Stopped by: in the bind no node is made; elsewhere our kernel knows no such device.
 * Escape-Expect: stopped: EPERM from mknod of memory in the bind
 * Escape-Expect: stopped: EPERM from mknod of kvm in the bind
 * Escape-Expect: stopped: EPERM from mknod of a disk in the bind
 * Escape-Expect: stopped: ENXIO from open of memory in the layer
 * Escape-Expect: stopped: ENXIO from open of kvm in the layer
 * Escape-Expect: stopped: ENXIO from open of a disk in the layer
 * Escape-Expect: stopped: EACCES from open of memory in a tmpfs
 * Escape-Expect: stopped: EACCES from open of kvm in a tmpfs
 * Escape-Expect: stopped: EACCES from open of a disk in a tmpfs
 * Escape-Expect: stopped: ENXIO from open of memory in /dev
 */
#include <sys/sysmacros.h>

#include "escape/escape.h"

static void try_node(const char *what, const char *path, mode_t type, dev_t dev)
{
	char text[96];
	int fd;

	if (mknod(path, type | 0666, dev) < 0) {
		snprintf(text, sizeof(text), "mknod of %s", what);
		judge_call(text, -1);
		return;
	}
	fd = open(path, O_RDWR | O_NONBLOCK);
	snprintf(text, sizeof(text), "open of %s", what);
	judge_call(text, fd);
}

void attempt(void)
{
	try_node("memory in the bind", base_path("box/mem"), S_IFCHR, makedev(1, 1));
	try_node("kvm in the bind", base_path("box/kvm"), S_IFCHR, makedev(10, 232));
	try_node("a disk in the bind", base_path("box/disk"), S_IFBLK, makedev(254, 0));
	try_node("memory in the layer", "/mem", S_IFCHR, makedev(1, 1));
	try_node("kvm in the layer", "/kvm", S_IFCHR, makedev(10, 232));
	try_node("a disk in the layer", "/disk", S_IFBLK, makedev(254, 0));
	try_node("memory in a tmpfs", "/dev/shm/mem", S_IFCHR, makedev(1, 1));
	try_node("kvm in a tmpfs", "/dev/shm/kvm", S_IFCHR, makedev(10, 232));
	try_node("a disk in a tmpfs", "/dev/shm/disk", S_IFBLK, makedev(254, 0));
	try_node("memory in /dev", "/dev/mem", S_IFCHR, makedev(1, 1));
}
