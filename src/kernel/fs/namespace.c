/* SPDX-License-Identifier: Apache-2.0 */
/* Making, removing and renaming names, with the checks that are the VFS's. */
#include "kernel/fs/internal.h"

int vfs_may_create(const struct path *dir, const struct dentry *d)
{
	struct inode *i = dir->dentry->inode;
	int r;

	if (d->inode)
		return -EEXIST;
	/* A file system that makes its own names (proc) knows no others: ENOENT, as on Linux. */
	if (dir->dentry->unhashed || !i->ops->create)
		return -ENOENT;
	r = mount_want_write(dir);
	return r < 0 ? r : inode_permission(i, MAY_WRITE | MAY_EXEC);
}

/* unlink(2), rmdir(2), rename(2): EPERM by the sticky bit. */
static bool sticky_forbids(const struct inode *dir, const struct inode *victim)
{
	const struct cred *c = current ? current->cred : NULL;

	if (!c || !(dir->mode & S_ISVTX) || c->fsuid == victim->uid || c->fsuid == dir->uid)
		return false;
	return !cred_capable(c, CAP_FOWNER);
}

int vfs_may_delete(struct inode *dir, const struct dentry *d, bool is_dir)
{
	int r;

	if (!d->inode)
		return -ENOENT;
	r = inode_permission(dir, MAY_WRITE | MAY_EXEC);
	if (r < 0)
		return r;
	if (sticky_forbids(dir, d->inode))
		return -EPERM;
	if (is_dir && !S_ISDIR(d->inode->mode))
		return -ENOTDIR;
	if (!is_dir && S_ISDIR(d->inode->mode))
		return -EISDIR;
	return d->mounted ? -EBUSY : 0;
}

static int create_done(struct dentry *d, struct inode *i, int r)
{
	if (r == 0)
		dentry_attach(d, i);
	return r;
}

int vfs_create(const struct path *dir, struct dentry *d, u32 mode, u64 rdev)
{
	struct inode *parent = dir->dentry->inode, *i = NULL;
	int r = vfs_may_create(dir, d);

	if (r < 0)
		return r;
	r = parent->ops->create(parent, d, mode & ~current_fs()->umask, rdev, &i);
	return create_done(d, i, r);
}

int vfs_mkdir(const struct path *dir, struct dentry *d, u32 mode)
{
	struct inode *parent = dir->dentry->inode, *i = NULL;
	int r = vfs_may_create(dir, d);

	if (r < 0)
		return r;
	if (!parent->ops->mkdir)
		return -EPERM;
	r = parent->ops->mkdir(parent, d, S_IFDIR | (mode & 01777 & ~current_fs()->umask), &i);
	return create_done(d, i, r);
}

int vfs_symlink(const struct path *dir, struct dentry *d, const char *target)
{
	struct inode *parent = dir->dentry->inode, *i = NULL;
	int r = vfs_may_create(dir, d);

	if (r < 0)
		return r;
	if (!parent->ops->symlink)
		return -EPERM;
	r = parent->ops->symlink(parent, d, target, &i);
	return create_done(d, i, r);
}

int vfs_link(const struct path *target, const struct path *dir, struct dentry *d)
{
	struct inode *parent = dir->dentry->inode, *i = target->dentry->inode;
	int r = vfs_may_create(dir, d);

	if (r < 0)
		return r;
	if (target->mnt != dir->mnt)
		return -EXDEV;
	if (S_ISDIR(i->mode) || !parent->ops->link)
		return -EPERM;
	r = parent->ops->link(parent, d, i);
	return r < 0 ? r : create_done(d, inode_ref(i), 0);
}

int vfs_unlink(const struct path *dir, struct dentry *d)
{
	struct inode *parent = dir->dentry->inode;
	int r = mount_want_write(dir);

	if (r == 0)
		r = vfs_may_delete(parent, d, false);
	if (r < 0)
		return r;
	if (!parent->ops->unlink)
		return -EPERM;
	r = parent->ops->unlink(parent, d);
	if (r == 0)
		dentry_drop(d);
	return r;
}

int vfs_rmdir(const struct path *dir, struct dentry *d)
{
	struct inode *parent = dir->dentry->inode;
	int r = mount_want_write(dir);

	if (r == 0)
		r = vfs_may_delete(parent, d, true);
	if (r < 0)
		return r;
	if (!parent->ops->rmdir)
		return -EPERM;
	r = parent->ops->rmdir(parent, d);
	if (r == 0)
		dentry_drop(d);
	return r;
}

/* Is `d` at or above `below`? */
bool dentry_is_above(const struct dentry *d, const struct dentry *below)
{
	for (;; below = below->parent) {
		if (d == below)
			return true;
		if (below->parent == below)
			return false;
	}
}

static int rename_check_target(const struct path *new_dir, struct dentry *old, struct dentry *new_d,
			       u32 flags)
{
	struct inode *dir = new_dir->dentry->inode;
	bool is_dir = S_ISDIR(old->inode->mode);

	if (!new_d->inode)
		return vfs_may_create(new_dir, new_d);
	if (flags & RENAME_EXCHANGE)
		return vfs_may_delete(dir, new_d, S_ISDIR(new_d->inode->mode));
	return vfs_may_delete(dir, new_d, is_dir);
}

/* Moving a directory elsewhere changes its "..": it must be writable itself. */
static int rename_check_dotdot(const struct dentry *d, bool moves)
{
	return moves && S_ISDIR(d->inode->mode) ? inode_permission(d->inode, MAY_WRITE) : 0;
}

int vfs_rename(const struct path *old_dir, struct dentry *old, const struct path *new_dir,
	       struct dentry *new_d, u32 flags)
{
	struct inode *from = old_dir->dentry->inode, *to = new_dir->dentry->inode;
	int r = mount_want_write(old_dir);

	if (r < 0)
		return r;
	if (!old->inode || (!new_d->inode && (flags & RENAME_EXCHANGE)))
		return -ENOENT;
	if (new_d->inode && (flags & RENAME_NOREPLACE))
		return -EEXIST;
	if (S_ISDIR(old->inode->mode) && dentry_is_above(old, new_dir->dentry))
		return -EINVAL;
	if (new_d->inode && dentry_is_above(new_d, old_dir->dentry))
		return flags & RENAME_EXCHANGE ? -EINVAL : -ENOTEMPTY;
	if (old->inode == new_d->inode)
		return 0; /* rename(2): two names of one file stay as they are */
	r = vfs_may_delete(from, old, S_ISDIR(old->inode->mode));
	if (r == 0)
		r = rename_check_target(new_dir, old, new_d, flags);
	if (r == 0)
		r = rename_check_dotdot(old, from != to);
	if (r == 0 && (flags & RENAME_EXCHANGE))
		r = rename_check_dotdot(new_d, from != to);
	if (r < 0)
		return r;
	if (!from->ops->rename)
		return -EPERM;
	r = from->ops->rename(from, old, to, new_d, flags);
	if (r < 0)
		return r;
	return flags & RENAME_EXCHANGE ? dentry_exchange(old, new_d) : dentry_move(old, new_d);
}
