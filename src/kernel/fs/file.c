/* SPDX-License-Identifier: Apache-2.0 */
/* Open files. */
#include "kernel/fs/internal.h"

#include "abi/linux/mount.h"
#include "abi/linux/poll.h"
#include "abi/linux/resource.h"
#include "abi/linux/signal.h"
#include "kernel/fs/hooks.h"

static const struct file_ops path_only_ops = { 0 };

/* Open file descriptions in the whole sandbox: proc_sys_fs(5), file-nr. No privilege exceeds the limit. */
static u64 nr_files;

u64 files_count(void)
{
	return nr_files;
}

static int file_alloc(const struct path *p, u32 flags, struct file **ret)
{
	struct file *f;

	if (nr_files >= boot_config()->files_max)
		return -ENFILE;
	f = kzalloc(sizeof(*f));
	if (!f)
		return -ENOMEM;
	nr_files++;
	f->refs = 1;
	f->flags = flags & ~(u32)(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC);
	f->path = *p;
	path_ref(&f->path);
	f->inode = p->dentry->inode;
	f->ops = &path_only_ops;
	list_init(&f->epoll_items);
	*ret = f;
	return 0;
}

struct file *file_ref(struct file *f)
{
	f->refs++;
	return f;
}

static bool file_counts_as_writer(const struct file *f)
{
	return !(f->flags & O_PATH) && FMODE_WRITE(f) && S_ISREG(f->inode->mode);
}

static void file_free(struct file *f)
{
	path_unref(&f->path);
	kfree(f);
	nr_files--;
}

__hot void file_unref(struct file *f)
{
	if (!f)
		return;
	BUG_ON(f->refs == 0);
	if (f->refs > 1) {
		f->refs--;
		return;
	}
	/* The last reference stays while the hooks run: they may look at the file. */
	if (!list_empty(&f->epoll_items))
		epoll_file_released(f);
	locks_release_file(f);
	if (f->ops->release)
		f->ops->release(f);
	if (file_counts_as_writer(f) && f->inode->write_count)
		f->inode->write_count--;
	file_free(f);
}

int file_close(struct file *f, struct fdtable *owner)
{
	int r = 0;

	if (!(f->flags & O_PATH)) {
		if (f->ops->flush)
			r = f->ops->flush(f);
		locks_release_posix(f->inode, owner);
	}
	file_unref(f);
	return r;
}

static u32 open_access_mask(u32 flags)
{
	static const u8 masks[4] = { MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE,
				     MAY_READ | MAY_WRITE };

	return masks[flags & O_ACCMODE] | (flags & O_TRUNC ? MAY_WRITE : 0);
}

/* May current open what exists at p this way? open(2), ERRORS. */
int file_check_open(const struct path *p, u32 flags)
{
	struct inode *i = p->dentry->inode;
	u32 mask = open_access_mask(flags);
	int r;

	if (flags & O_PATH)
		return 0;
	if (S_ISLNK(i->mode))
		return -ELOOP;
	if (S_ISDIR(i->mode) && ((mask & MAY_WRITE) || (flags & O_CREAT)))
		return -EISDIR;
	if ((S_ISCHR(i->mode) || S_ISBLK(i->mode)) && (p->mnt->flags & MS_NODEV))
		return -EACCES;
	if ((mask & MAY_WRITE) && S_ISREG(i->mode)) {
		r = mount_want_write(p);
		if (r < 0)
			return r;
	}
	r = inode_permission(i, mask);
	if (r == 0 && (mask & MAY_WRITE) && S_ISREG(i->mode) && i->exec_count)
		r = -ETXTBSY;
	if (r == 0 && (flags & O_NOATIME) && !inode_owner_or_capable(i))
		r = -EPERM;
	return r;
}

static int open_ops(struct file *f)
{
	struct inode *i = f->inode;

	if (S_ISFIFO(i->mode) && !i->fops)
		return fifo_open(i, f);
	if (S_ISCHR(i->mode) && !i->fops) {
		f->ops = chrdev_lookup(i->rdev);
		if (!f->ops) {
			f->ops = &path_only_ops;
			return -ENXIO;
		}
		return f->ops->open ? f->ops->open(f) : 0;
	}
	if (S_ISBLK(i->mode) || S_ISSOCK(i->mode))
		return -ENXIO;
	if (i->fops)
		f->ops = i->fops;
	return i->ops && i->ops->open ? i->ops->open(i, f) : 0;
}

int file_open_path(const struct path *p, u32 flags, struct file **ret)
{
	struct file *f;
	int r;

	if (!p->dentry->inode)
		return -ENOENT;
	r = file_alloc(p, flags | (flags & O_PATH ? 0 : O_LARGEFILE), &f);
	if (r < 0)
		return r;
	if (!(flags & O_PATH))
		r = open_ops(f);
	if (r < 0) {
		file_free(f);
		return r;
	}
	if (file_counts_as_writer(f))
		f->inode->write_count++;
	*ret = f;
	return 0;
}

int file_new_on_path(const struct path *p, const struct file_ops *ops, u32 flags, void *private,
		     struct file **ret)
{
	struct file *f;
	int r = file_alloc(p, flags, &f);

	if (r < 0)
		return r;
	f->ops = ops;
	f->private = private;
	*ret = f;
	return 0;
}

/* pipefs and friends: the attributes are the inode's own. */
static int anon_setattr(struct inode *i, const struct inode_attr *a)
{
	if (a->valid & ATTR_SIZE)
		return -EINVAL;
	inode_set_owner_mode(i, a);
	return 0;
}

static const struct inode_ops anon_inode_ops = { .setattr = anon_setattr };

int file_new_anon(const char *name, const struct file_ops *ops, u32 mode, u32 flags, void *private,
		  struct file **ret)
{
	struct super *sb = anon_mount->sb;
	struct inode *i = inode_new(sb, sizeof(*i), mode);
	struct path p;
	int r;

	if (!i)
		return -ENOMEM;
	i->ops = &anon_inode_ops;
	inode_init_owner(i, NULL, mode);
	p.dentry = dentry_new(sb->root, name, strlen(name));
	if (!p.dentry) {
		inode_unref(i);
		return -ENOMEM;
	}
	p.dentry->inode = i;
	p.mnt = mount_ref(anon_mount);
	r = file_new_on_path(&p, ops, flags, private, ret);
	path_unref(&p);
	return r;
}

/* ---- data ---- */

__hot s64 file_read(struct file *f, struct uio *u, u64 *pos)
{
	if (!FMODE_READ(f))
		return -EBADF;
	if (!f->ops->read)
		return S_ISDIR(f->inode->mode) ? -EISDIR : -EINVAL;
	return f->ops->read(f, u, pos);
}

__hot s64 file_write(struct file *f, struct uio *u, u64 *pos)
{
	s64 n;

	if (!FMODE_WRITE(f))
		return -EBADF;
	if (!f->ops->write)
		return -EINVAL;
	n = f->ops->write(f, u, pos);
	if (n > 0 && (f->flags & O_DSYNC) && f->ops->fsync) {
		int r = f->ops->fsync(f, !(f->flags & __O_SYNC));

		if (r < 0)
			return r;
	}
	return n;
}

s64 file_pread(struct file *f, void *kbuf, size_t n, u64 off)
{
	size_t done = 0;

	if (!f->ops->read)
		return -EINVAL;
	while (done < n) {
		struct uio u;
		s64 got;

		uio_kernel(&u, (u8 *)kbuf + done, n - done);
		got = f->ops->read(f, &u, &off);
		if (got < 0)
			return done ? (s64)done : got;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (s64)done;
}

/* setrlimit(2), RLIMIT_FSIZE: the signal, and EFBIG if it is handled. */
int file_write_limit(u64 pos, u64 *n)
{
	u64 limit = current ? task_rlimit(current, RLIMIT_FSIZE) : ~0ull;

	if (*n == 0)
		return 0;
	if (pos >= limit) {
		signal_send_task(current, SIGXFSZ, NULL);
		return -EFBIG;
	}
	if (pos >= FILE_MAX_BYTES)
		return -EFBIG;
	limit = MIN(limit, (u64)FILE_MAX_BYTES);
	*n = MIN(*n, limit - pos);
	return 0;
}

s64 file_llseek_generic(struct file *f, s64 off, int whence)
{
	s64 base;

	switch (whence) {
	case SEEK_SET:
		base = 0;
		break;
	case SEEK_CUR:
		base = (s64)f->pos;
		break;
	case SEEK_END:
		base = (s64)f->inode->size;
		break;
	case SEEK_DATA:
		if (off < 0 || (u64)off >= f->inode->size)
			return -ENXIO;
		base = 0;
		break;
	case SEEK_HOLE:
		if (off < 0 || (u64)off >= f->inode->size)
			return -ENXIO;
		base = 0;
		off = (s64)f->inode->size;
		break;
	default:
		return -EINVAL;
	}
	if (__builtin_add_overflow(base, off, &off))
		return -EOVERFLOW;
	if (off < 0)
		return -EINVAL;
	f->pos = (u64)off;
	return off;
}

u32 file_poll(struct file *f, struct poll_table *pt)
{
	if (f->flags & O_PATH)
		return POLLNVAL;
	if (!f->ops->poll)
		return POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
	return f->ops->poll(f, pt);
}

/* ---- open by name ---- */

static int truncate_at_open(struct file *f)
{
	struct inode_attr a = { .valid = ATTR_SIZE | ATTR_MTIME, .size = 0 };

	if (!S_ISREG(f->inode->mode))
		return 0;
	inode_now(&a.mtime_s, &a.mtime_ns);
	return vfs_setattr(f->inode, &a);
}

static int open_existing(const struct path *p, u32 flags, bool created, struct file **ret)
{
	struct file *f;
	int r = created ? 0 : file_check_open(p, flags);

	if (r < 0)
		return r;
	if ((flags & O_DIRECTORY) && !S_ISDIR(p->dentry->inode->mode))
		return -ENOTDIR;
	r = file_open_path(p, flags, &f);
	if (r < 0)
		return r;
	if ((flags & O_TRUNC) && !created && !(flags & O_PATH)) {
		r = truncate_at_open(f);
		if (r < 0) {
			file_unref(f);
			return r;
		}
	}
	*ret = f;
	return 0;
}

static int open_tmpfile(int dirfd, const char *name, u32 flags, u32 mode, u32 lookup,
			struct file **ret)
{
	struct path dir, p;
	struct inode *i = NULL;
	int r = path_lookup(dirfd, name, lookup | LOOKUP_DIRECTORY, &dir);

	if (r < 0)
		return r;
	r = mount_want_write(&dir);
	if (r == 0)
		r = inode_permission(dir.dentry->inode, MAY_WRITE | MAY_EXEC);
	if (r == 0)
		r = dir.dentry->inode->ops->tmpfile
			    ? dir.dentry->inode->ops->tmpfile(
				      dir.dentry->inode,
				      S_IFREG | (mode & ~current_fs()->umask & 07777), &i)
			    : -EOPNOTSUPP;
	if (r == 0) {
		p = (struct path){ mount_ref(dir.mnt), dentry_new(dir.dentry, "#tmpfile", 8) };
		if (p.dentry) {
			p.dentry->inode = i;
			p.dentry->unhashed = true;
			r = open_existing(&p, flags & ~(u32)O_DIRECTORY, true, ret);
		} else {
			inode_unref(i);
			r = -ENOMEM;
		}
		path_unref(&p);
	}
	path_unref(&dir);
	return r;
}

/* The last component is known: open it, make it, or (1) go on through the symlink it is. */
static int open_last(struct nameidata *nd, u32 flags, u32 mode, struct file **ret)
{
	struct path p;
	bool created = false;
	int r;

	if (nd->last_type != LAST_NORMAL && (flags & O_EXCL))
		return -EEXIST;
	if (nd->last_type != LAST_NORMAL)
		return nd->last_type == LAST_ROOT ? open_existing(&nd->path, flags, false, ret)
						  : -EISDIR;
	if (nd->trailing)
		return -EISDIR;
	r = nd_last(nd, &p);
	if (r < 0)
		return r;
	if (!p.dentry->inode) {
		r = vfs_create(&nd->path, p.dentry, S_IFREG | (mode & 07777), 0);
		created = true;
	} else if (flags & O_EXCL) {
		r = -EEXIST;
	} else if (S_ISLNK(p.dentry->inode->mode)) {
		r = nd->flags & LOOKUP_FOLLOW ? nd_follow_last(nd, p.dentry) : -ELOOP;
		path_unref(&p);
		return r < 0 ? r : 1;
	}
	if (r == 0)
		r = open_existing(&p, flags, created, ret);
	path_unref(&p);
	return r;
}

static int open_create(int dirfd, const char *name, u32 flags, u32 mode, u32 lookup,
		       struct file **ret)
{
	struct nameidata nd;
	int r = nd_init(&nd, dirfd, name, lookup | LOOKUP_PARENT);

	if (r == 0) {
		do {
			r = nd_walk(&nd);
			if (r == 0)
				r = open_last(&nd, flags, mode, ret);
		} while (r == 1);
	}
	nd_done(&nd);
	return r;
}

int file_open(int dirfd, const char *name, u32 flags, u32 mode, u32 lookup, struct file **ret)
{
	struct path p;
	int r;

	if (flags & O_PATH)
		flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	if (!(flags & O_NOFOLLOW) && (flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL))
		lookup |= LOOKUP_FOLLOW;
	if (flags & O_DIRECTORY)
		lookup |= LOOKUP_DIRECTORY;
	if (flags & __O_TMPFILE)
		return open_tmpfile(dirfd, name, flags, mode, lookup, ret);
	if (flags & O_CREAT)
		return open_create(dirfd, name, flags, mode, lookup, ret);
	r = path_lookup(dirfd, name, lookup, &p);
	if (r < 0)
		return r;
	r = open_existing(&p, flags, false, ret);
	path_unref(&p);
	return r;
}
