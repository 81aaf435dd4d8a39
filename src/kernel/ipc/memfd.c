/* SPDX-License-Identifier: Apache-2.0 */
/* memfd_create(2). */
#include "abi/linux/errno.h"
#include "abi/linux/fcntl.h"
#include "abi/linux/limits.h"
#include "abi/linux/mman.h"
#include "base/string.h"
#include "kernel/fs/vfs.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sys/syscall.h"

#define MEMFD_PREFIX   "/memfd:"
#define MEMFD_NAME_MAX 249u /* memfd_create(2), ERRORS */

static int memfd_new(const char *name, u32 flags, struct file **ret)
{
	int r = memfs_new_file(name, 0, O_RDWR | O_LARGEFILE, ret);

	if (r < 0)
		return r;
	(*ret)->inode->mode = S_IFREG | 0777;
	r = flags & MFD_ALLOW_SEALING ? memfs_allow_sealing(*ret) : 0;
	if (r < 0)
		file_unref(*ret);
	return r;
}

sysret_t sys_memfd_create(const struct sysargs *a)
{
	char name[sizeof(MEMFD_PREFIX) + MEMFD_NAME_MAX];
	u32 flags = arg_u32(a, 1);
	struct file *f;
	s64 r;

	if (flags & ~(u32)(MFD_CLOEXEC | MFD_ALLOW_SEALING))
		return flags & MFD_HUGETLB ? -ENOSYS : -EINVAL;
	memcpy(name, MEMFD_PREFIX, sizeof(MEMFD_PREFIX));
	r = strncpy_from_user(name + sizeof(MEMFD_PREFIX) - 1, arg_ptr(a, 0), MEMFD_NAME_MAX + 1);
	if (r < 0)
		return r == -ENAMETOOLONG ? -EINVAL : r;
	r = memfd_new(name, flags, &f);
	if (r < 0)
		return r;
	r = fd_install(f, flags & MFD_CLOEXEC ? O_CLOEXEC : 0, 0);
	if (r < 0)
		file_unref(f);
	return r;
}
