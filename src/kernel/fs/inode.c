/* SPDX-License-Identifier: Apache-2.0 */
/* Inodes: references, permission checks, attributes. */
#include "kernel/fs/internal.h"

#include "abi/linux/dirent.h"
#include "abi/linux/kdev.h"
#include "kernel/core/time.h"

u64 super_new_dev(void)
{
	static u32 next_minor = 20;

	return kdev_make(UNNAMED_MAJOR, next_minor++);
}

struct inode *inode_new(struct super *sb, size_t size, u32 mode)
{
	struct inode *i = kzalloc(size);

	if (!i)
		return NULL;
	i->sb = sb;
	i->refs = 1;
	i->mode = mode;
	i->nlink = S_ISDIR(mode) ? 2 : 1;
	i->ino = ++sb->next_ino;
	list_init(&i->vmas);
	list_init(&i->locks);
	waitq_init(&i->wq);
	inode_set_times_now(i);
	return i;
}

struct inode *inode_ref(struct inode *i)
{
	i->refs++;
	return i;
}

void inode_unref(struct inode *i)
{
	if (!i)
		return;
	BUG_ON(i->refs == 0);
	if (--i->refs)
		return;
	if (i->ops && i->ops->evict)
		i->ops->evict(i);
	else
		kfree(i);
}

void inode_now(s64 *ret_s, u32 *ret_ns)
{
	u64 now = ktime_real();

	*ret_s = (s64)(now / NSEC_PER_SEC);
	*ret_ns = (u32)(now % NSEC_PER_SEC);
}

void inode_set_times_now(struct inode *i)
{
	inode_now(&i->atime_s, &i->atime_ns);
	i->mtime_s = i->ctime_s = i->btime_s = i->atime_s;
	i->mtime_ns = i->ctime_ns = i->btime_ns = i->atime_ns;
}

void inode_touch(struct inode *i, u32 flags)
{
	s64 s;
	u32 ns;

	inode_now(&s, &ns);
	if (flags & ATTR_ATIME) {
		i->atime_s = s;
		i->atime_ns = ns;
	}
	if (flags & ATTR_MTIME) {
		i->mtime_s = s;
		i->mtime_ns = ns;
	}
	if ((flags & ATTR_MTIME) || !(flags & ATTR_ATIME)) {
		i->ctime_s = s;
		i->ctime_ns = ns;
	}
}

static bool time_before_eq(s64 as, u32 an, s64 bs, u32 bn)
{
	return as < bs || (as == bs && an <= bn);
}

/* mount(8), relatime: only when the access time is not younger than the last change. (The rule of one day is left out.) */
void inode_touch_atime(struct inode *i)
{
	if (time_before_eq(i->atime_s, i->atime_ns, i->mtime_s, i->mtime_ns) ||
	    time_before_eq(i->atime_s, i->atime_ns, i->ctime_s, i->ctime_ns))
		inode_touch(i, ATTR_ATIME);
}

bool cred_in_group(const struct cred *c, u32 gid)
{
	if (c->fsgid == gid)
		return true;
	for (u32 n = 0; n < c->ngroups; n++)
		if (c->groups[n] == gid)
			return true;
	return false;
}

/* path_resolution(7), Permissions; capabilities(7), CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH. */
int inode_permission_cred(struct inode *i, const struct cred *c, u32 mask)
{
	u32 mode = i->mode;

	if ((mask & MAY_WRITE) && (i->flags & INODE_F_IMMUTABLE))
		return -EPERM;
	if (unlikely(i->flags & (INODE_F_NO_READ | INODE_F_NO_EXEC)) && mounts_complete &&
	    (((mask & MAY_READ) && (i->flags & INODE_F_NO_READ)) ||
	     ((mask & MAY_EXEC) && (i->flags & INODE_F_NO_EXEC))))
		return -EACCES;
	if (c->fsuid == i->uid)
		mode >>= 6;
	else if (cred_in_group(c, i->gid))
		mode >>= 3;
	if (!(mask & ~mode & 7))
		return 0;
	if (S_ISDIR(i->mode)) {
		if (!(mask & MAY_WRITE) && cred_capable(c, CAP_DAC_READ_SEARCH))
			return 0;
		return cred_capable(c, CAP_DAC_OVERRIDE) ? 0 : -EACCES;
	}
	if (mask == MAY_READ && cred_capable(c, CAP_DAC_READ_SEARCH))
		return 0;
	if ((!(mask & MAY_EXEC) || (i->mode & 0111)) && cred_capable(c, CAP_DAC_OVERRIDE))
		return 0;
	return -EACCES;
}

int inode_permission(struct inode *i, u32 mask)
{
	struct task *t = current;

	if (!t || !t->cred)
		return 0; /* the kernel itself, while it starts */
	if (i->ops && i->ops->permission)
		return i->ops->permission(i, mask);
	return inode_permission_cred(i, t->cred, mask);
}

bool inode_owner_or_capable(const struct inode *i)
{
	struct task *t = current;

	return !t || !t->cred || t->cred->fsuid == i->uid || cred_capable(t->cred, CAP_FOWNER);
}

void inode_init_owner(struct inode *i, const struct inode *dir, u32 mode)
{
	const struct cred *c = current ? current->cred : NULL;

	i->uid = c ? c->fsuid : 0;
	i->gid = c ? c->fsgid : 0;
	i->mode = mode;
	if (!dir || !(dir->mode & S_ISGID))
		return;
	i->gid = dir->gid;
	if (S_ISDIR(mode))
		i->mode |= S_ISGID;
	else if (c && (mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) &&
		 !cred_in_group(c, i->gid) && !cred_capable(c, CAP_FSETID))
		i->mode &= ~(u32)S_ISGID;
}

u32 inode_dirent_type(u32 mode)
{
	return (mode & S_IFMT) >> 12;
}

int vfs_getattr(struct inode *i)
{
	return i->ops && i->ops->getattr ? i->ops->getattr(i) : 0;
}

/* chmod(2), chown(2), utimensat(2), truncate(2) end here, their permission checks done. */
void inode_set_owner_mode(struct inode *i, const struct inode_attr *a)
{
	if (a->valid & ATTR_MODE)
		i->mode = (i->mode & S_IFMT) | (a->mode & 07777);
	if (a->valid & ATTR_UID)
		i->uid = a->uid;
	if (a->valid & ATTR_GID)
		i->gid = a->gid;
	inode_touch(i, 0);
}

int vfs_setattr(struct inode *i, const struct inode_attr *a)
{
	if (!i->ops || !i->ops->setattr)
		return -EPERM;
	return i->ops->setattr(i, a);
}

void inode_fill_stat(struct inode *i, struct linux_stat *ret)
{
	*ret = (struct linux_stat){
		.st_dev = i->dev ? i->dev : i->sb->dev,
		.st_ino = i->ino,
		.st_nlink = i->nlink,
		.st_mode = i->mode,
		.st_uid = i->uid,
		.st_gid = i->gid,
		.st_rdev = i->rdev,
		.st_size = (s64)i->size,
		.st_blksize = i->blksize ? i->blksize : PAGE_SIZE,
		.st_blocks = (s64)i->blocks,
		.st_atime = (u64)i->atime_s,
		.st_atime_nsec = i->atime_ns,
		.st_mtime = (u64)i->mtime_s,
		.st_mtime_nsec = i->mtime_ns,
		.st_ctime = (u64)i->ctime_s,
		.st_ctime_nsec = i->ctime_ns,
	};
}
