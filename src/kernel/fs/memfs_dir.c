/* SPDX-License-Identifier: Apache-2.0 */
/* memfs directories: entries, lookup, and the operations on names. */
#include "kernel/fs/memfs.h"

#include "base/hash.h"
#include "kernel/fs/internal.h"

/* ---- entries ---- */

static int entry_compare(u64 hash, const char *name, size_t len, const struct mementry *e)
{
	if (hash != e->hash)
		return hash < e->hash ? -1 : 1;
	if (len != e->len)
		return len < e->len ? -1 : 1;
	return memcmp(name, e->name, len);
}

static struct mementry *entry_find(struct memnode *dir, const char *name, size_t len)
{
	u64 hash = hash_bytes(name, len, 0);
	struct rb_node *n = dir->entries.node;

	while (n) {
		struct mementry *e = rb_entry(n, struct mementry, node);
		int c = entry_compare(hash, name, len, e);

		if (c == 0)
			return e;
		n = c < 0 ? n->left : n->right;
	}
	return NULL;
}

static struct mementry *entry_new(struct memnode *dir, const char *name, size_t len)
{
	struct mementry *e = kzalloc(sizeof(*e) + len + 1);
	struct rb_node **link = &dir->entries.node, *parent = NULL;

	if (!e)
		return NULL;
	e->dir = dir;
	e->hash = hash_bytes(name, len, 0);
	e->len = (u32)len;
	memcpy(e->name, name, len);
	list_init(&e->name_link);
	list_add_tail(&e->order, &dir->order);
	while (*link) {
		parent = *link;
		link = entry_compare(e->hash, name, len, rb_entry(parent, struct mementry, node)) <
				       0
			       ? &parent->left
			       : &parent->right;
	}
	rb_insert(&dir->entries, &e->node, parent, link);
	return e;
}

static void entry_free(struct mementry *e)
{
	rb_erase(&e->dir->entries, &e->node);
	list_del(&e->order);
	list_del(&e->name_link);
	kfree(e);
}

static int entry_add_weak(struct memnode *dir, const char *name, size_t len, struct memnode *m)
{
	struct mementry *e = entry_new(dir, name, len);

	if (!e)
		return -ENOMEM;
	e->weak = e->under = true;
	e->to = m;
	list_add(&e->name_link, &m->names);
	inode_ref(memnode_inode(dir));
	return 0;
}

/* The name in memory only, from now on. Takes nothing: holds m itself. */
static int entry_add_strong(struct memnode *dir, const char *name, size_t len, struct memnode *m)
{
	struct mementry *e;
	int r = memnode_reserve(dir);

	if (r < 0)
		return r;
	e = entry_find(dir, name, len);
	if (!e)
		e = entry_new(dir, name, len);
	if (!e)
		return -ENOMEM;
	BUG_ON(e->to);
	e->to = m;
	inode_ref(memnode_inode(m));
	dir->nr_strong++;
	memnode_pin(dir);
	return 0;
}

static void entry_strengthen(struct mementry *e)
{
	if (!e->weak)
		return;
	memnode_pin(e->dir);
	e->weak = false;
	list_del(&e->name_link);
	inode_ref(memnode_inode(e->to));
	e->dir->nr_strong++;
	inode_unref(memnode_inode(e->dir));
}

/* The name is gone: a whiteout where the lower directory has it. The caller holds the inode. */
static void entry_remove(struct mementry *e)
{
	struct memnode *dir = e->dir, *m = e->to;

	entry_strengthen(e);
	dir->nr_strong--;
	e->to = NULL;
	if (!e->under)
		entry_free(e);
	inode_unref(memnode_inode(m));
}

void memdir_forget_weak(struct memnode *m)
{
	struct mementry *e, *tmp;

	list_for_each_entry_safe(e, tmp, &m->names, name_link) {
		struct inode *dir = memnode_inode(e->dir);

		entry_free(e);
		inode_unref(dir);
	}
}

void memdir_free_entries(struct memnode *dir)
{
	struct mementry *e, *tmp;

	list_for_each_entry_safe(e, tmp, &dir->order, order) {
		struct memnode *m = e->to;

		BUG_ON(e->weak);
		entry_free(e);
		if (m)
			inode_unref(memnode_inode(m));
	}
}

/* ---- lookup and listing ---- */

static struct memnode *link_find(struct memfs *fs, const struct hc_stat *st)
{
	struct memnode *m;
	struct list *head = &fs->links[hash_u64(st->ino) % MEMFS_LINK_BUCKETS];
	struct inode probe;

	lower_fill_inode(&probe, st);
	list_for_each_entry(m, head, link_hash)
		if (m->f.inode.ino == st->ino && m->f.inode.dev == probe.dev)
			return m;
	return NULL;
}

static int lookup_lower(struct memnode *dir, struct dentry *d, struct inode **ret)
{
	struct memfs *fs = memfs_of(memnode_inode(dir));
	struct memnode *m = NULL;
	struct hc_stat st;
	bool linked;
	int r = lower_stat(&dir->f.lower, d->name, d->name_len, &st);

	if (r < 0)
		return r;
	linked = !S_ISDIR(st.mode) && st.nlink > 1;
	if (linked)
		m = link_find(fs, &st);
	if (m)
		inode_ref(memnode_inode(m));
	else
		m = memnode_new_lower(memnode_inode(dir)->sb, dir, &st, d->name, d->name_len);
	if (!m)
		return -ENOMEM;
	if (linked && list_empty(&m->link_hash))
		list_add(&m->link_hash, &fs->links[hash_u64(st.ino) % MEMFS_LINK_BUCKETS]);
	r = entry_add_weak(dir, d->name, d->name_len, m);
	if (r < 0) {
		inode_unref(memnode_inode(m));
		return r;
	}
	*ret = memnode_inode(m);
	return 0;
}

static int memfs_lookup(struct inode *i, struct dentry *d, struct inode **ret)
{
	struct memnode *dir = memnode_of(i);
	struct mementry *e = entry_find(dir, d->name, d->name_len);

	if (e) {
		if (!e->to)
			return -ENOENT;
		*ret = inode_ref(memnode_inode(e->to));
		return 0;
	}
	return dir->f.lower.present ? lookup_lower(dir, d, ret) : -ENOENT;
}

struct list_merge {
	struct memnode *dir;
	struct dirlist *dl;
};

static int list_lower_entry(void *arg, const struct linux_dirent64 *h)
{
	struct list_merge *lm = arg;
	size_t len = strlen(h->d_name);
	struct mementry *e = entry_find(lm->dir, h->d_name, len);

	if (!e || e->weak)
		return dirlist_add(lm->dl, h->d_name, len, h->d_ino, h->d_type);
	if (!e->to)
		return 0;
	return dirlist_add(lm->dl, h->d_name, len, memnode_inode(e->to)->ino,
			   inode_dirent_type(memnode_inode(e->to)->mode));
}

int memfs_list(struct fnode *f, struct dirlist *dl)
{
	struct memnode *dir = memnode_of(&f->inode);
	struct list_merge lm = { dir, dl };
	struct mementry *e;
	int r = f->lower.present ? lower_list(&f->lower, list_lower_entry, &lm) : 0;

	list_for_each_entry(e, &dir->order, order) {
		struct inode *i;

		if (r < 0)
			break;
		if (!e->to || e->weak || (e->under && f->lower.present))
			continue;
		i = memnode_inode(e->to);
		r = dirlist_add(dl, e->name, e->len, i->ino, inode_dirent_type(i->mode));
	}
	return r;
}

static int empty_lower_entry(void *arg, const struct linux_dirent64 *h)
{
	struct mementry *e = entry_find(arg, h->d_name, strlen(h->d_name));

	return e && !e->to && !e->weak ? 0 : -ENOTEMPTY;
}

static int memdir_check_empty(struct memnode *dir)
{
	if (dir->nr_strong)
		return -ENOTEMPTY;
	return dir->f.lower.present ? lower_list(&dir->f.lower, empty_lower_entry, dir) : 0;
}

/* ---- names ---- */

static void memdir_touch(struct memnode *dir)
{
	memnode_pin(dir);
	inode_touch(memnode_inode(dir), ATTR_MTIME);
}

/* A new inode under a name; takes m's reference. */
static int memdir_add_new(struct inode *dir, struct dentry *d, struct memnode *m,
			  struct inode **ret)
{
	int r;

	if (!m)
		return -ENOSPC;
	r = entry_add_strong(memnode_of(dir), d->name, d->name_len, m);
	if (r < 0) {
		inode_unref(memnode_inode(m));
		return r;
	}
	if (S_ISDIR(memnode_inode(m)->mode))
		dir->nlink++;
	memdir_touch(memnode_of(dir));
	*ret = memnode_inode(m);
	return 0;
}

static int memfs_create(struct inode *dir, struct dentry *d, u32 mode, u64 rdev, struct inode **ret)
{
	if (!dir->nlink)
		return -ENOENT;
	return memdir_add_new(dir, d, memnode_new(dir->sb, dir, mode, rdev), ret);
}

static int memfs_mkdir(struct inode *dir, struct dentry *d, u32 mode, struct inode **ret)
{
	return memfs_create(dir, d, mode, 0, ret);
}

static int memfs_symlink(struct inode *dir, struct dentry *d, const char *target,
			 struct inode **ret)
{
	struct memnode *m = dir->nlink ? memnode_new(dir->sb, dir, S_IFLNK | 0777, 0) : NULL;

	if (!m)
		return dir->nlink ? -ENOSPC : -ENOENT;
	m->target = kstrdup(target);
	if (!m->target) {
		inode_unref(memnode_inode(m));
		return -ENOMEM;
	}
	memnode_inode(m)->size = strlen(target);
	return memdir_add_new(dir, d, m, ret);
}

static int memfs_link(struct inode *dir, struct dentry *d, struct inode *target)
{
	struct memnode *m = memnode_of(target);
	int r;

	if (!dir->nlink || (!target->nlink && !m->linkable))
		return -ENOENT;
	r = memnode_reserve_name(m);
	if (r < 0)
		return r;
	r = entry_add_strong(memnode_of(dir), d->name, d->name_len, m);
	if (r < 0) {
		memnode_drop_name(m);
		return r;
	}
	target->nlink++;
	m->linkable = false;
	memnode_pin(m);
	inode_touch(target, 0);
	memdir_touch(memnode_of(dir));
	return 0;
}

/* The inode lost one of its names. */
static void memnode_lost_name(struct memnode *m)
{
	struct inode *i = memnode_inode(m);

	memnode_drop_name(m);
	if (S_ISDIR(i->mode))
		i->nlink = 0;
	else if (i->nlink)
		i->nlink--;
	inode_touch(i, 0);
	if (!i->nlink)
		memnode_unpin(m);
	else
		memnode_pin(m);
}

static int memdir_remove(struct inode *dir, struct dentry *d)
{
	struct mementry *e = entry_find(memnode_of(dir), d->name, d->name_len);

	if (!e || !e->to)
		return -ENOENT;
	memdir_touch(memnode_of(dir));
	memnode_lost_name(e->to);
	entry_remove(e);
	return 0;
}

static int memfs_unlink(struct inode *dir, struct dentry *d)
{
	return memdir_remove(dir, d);
}

static int memfs_rmdir(struct inode *dir, struct dentry *d)
{
	int r = memdir_check_empty(memnode_of(d->inode));

	if (r == 0)
		r = memdir_remove(dir, d);
	if (r == 0 && dir->nlink > 2)
		dir->nlink--;
	return r;
}

static void dir_nlink_moved(struct inode *from, struct inode *to)
{
	if (from->nlink > 2)
		from->nlink--;
	to->nlink++;
}

static int memfs_exchange(struct inode *old_dir, struct dentry *old, struct inode *new_dir,
			  struct dentry *new_d)
{
	struct mementry *a = entry_find(memnode_of(old_dir), old->name, old->name_len);
	struct mementry *b = entry_find(memnode_of(new_dir), new_d->name, new_d->name_len);
	struct memnode *m;

	if (!a || !b || !a->to || !b->to)
		return -ENOENT;
	entry_strengthen(a);
	entry_strengthen(b);
	m = a->to;
	a->to = b->to;
	b->to = m;
	if (old_dir != new_dir && S_ISDIR(old->inode->mode) != S_ISDIR(new_d->inode->mode))
		dir_nlink_moved(S_ISDIR(old->inode->mode) ? old_dir : new_dir,
				S_ISDIR(old->inode->mode) ? new_dir : old_dir);
	memdir_touch(memnode_of(old_dir));
	memdir_touch(memnode_of(new_dir));
	return 0;
}

/* The name new_d stops naming what it does. */
static int rename_replace(struct inode *dir, struct dentry *d)
{
	if (!d->inode)
		return dir->nlink ? 0 : -ENOENT;
	return S_ISDIR(d->inode->mode) ? memfs_rmdir(dir, d) : memfs_unlink(dir, d);
}

static int memfs_rename(struct inode *old_dir, struct dentry *old, struct inode *new_dir,
			struct dentry *new_d, u32 flags)
{
	struct memnode *m = memnode_of(old->inode);
	struct mementry *e;
	int r;

	if (flags & RENAME_EXCHANGE)
		return memfs_exchange(old_dir, old, new_dir, new_d);
	if (flags & ~(u32)RENAME_NOREPLACE)
		return -EINVAL;
	r = memnode_reserve(memnode_of(new_dir));
	if (r == 0)
		r = memnode_reserve(m);
	if (r == 0)
		r = rename_replace(new_dir, new_d);
	if (r < 0)
		return r;
	r = entry_add_strong(memnode_of(new_dir), new_d->name, new_d->name_len, m);
	if (r < 0)
		return r;
	e = entry_find(memnode_of(old_dir), old->name, old->name_len);
	if (e && e->to)
		entry_remove(e);
	if (S_ISDIR(old->inode->mode) && old_dir != new_dir)
		dir_nlink_moved(old_dir, new_dir);
	inode_touch(old->inode, 0);
	memdir_touch(memnode_of(old_dir));
	memdir_touch(memnode_of(new_dir));
	return 0;
}

static int memfs_tmpfile(struct inode *dir, u32 mode, struct inode **ret)
{
	struct memnode *m = memnode_new(dir->sb, dir, mode, 0);

	if (!m)
		return -ENOSPC;
	memnode_inode(m)->nlink = 0;
	m->linkable = true;
	*ret = memnode_inode(m);
	return 0;
}

int memfs_replace(struct dentry *d, u32 mode, u32 uid, u32 gid)
{
	struct inode *dir = d->parent->inode, *i = NULL;
	struct memnode *m = NULL;
	int r;

	if (d->parent == d || dir->ops != &memfs_dir_ops)
		return -EINVAL;
	if (mode) {
		m = memnode_new(dir->sb, NULL, mode, 0);
		if (!m)
			return -ENOMEM;
		i = memnode_inode(m);
		i->uid = uid;
		i->gid = gid;
	}
	if (S_ISDIR(d->inode->mode) && dir->nlink > 2)
		dir->nlink--;
	r = memdir_remove(dir, d);
	dentry_drop(d);
	if (r == 0 && m)
		r = memdir_add_new(dir, d, m, &i);
	else if (m)
		inode_unref(i);
	if (r == 0 && m)
		inode_unref(i); /* the entry holds it; the next lookup makes a dentry */
	return r;
}

const struct inode_ops memfs_dir_ops = {
	.lookup = memfs_lookup,
	.create = memfs_create,
	.mkdir = memfs_mkdir,
	.symlink = memfs_symlink,
	.link = memfs_link,
	.unlink = memfs_unlink,
	.rmdir = memfs_rmdir,
	.rename = memfs_rename,
	.tmpfile = memfs_tmpfile,
	.setattr = memfs_setattr,
	.getattr = memfs_getattr,
	.evict = memfs_evict,
};
