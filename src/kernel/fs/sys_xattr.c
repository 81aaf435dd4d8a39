/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extended attributes: no file has any. Reading answers as for a file without them, setting as a file system without support;
 * file handles are not given out either.
 */
#include "kernel/fs/internal.h"

#include "kernel/mm/uaccess.h"
#include "kernel/sys/syscall.h"

static int xattr_name_check(uptr_t name)
{
	char buf[XATTR_NAME_MAX + 1];
	s64 n = strncpy_from_user(buf, name, sizeof(buf));

	if (n < 0)
		return n == -ENAMETOOLONG ? -ERANGE : (int)n;
	if (n == 0)
		return -ERANGE;
	if (str_starts_with(buf, "user.") || str_starts_with(buf, "trusted.") ||
	    str_starts_with(buf, "security.") || str_starts_with(buf, "system."))
		return 0;
	return -EOPNOTSUPP;
}

static s64 xattr_at(uptr_t path, u32 lookup, s64 answer)
{
	struct path p;
	int r = user_path(AT_FDCWD, path, lookup, &p);

	if (r < 0)
		return r;
	path_unref(&p);
	return answer;
}

static s64 xattr_fd(int fd, s64 answer)
{
	struct file *f;
	int r = fd_get_io(fd, &f);

	if (r < 0)
		return r;
	file_unref(f);
	return answer;
}

/* POSIX ACLs and the like are "not supported", other names "not there". */
static s64 xattr_get_answer(uptr_t name)
{
	char buf[XATTR_NAME_MAX + 1];
	int r = xattr_name_check(name);

	if (r < 0)
		return r;
	r = (int)strncpy_from_user(buf, name, sizeof(buf));
	if (r < 0)
		return r;
	return str_starts_with(buf, "system.") && !str_starts_with(buf, "system.posix_acl_")
		       ? -EOPNOTSUPP
		       : -ENODATA;
}

sysret_t sys_getxattr(const struct sysargs *a)
{
	return xattr_at(arg_ptr(a, 0), LOOKUP_FOLLOW, xattr_get_answer(arg_ptr(a, 1)));
}

sysret_t sys_lgetxattr(const struct sysargs *a)
{
	return xattr_at(arg_ptr(a, 0), 0, xattr_get_answer(arg_ptr(a, 1)));
}

sysret_t sys_fgetxattr(const struct sysargs *a)
{
	return xattr_fd(arg_int(a, 0), xattr_get_answer(arg_ptr(a, 1)));
}

sysret_t sys_listxattr(const struct sysargs *a)
{
	return xattr_at(arg_ptr(a, 0), LOOKUP_FOLLOW, 0);
}

sysret_t sys_llistxattr(const struct sysargs *a)
{
	return xattr_at(arg_ptr(a, 0), 0, 0);
}

sysret_t sys_flistxattr(const struct sysargs *a)
{
	return xattr_fd(arg_int(a, 0), 0);
}

sysret_t sys_setxattr(const struct sysargs *a)
{
	return xattr_at(arg_ptr(a, 0), LOOKUP_FOLLOW, -EOPNOTSUPP);
}

sysret_t sys_lsetxattr(const struct sysargs *a)
{
	return xattr_at(arg_ptr(a, 0), 0, -EOPNOTSUPP);
}

sysret_t sys_fsetxattr(const struct sysargs *a)
{
	return xattr_fd(arg_int(a, 0), -EOPNOTSUPP);
}

sysret_t sys_removexattr(const struct sysargs *a)
{
	return xattr_at(arg_ptr(a, 0), LOOKUP_FOLLOW, -EOPNOTSUPP);
}

sysret_t sys_lremovexattr(const struct sysargs *a)
{
	return xattr_at(arg_ptr(a, 0), 0, -EOPNOTSUPP);
}

sysret_t sys_fremovexattr(const struct sysargs *a)
{
	return xattr_fd(arg_int(a, 0), -EOPNOTSUPP);
}

sysret_t sys_name_to_handle_at(const struct sysargs *a)
{
	(void)a;
	return -EOPNOTSUPP;
}
