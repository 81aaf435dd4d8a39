/* SPDX-License-Identifier: Apache-2.0 */
/* mount(2), umount2(2): tmpfs, proc, bind mounts and remounting read-only, for the sandbox's root. */
#include "kernel/fs/internal.h"

#include "abi/linux/mount.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sys/syscall.h"

#define MOUNT_FLAGS_KEPT (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC)
#define FSTYPE_MAX       32

static int mount_new_fs(const char *type, const struct path *at, u32 flags)
{
	struct super *sb;
	int r;

	if (str_equal(type, "tmpfs") || str_equal(type, "ramfs"))
		r = memfs_super_new(0, 0, "tmpfs", &sb);
	else if (str_equal(type, "proc"))
		r = procfs_super_new(&sb);
	else
		return -ENODEV;
	if (r < 0)
		return r;
	if (!S_ISDIR(at->dentry->inode->mode))
		return -ENOTDIR;
	return mount_add(sb, at, flags, type);
}

static int do_mount(const struct sysargs *a, const struct path *at, u64 flags)
{
	char type[FSTYPE_MAX] = "";
	struct path from;
	int r;

	if (flags & MS_REMOUNT) {
		if (at->dentry != at->mnt->root)
			return -EINVAL;
		if (at->mnt->kept_flags & ~flags)
			return -EPERM; /* mount_namespaces(7): locked flags */
		at->mnt->flags = flags & MOUNT_FLAGS_KEPT;
		return 0;
	}
	if (flags & (MS_PRIVATE | MS_SLAVE | MS_SHARED | MS_UNBINDABLE))
		return 0; /* there is one mount namespace: nothing propagates */
	if (flags & MS_MOVE)
		return -EINVAL;
	if (flags & MS_BIND) {
		r = user_path(AT_FDCWD, arg_ptr(a, 0), LOOKUP_FOLLOW, &from);
		if (r < 0)
			return r;
		r = vfs_mount_bind(&from, at, flags & MOUNT_FLAGS_KEPT);
		path_unref(&from);
		return r;
	}
	r = arg_ptr(a, 2) ? (int)strncpy_from_user(type, arg_ptr(a, 2), sizeof(type)) : -EINVAL;
	return r < 0 ? (r == -ENAMETOOLONG ? -ENODEV : r)
		     : mount_new_fs(type, at, flags & MOUNT_FLAGS_KEPT);
}

sysret_t sys_mount(const struct sysargs *a)
{
	struct path at;
	int r;

	if (!cred_capable(current->cred, CAP_SYS_ADMIN))
		return -EPERM;
	r = user_path(AT_FDCWD, arg_ptr(a, 1), LOOKUP_FOLLOW, &at);
	if (r < 0)
		return r;
	r = do_mount(a, &at, arg_u64(a, 3));
	path_unref(&at);
	return r;
}

sysret_t sys_umount2(const struct sysargs *a)
{
	u32 flags = arg_u32(a, 1);
	struct path p;
	int r;

	if (!cred_capable(current->cred, CAP_SYS_ADMIN))
		return -EPERM;
	if (flags & ~(u32)(MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW))
		return -EINVAL;
	r = user_path(AT_FDCWD, arg_ptr(a, 0), flags & UMOUNT_NOFOLLOW ? 0 : LOOKUP_FOLLOW, &p);
	if (r < 0)
		return r;
	r = vfs_umount(&p, flags & MNT_DETACH);
	path_unref(&p);
	return r;
}
