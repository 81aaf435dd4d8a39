/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Uses the newer mount calls: fsopen, fsconfig, fsmount, fspick, open_tree, move_mount, mount_setattr.
 * Stopped by: our kernel does not have them.
 * Escape-Expect: stopped: no such call: fsopen
 * Escape-Expect: stopped: no such call: fsconfig
 * Escape-Expect: stopped: no such call: fsmount
 * Escape-Expect: stopped: no such call: fspick
 * Escape-Expect: stopped: no such call: open_tree
 * Escape-Expect: stopped: no such call: move_mount
 * Escape-Expect: stopped: no such call: mount_setattr
 */
#include <linux/mount.h>

#include "escape/escape.h"

void attempt(void)
{
	struct {
		uint64_t set, clear, propagation, userns;
	} attr = { .clear = 1 };

	REFUSED("fsopen", syscall(SYS_fsopen, "ext4", 0));
	REFUSED("fsconfig", syscall(SYS_fsconfig, 3, 0, "source", "/dev/vda", 0));
	REFUSED("fsmount", syscall(SYS_fsmount, 3, 0, 0));
	REFUSED("fspick", syscall(SYS_fspick, AT_FDCWD, "/", 0));
	REFUSED("open_tree",
		syscall(SYS_open_tree, AT_FDCWD, base_path(""), 1 /* OPEN_TREE_CLONE */));
	REFUSED("move_mount", syscall(SYS_move_mount, AT_FDCWD, "/", AT_FDCWD, "/proc", 0));
	REFUSED("mount_setattr",
		syscall(SYS_mount_setattr, AT_FDCWD, base_path("shelf"), 0, &attr, sizeof(attr)));
}
