/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hostfs: host directories and files bound into the sandbox. Every change goes to the host at once; file data is cached for reading
 * and mapping, and checked against the host's size and times at each open, lookup and stat. Pages written through a shared mapping
 * go back at msync, munmap, fsync and close.
 */
#include "kernel/fs/fnode.h"

#include "kernel/fs/internal.h"
#include "kernel/mm/mm.h"

#define WRITE_ORDER 5u /* bounce buffer of a write: 128 KiB */

struct hostnode {
	struct fnode f; /* first */
	struct list dirty_link;
};

static const struct inode_ops hostfs_dir_ops, hostfs_file_ops, hostfs_symlink_ops;
static const struct file_ops hostfs_fops, hostfs_special_fops;
static LIST_HEAD(dirty_nodes);

static struct hostnode *hostnode_of(struct inode *i)
{
	return container_of(i, struct hostnode, f.inode);
}

static struct lower *lower_of(struct inode *i)
{
	return &hostnode_of(i)->f.lower;
}

/* ---- inodes ---- */

static int hostfs_fill(struct inode *i, u64 index, unsigned n, void *buf)
{
	struct lower *l = lower_of(i);
	u64 off = index << PAGE_SHIFT, before = l->size;
	int r = lower_fill(l, index, n, buf);

	if (likely(r < 0 || l->size == before))
		return r;
	/* Somebody on the host cut the file: what was to be there is not (mmap(2), SIGBUS). */
	i->size = l->size;
	return off >= l->size ? -EIO : 0;
}

static int list_entry_add(void *arg, const struct linux_dirent64 *e)
{
	return dirlist_add(arg, e->d_name, strlen(e->d_name), e->d_ino, e->d_type);
}

static int hostfs_list(struct fnode *dir, struct dirlist *dl)
{
	return lower_list(&dir->lower, list_entry_add, dl);
}

static void hostnode_set_ops(struct hostnode *h)
{
	struct inode *i = &h->f.inode;

	switch (i->mode & S_IFMT) {
	case S_IFDIR:
		i->ops = &hostfs_dir_ops;
		i->fops = &fnode_dir_fops;
		h->f.list = hostfs_list;
		break;
	case S_IFLNK:
		i->ops = &hostfs_symlink_ops;
		break;
	case S_IFREG:
		i->ops = &hostfs_file_ops;
		i->fops = &hostfs_fops;
		pcache_init(i, &h->f.pages, hostfs_fill);
		break;
	default:
		i->ops = &hostfs_file_ops;
		if (!S_ISFIFO(i->mode))
			i->fops = &hostfs_special_fops;
		break;
	}
}

static struct hostnode *hostnode_new(struct super *sb, struct inode *dir, const struct hc_stat *st,
				     const char *name, size_t len)
{
	struct inode *i = inode_new(sb, sizeof(struct hostnode), st->mode);
	struct hostnode *h;

	if (!i)
		return NULL;
	h = hostnode_of(i);
	list_init(&h->dirty_link);
	list_init(&h->f.lower.lru);
	if (dir && lower_init_child(&h->f.lower, lower_of(dir), name, len) < 0) {
		kfree(h);
		return NULL;
	}
	if (dir) {
		h->f.up = fnode_of(dir);
		inode_ref(dir);
	} else {
		lower_init_root(&h->f.lower, *(u64 *)sb->private);
	}
	lower_fill_inode(i, st);
	lower_note(&h->f.lower, st);
	hostnode_set_ops(h);
	return h;
}

/* What the host says now; cached data goes if the host's changed. */
static void hostnode_refresh(struct inode *i, const struct hc_stat *st)
{
	struct lower *l = lower_of(i);

	if (S_ISREG(i->mode) && lower_changed(l, st)) {
		if (!i->pcache->nr_dirty) {
			if (!list_empty(&i->vmas))
				mm_unmap_inode(i, 0);
			pcache_drop(i, 0, ~0ull);
		}
		lower_note(l, st);
	}
	lower_fill_inode(i, st);
}

/* After our own write: the new times are not somebody else's change. */
static void hostnode_note_own(struct inode *i)
{
	struct lower *l = lower_of(i);
	struct hc_stat st;

	if (l->open && hc(HC_FSTAT, l->handle, &st) == 0) {
		lower_note(l, &st);
		lower_fill_inode(i, &st);
	}
}

static int hostfs_writeback(struct inode *i)
{
	struct lower *l = lower_of(i);
	struct page *p;
	u64 index = 0;
	int r;

	if (!i->pcache || !i->pcache->nr_dirty)
		return 0;
	r = lower_open(l, true);
	for (; r == 0 && (p = radix_next(&i->pcache->tree, &index)); index++) {
		u64 off = index << PAGE_SHIFT;
		s64 n = 0;

		if (!(p->flags & PAGE_F_DIRTY))
			continue;
		mm_clean_inode_page(i, index);
		pcache_set_clean(i, p);
		if (off < i->size)
			n = hc(HC_PWRITE, l->handle, page_address(p), MIN(i->size - off, PAGE_SIZE),
			       off);
		if (n < 0)
			r = (int)n;
	}
	if (!i->pcache->nr_dirty)
		list_del(&hostnode_of(i)->dirty_link);
	hostnode_note_own(i);
	return r;
}

void hostfs_sync(void)
{
	struct hostnode *h, *tmp;

	list_for_each_entry_safe(h, tmp, &dirty_nodes, dirty_link)
		hostfs_writeback(&h->f.inode);
}

static void hostfs_evict(struct inode *i)
{
	struct hostnode *h = hostnode_of(i);
	struct fnode *up = h->f.up;

	hostfs_writeback(i);
	list_del(&h->dirty_link);
	pcache_done(i);
	lower_done(&h->f.lower);
	kfree(h);
	if (up)
		inode_unref(&up->inode);
}

static int hostfs_getattr(struct inode *i)
{
	struct lower *l = lower_of(i);
	struct hc_stat st;
	s64 r = l->open    ? hc(HC_FSTAT, l->handle, &st)
		: i->nlink ? lower_stat(l, NULL, 0, &st)
			   : -ENOENT;

	/* Removed on the host meanwhile: what we know is the best answer. */
	if (r == 0)
		hostnode_refresh(i, &st);
	return r == -ENOENT ? 0 : (int)r;
}

static int hostfs_truncate(struct inode *i, u64 size)
{
	struct lower *l = lower_of(i);
	int r = lower_open(l, true);

	if (r == 0)
		r = hostfs_writeback(i);
	if (r == 0)
		r = (int)hc(HC_TRUNCATE, l->handle, size);
	if (r < 0)
		return r;
	if (size < i->size) {
		u64 first = (size + PAGE_MASK) >> PAGE_SHIFT;

		if (!list_empty(&i->vmas))
			mm_unmap_inode(i, first);
		pcache_drop(i, first, ~0ull);
		pcache_zero_tail(i, size);
	}
	i->size = size;
	hostnode_note_own(i);
	return 0;
}

static int hostfs_setattr(struct inode *i, const struct inode_attr *a)
{
	struct lower *l = lower_of(i);
	struct hc_setattr s = {
		.valid = a->valid & ~ATTR_SIZE,
		.mode = a->mode & 07777,
		.uid = a->uid,
		.gid = a->gid,
		.atime_s = a->atime_s,
		.atime_ns = a->atime_ns,
		.mtime_s = a->mtime_s,
		.mtime_ns = a->mtime_ns,
	};
	const char *path;
	int r = 0, n;

	if (a->valid & ATTR_SIZE) {
		r = S_ISREG(i->mode) ? hostfs_truncate(i, a->size) : -EINVAL;
		s.valid &= ~ATTR_MTIME; /* the host set it */
	}
	if (r == 0 && s.valid) {
		n = lower_path(l, NULL, 0, 0, &path);
		if (l->open)
			r = (int)hc(HC_FSETATTR, l->handle, &s);
		else
			r = n < 0 ? n : (int)hc(HC_SETATTR, l->root, path, n, &s);
	}
	if (r == 0) {
		struct hc_stat st;

		r = l->open ? (int)hc(HC_FSTAT, l->handle, &st) : lower_stat(l, NULL, 0, &st);
		if (r == 0) {
			lower_note(l, &st);
			lower_fill_inode(i, &st);
		}
	}
	return r;
}

/* ---- names ---- */

static int hostfs_instantiate(struct inode *dir, struct dentry *d, struct inode **ret)
{
	struct hc_stat st;
	struct hostnode *h;
	int r = lower_stat(lower_of(dir), d->name, d->name_len, &st);

	if (r < 0)
		return r;
	h = hostnode_new(dir->sb, dir, &st, d->name, d->name_len);
	if (!h)
		return -ENOMEM;
	*ret = &h->f.inode;
	return 0;
}

static int hostfs_lookup(struct inode *dir, struct dentry *d, struct inode **ret)
{
	return hostfs_instantiate(dir, d, ret);
}

static bool hostfs_revalidate(struct inode *dir, struct dentry *d)
{
	struct hc_stat st;
	struct inode *i = d->inode;
	u64 dev = i->dev;
	u32 mode = i->mode;

	if (lower_stat(lower_of(dir), d->name, d->name_len, &st) < 0 || st.ino != i->ino ||
	    (st.mode ^ mode) & S_IFMT)
		return false;
	hostnode_refresh(i, &st);
	return i->dev == dev;
}

static int hostfs_create(struct inode *dir, struct dentry *d, u32 mode, u64 rdev,
			 struct inode **ret)
{
	struct lower *l = lower_of(dir);
	const char *path;
	int n = lower_path(l, d->name, d->name_len, 0, &path);
	s64 r;

	(void)rdev;
	if (n < 0)
		return n;
	if (S_ISFIFO(mode))
		r = hc(HC_MKNOD, l->root, path, n, mode);
	else if (S_ISREG(mode))
		r = hc(HC_OPEN, l->root, path, n, HC_O_WRITE | HC_O_CREAT | HC_O_EXCL, mode & 07777,
		       0);
	else
		return -EPERM;
	if (r < 0)
		return (int)r;
	if (S_ISREG(mode))
		hc(HC_CLOSE, r);
	return hostfs_instantiate(dir, d, ret);
}

static int hostfs_mkdir(struct inode *dir, struct dentry *d, u32 mode, struct inode **ret)
{
	struct lower *l = lower_of(dir);
	const char *path;
	int n = lower_path(l, d->name, d->name_len, 0, &path);
	int r = n < 0 ? n : (int)hc(HC_MKDIR, l->root, path, n, mode & 07777);

	return r < 0 ? r : hostfs_instantiate(dir, d, ret);
}

static int hostfs_symlink(struct inode *dir, struct dentry *d, const char *target,
			  struct inode **ret)
{
	struct lower *l = lower_of(dir);
	const char *path;
	int n = lower_path(l, d->name, d->name_len, 0, &path);
	int r = n < 0 ? n : (int)hc(HC_SYMLINK, l->root, path, n, target, strlen(target));

	return r < 0 ? r : hostfs_instantiate(dir, d, ret);
}

static int hostfs_link(struct inode *dir, struct dentry *d, struct inode *target)
{
	struct lower *l = lower_of(dir), *from = lower_of(target);
	const char *path, *old;
	int n = lower_path(l, d->name, d->name_len, 0, &path),
	    o = lower_path(from, NULL, 0, 1, &old);
	int r = n < 0 ? n : o < 0 ? o : (int)hc(HC_LINK, from->root, old, o, l->root, path, n);

	if (r == 0)
		target->nlink++;
	return r;
}

/* An open file outlives its name through its handle, which must then not be closed to make room. */
static void hostfs_keep_open(struct dentry *d)
{
	struct lower *l = lower_of(d->inode);

	if (!S_ISREG(d->inode->mode) || d->refs < 2)
		return;
	if (lower_open(l, d->inode->write_count > 0) == 0)
		list_del(&l->lru);
}

static int hostfs_remove(struct inode *dir, struct dentry *d, bool is_dir)
{
	struct lower *l = lower_of(dir);
	const char *path;
	int n, r;

	if (!is_dir)
		hostfs_keep_open(d);
	n = lower_path(l, d->name, d->name_len, 0, &path);
	r = n < 0 ? n : (int)hc(HC_UNLINK, l->root, path, n, is_dir);
	if (r == 0 && (is_dir || d->inode->nlink))
		d->inode->nlink = is_dir ? 0 : d->inode->nlink - 1;
	return r;
}

static int hostfs_unlink(struct inode *dir, struct dentry *d)
{
	return hostfs_remove(dir, d, false);
}

static int hostfs_rmdir(struct inode *dir, struct dentry *d)
{
	return hostfs_remove(dir, d, true);
}

/* The inode is found under another name from now on. */
static int hostnode_rename(struct inode *i, struct inode *dir, const struct dentry *d)
{
	struct hostnode *h = hostnode_of(i);
	char *name = kstrndup(d->name, d->name_len);
	struct fnode *up = h->f.up;

	if (!name)
		return -ENOMEM;
	kfree(h->f.lower.name);
	h->f.lower.name = name;
	h->f.lower.parent = lower_of(dir);
	h->f.up = fnode_of(inode_ref(dir));
	inode_unref(&up->inode);
	return 0;
}

static int hostfs_rename(struct inode *old_dir, struct dentry *old, struct inode *new_dir,
			 struct dentry *new_d, u32 flags)
{
	struct lower *from = lower_of(old_dir), *to = lower_of(new_dir);
	const char *a, *b;
	int na, nb, r;

	if (new_d->inode && !(flags & RENAME_EXCHANGE))
		hostfs_keep_open(new_d);
	na = lower_path(from, old->name, old->name_len, 0, &a);
	nb = lower_path(to, new_d->name, new_d->name_len, 1, &b);
	r = na < 0   ? na
	    : nb < 0 ? nb
		     : (int)hc(HC_RENAME, from->root, a, na, to->root, b, nb, flags);
	if (r < 0)
		return r;
	if (new_d->inode && (flags & RENAME_EXCHANGE))
		hostnode_rename(new_d->inode, old_dir, old);
	else if (new_d->inode && new_d->inode->nlink)
		new_d->inode->nlink--;
	return hostnode_rename(old->inode, new_dir, new_d);
}

static s64 hostfs_readlink(struct inode *i, char *buf, size_t n)
{
	return lower_readlink(lower_of(i), buf, n);
}

/* ---- data ---- */

static int hostfs_open(struct inode *i, struct file *f)
{
	struct lower *l = lower_of(i);
	struct hc_stat st;
	int r;

	if (!S_ISREG(i->mode))
		return -ENXIO;
	r = lower_open(l, FMODE_WRITE(f));
	if (r == 0)
		r = (int)hc(HC_FSTAT, l->handle, &st);
	if (r == 0)
		hostnode_refresh(i, &st);
	return r;
}

/* Near the end the host is asked again: others may have appended, or written through another name of the file. */
static s64 hostfs_read(struct file *f, struct uio *u, u64 *pos)
{
	if (*pos + u->resid > f->inode->size)
		hostfs_getattr(f->inode);
	return fnode_read(f, u, pos);
}

/* Bytes just written to the host, into what is cached of them. */
static void hostfs_update_cache(struct inode *i, const u8 *data, u64 pos, size_t n)
{
	while (n) {
		size_t off = pos & PAGE_MASK, part = MIN(PAGE_SIZE - off, n);
		struct page *p = pcache_find(i, pos >> PAGE_SHIFT);

		if (p)
			memcpy((u8 *)page_address(p) + off, data, part);
		data += part;
		pos += part;
		n -= part;
	}
}

static s64 hostfs_write_piece(struct inode *i, struct uio *u, u64 pos, u8 *buf, size_t n)
{
	struct lower *l = lower_of(i);
	size_t got = uio_read(u, buf, n);
	s64 r;

	if (!got)
		return -EFAULT;
	r = lower_open(l, true);
	if (r == 0)
		r = hc(HC_PWRITE, l->handle, buf, got, pos);
	if (r < 0)
		return r;
	if ((size_t)r < got)
		uio_revert(u, got - (size_t)r);
	if (pos > i->size)
		pcache_zero_tail(i, i->size);
	hostfs_update_cache(i, buf, pos, (size_t)r);
	if (pos + (u64)r > i->size)
		i->size = pos + (u64)r;
	return r;
}

static s64 hostfs_write(struct file *f, struct uio *u, u64 *pos)
{
	struct inode *i = f->inode;
	u64 n = 0, done = 0;
	unsigned order = u->resid > PAGE_SIZE ? WRITE_ORDER : 0;
	struct page *bounce;
	s64 r = 0;

	if (f->flags & O_APPEND)
		hostfs_getattr(i);
	r = fnode_write_begin(f, u, pos, &n);
	if (r < 0 || !n)
		return r;
	bounce = page_alloc(order, 0);
	if (!bounce && order)
		bounce = page_alloc(order = 0, 0);
	if (!bounce)
		return -ENOMEM;
	while (done < n) {
		r = hostfs_write_piece(i, u, *pos, page_address(bounce),
				       MIN(n - done, PAGE_SIZE << order));
		if (r <= 0)
			break;
		done += (u64)r;
		*pos += (u64)r;
	}
	page_unref(bounce);
	if (done)
		hostnode_note_own(i);
	return done ? (s64)done : r;
}

static int hostfs_fault_page(struct file *f, u64 index, bool write, struct page **ret)
{
	struct inode *i = f->inode;
	int r = fnode_fault_read(f, index, ret);

	if (r == 0 && write && !((*ret)->flags & PAGE_F_DIRTY)) {
		pcache_set_dirty(i, *ret);
		if (list_empty(&hostnode_of(i)->dirty_link))
			list_add_tail(&hostnode_of(i)->dirty_link, &dirty_nodes);
	}
	return r;
}

static int hostfs_fsync(struct file *f, bool data_only)
{
	struct lower *l = lower_of(f->inode);
	int r = hostfs_writeback(f->inode);

	if (r == 0)
		r = lower_open(l, false);
	return r < 0 ? r : (int)hc(HC_FSYNC, l->handle, data_only);
}

static s64 hostfs_fallocate(struct file *f, int mode, u64 off, u64 len)
{
	struct inode *i = f->inode;
	struct lower *l = lower_of(i);
	s64 r = lower_open(l, true);

	if (r == 0)
		r = hostfs_writeback(i);
	if (r == 0)
		r = hc(HC_FALLOCATE, l->handle, mode, off, len);
	if (r < 0)
		return r;
	if (mode & ~FALLOC_FL_KEEP_SIZE) {
		if (!list_empty(&i->vmas))
			mm_unmap_inode(i, off >> PAGE_SHIFT);
		pcache_drop(i, off >> PAGE_SHIFT, ~0ull);
	}
	hostnode_note_own(i);
	return 0;
}

static void hostfs_release(struct file *f)
{
	hostfs_writeback(f->inode);
}

static const struct file_ops hostfs_fops = {
	.read = hostfs_read,
	.write = hostfs_write,
	.llseek = file_llseek_generic,
	.fault_page = hostfs_fault_page,
	.fsync = hostfs_fsync,
	.fallocate = hostfs_fallocate,
	.release = hostfs_release,
	.ioctl = fnode_ioctl,
};
static const struct file_ops hostfs_special_fops = { 0 };

static const struct inode_ops hostfs_dir_ops = {
	.lookup = hostfs_lookup,
	.create = hostfs_create,
	.mkdir = hostfs_mkdir,
	.symlink = hostfs_symlink,
	.link = hostfs_link,
	.unlink = hostfs_unlink,
	.rmdir = hostfs_rmdir,
	.rename = hostfs_rename,
	.setattr = hostfs_setattr,
	.getattr = hostfs_getattr,
	.revalidate = hostfs_revalidate,
	.evict = hostfs_evict,
};
static const struct inode_ops hostfs_file_ops = {
	.setattr = hostfs_setattr,
	.getattr = hostfs_getattr,
	.open = hostfs_open,
	.evict = hostfs_evict,
};
static const struct inode_ops hostfs_symlink_ops = {
	.readlink = hostfs_readlink,
	.setattr = hostfs_setattr,
	.getattr = hostfs_getattr,
	.evict = hostfs_evict,
};

/* ---- superblock ---- */

static int hostfs_statfs(struct super *sb, struct linux_statfs *ret)
{
	return lower_statfs(*(u64 *)sb->private, ret);
}

static void hostfs_put(struct super *sb)
{
	kfree(sb->private);
	kfree(sb);
}

static const struct super_ops hostfs_super_ops = { .statfs = hostfs_statfs, .put = hostfs_put };

int hostfs_super_new(u64 host_root, bool is_file, struct super **ret)
{
	struct super *sb = kzalloc(sizeof(*sb));
	u64 *root = kmalloc(sizeof(*root));
	struct hostnode *h = NULL;
	struct hc_stat st;
	s64 r = -ENOMEM;

	if (sb && root) {
		*root = host_root;
		*sb = (struct super){
			.ops = &hostfs_super_ops, .type = "hostfs", .refs = 1, .private = root
		};
		r = hc(HC_STAT, host_root, "", 0, &st);
		if (r == 0 && is_file == !!S_ISDIR(st.mode))
			r = is_file ? -EISDIR : -ENOTDIR;
		if (r == 0) {
			h = hostnode_new(sb, NULL, &st, NULL, 0);
			r = h && dentry_new_root(sb, &h->f.inode) ? 0 : -ENOMEM;
		}
	}
	if (r < 0) {
		kfree(root);
		kfree(sb);
		return (int)r;
	}
	sb->dev = h->f.inode.dev;
	*ret = sb;
	return 0;
}
