/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opens a file by its handle: name_to_handle_at(2), then open_by_handle_at(2) with handles of its own making, as "shocker" did.
 * Stopped by: our kernel opens no file by handle.
 * Escape-Expect: stopped: EPERM from open_by_handle_at
 * Escape-Expect: stopped: EPERM from open_by_handle_at of a cwd
 * Escape-Expect: stopped: EOPNOTSUPP from name_to_handle_at
 */
#include "escape/escape.h"

void attempt(void)
{
	struct {
		struct file_handle head;
		unsigned char bytes[128];
	} h = { .head = { .handle_bytes = 8, .handle_type = 1 } };
	int dir = OK(open(base_path("box"), O_RDONLY | O_DIRECTORY)), mount_id;

	/* Inode 2 is the root of most disks. */
	h.bytes[0] = 2;
	REFUSED("open_by_handle_at", open_by_handle_at(dir, &h.head, O_RDONLY));
	REFUSED("open_by_handle_at of a cwd", open_by_handle_at(AT_FDCWD, &h.head, O_RDONLY));
	h.head.handle_bytes = sizeof(h.bytes);
	REFUSED("name_to_handle_at", name_to_handle_at(dir, ".", &h.head, &mount_id, 0));
}
