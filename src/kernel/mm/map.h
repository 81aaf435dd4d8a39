/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "abi/linux/mount.h"
#include "kernel/fs/vfs.h"

/* mount(8), noexec */
static inline bool file_noexec(const struct file *f)
{
	return f->path.mnt && (f->path.mnt->flags & MS_NOEXEC);
}
