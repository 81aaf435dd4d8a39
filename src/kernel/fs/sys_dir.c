/* SPDX-License-Identifier: Apache-2.0 */
/* getdents(2), getcwd(2), chdir(2), chroot(2). */
#include "kernel/fs/internal.h"

#include "abi/linux/dirent.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sys/syscall.h"

struct getdents {
	struct dir_emit d; /* first */
	uptr_t buf;
	size_t room, used;
	bool old_layout;
	int error;
};

static bool getdents_emit(struct dir_emit *d, const char *name, size_t len, u64 ino, u32 type,
			  u64 off)
{
	struct getdents *g = container_of(d, struct getdents, d);
	union {
		struct linux_dirent64 e;
		struct linux_dirent o;
		u8 bytes[ALIGN_UP(19 + NAME_MAX + 2, 8)];
	} rec;
	size_t head = g->old_layout ? 18 : 19,
	       n = ALIGN_UP(head + len + (g->old_layout ? 2 : 1), (size_t)8);

	if (len > NAME_MAX || n > g->room - g->used) {
		g->error = g->used ? 0 : -EINVAL;
		return false;
	}
	memset(&rec, 0, n);
	rec.e.d_ino = ino;
	rec.e.d_off = (s64)off;
	rec.e.d_reclen = (u16)n;
	if (g->old_layout)
		rec.bytes[n - 1] = (u8)type;
	else
		rec.e.d_type = (u8)type;
	memcpy(rec.bytes + head, name, len);
	if (copy_to_user(g->buf + g->used, &rec, n) < 0) {
		g->error = g->used ? 0 : -EFAULT;
		return false;
	}
	g->used += n;
	return true;
}

static s64 do_getdents(const struct sysargs *a, bool old_layout)
{
	struct getdents g = { .d.emit = getdents_emit,
			      .buf = arg_ptr(a, 1),
			      .room = arg_u32(a, 2),
			      .old_layout = old_layout };
	struct file *f;
	int r = fd_get_io(arg_int(a, 0), &f);

	if (r < 0)
		return r;
	if (!f->ops->iterate)
		r = -ENOTDIR;
	else if (!FMODE_READ(f))
		r = -EBADF;
	else if (f->path.dentry->unhashed && !f->inode->nlink)
		r = -ENOENT;
	else
		r = f->ops->iterate(f, &g.d);
	file_unref(f);
	if (r < 0)
		return r;
	return g.used ? (s64)g.used : g.error;
}

sysret_t sys_getdents(const struct sysargs *a)
{
	return do_getdents(a, true);
}

sysret_t sys_getdents64(const struct sysargs *a)
{
	return do_getdents(a, false);
}

sysret_t sys_getcwd(const struct sysargs *a)
{
	struct fs_context *fs = current_fs();
	char *buf = kmalloc(PATH_MAX), *text;
	s64 r;

	if (!buf)
		return -ENOMEM;
	text = fs->cwd.dentry->unhashed ? NULL : path_string(&fs->cwd, NULL, buf, PATH_MAX);
	if (!text) {
		r = fs->cwd.dentry->unhashed ? -ENOENT : -ENAMETOOLONG;
	} else {
		r = (s64)strlen(text) + 1;
		if ((u64)r > arg_u64(a, 1))
			r = -ERANGE;
		else if (copy_to_user(arg_ptr(a, 0), text, (size_t)r) < 0)
			r = -EFAULT;
	}
	kfree(buf);
	return r;
}

static int enter_dir(struct path *p)
{
	int r = S_ISDIR(p->dentry->inode->mode) ? inode_permission(p->dentry->inode, MAY_EXEC)
						: -ENOTDIR;

	if (r < 0)
		path_unref(p);
	else
		path_set(&current_fs()->cwd, *p);
	return r;
}

sysret_t sys_chdir(const struct sysargs *a)
{
	struct path p;
	int r = user_path(AT_FDCWD, arg_ptr(a, 0), LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &p);

	return r < 0 ? r : enter_dir(&p);
}

sysret_t sys_fchdir(const struct sysargs *a)
{
	struct file *f = fd_get(arg_int(a, 0));
	struct path p;

	if (!f)
		return -EBADF;
	p = f->path;
	path_ref(&p);
	file_unref(f);
	return enter_dir(&p);
}

sysret_t sys_chroot(const struct sysargs *a)
{
	struct path p;
	int r = user_path(AT_FDCWD, arg_ptr(a, 0), LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &p);

	if (r < 0)
		return r;
	r = inode_permission(p.dentry->inode, MAY_EXEC);
	if (r == 0 && !cred_capable(current->cred, CAP_SYS_CHROOT))
		r = -EPERM;
	if (r < 0) {
		path_unref(&p);
		return r;
	}
	return path_set(&current_fs()->root, p);
}
