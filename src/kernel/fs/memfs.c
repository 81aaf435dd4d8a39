/* SPDX-License-Identifier: Apache-2.0 */
/* memfs superblocks and inodes. */
#include "kernel/fs/memfs.h"

#include "abi/linux/kdev.h"
#include "abi/linux/magic.h"
#include "kernel/fs/internal.h"

static struct memfs_quota disk;
static LIST_HEAD(doomed);
static bool evicting;

struct inode *memnode_inode(struct memnode *m)
{
	return &m->f.inode;
}

/* ---- the quota ---- */

static struct memfs_quota *disk_quota(void)
{
	const struct boot_config *b = boot_config();

	disk.limit_pages = b->disk_bytes / PAGE_SIZE;
	disk.limit_inodes = b->disk_inodes;
	return &disk;
}

/* What the sandbox is started with is there at any limit. */
static bool quota_has_inode(const struct memfs_quota *q)
{
	return !q || !mounts_complete || q->used_inodes < q->limit_inodes;
}

static void memnode_charge(struct memnode *m)
{
	struct memfs_quota *q = memfs_of(memnode_inode(m))->quota;

	if (!q || m->charged)
		return;
	m->charged = true;
	q->used_inodes++;
}

int memnode_reserve(struct memnode *m)
{
	if (m->charged)
		return 0;
	if (!quota_has_inode(memfs_of(memnode_inode(m))->quota))
		return -ENOSPC;
	memnode_charge(m);
	return 0;
}

int memnode_reserve_name(struct memnode *m)
{
	struct memfs_quota *q = memfs_of(memnode_inode(m))->quota;

	if (!quota_has_inode(q))
		return -ENOSPC;
	if (q) {
		q->used_inodes++;
		m->extra_names++;
	}
	return 0;
}

void memnode_drop_name(struct memnode *m)
{
	if (!m->extra_names)
		return;
	m->extra_names--;
	memfs_of(memnode_inode(m))->quota->used_inodes--;
}

static void memnode_uncharge(struct memnode *m)
{
	struct memfs_quota *q = memfs_of(memnode_inode(m))->quota;

	if (q)
		q->used_inodes -= m->charged + m->extra_names;
}

/* ---- inodes ---- */

static int memfs_fill(struct inode *i, u64 index, unsigned n, void *buf)
{
	return lower_fill(&fnode_of(i)->lower, index, n, buf);
}

static void memnode_set_ops(struct memnode *m)
{
	struct inode *i = memnode_inode(m);

	switch (i->mode & S_IFMT) {
	case S_IFDIR:
		i->ops = &memfs_dir_ops;
		i->fops = &fnode_dir_fops;
		m->f.list = memfs_list;
		break;
	case S_IFLNK:
		i->ops = &memfs_symlink_ops;
		break;
	case S_IFREG:
		i->ops = &memfs_file_ops;
		i->fops = &memfs_fops;
		pcache_init(i, &m->f.pages, m->f.lower.present ? memfs_fill : NULL);
		break;
	default:
		i->ops = &memfs_file_ops;
		/* A host's device node or socket is shown, not opened. A FIFO is a name only: a pipe of ours serves it. */
		if (m->f.lower.present && !S_ISFIFO(i->mode))
			i->fops = &memfs_special_fops;
		break;
	}
}

static struct memnode *memnode_alloc(struct super *sb, u32 mode)
{
	struct inode *i = inode_new(sb, sizeof(struct memnode), mode);
	struct memnode *m;

	if (!i)
		return NULL;
	m = memnode_of(i);
	list_init(&m->order);
	list_init(&m->names);
	list_init(&m->link_hash);
	list_init(&m->doomed);
	list_init(&m->f.lower.lru);
	m->seals = F_SEAL_SEAL;
	memfs_of(i)->nr_inodes++;
	return m;
}

struct memnode *memnode_new(struct super *sb, const struct inode *dir, u32 mode, u64 rdev)
{
	const struct memfs *fs = sb->private;
	struct memnode *m = quota_has_inode(fs->quota) ? memnode_alloc(sb, mode) : NULL;

	if (!m)
		return NULL;
	memnode_charge(m);
	inode_init_owner(memnode_inode(m), dir, mode);
	memnode_inode(m)->rdev = rdev;
	memnode_set_ops(m);
	return m;
}

/* In the default view everybody inside, root too, gets of the host's files what others get there. An empty file tells nothing. */
static u32 others_flags(const struct hc_stat *st)
{
	u32 withheld = (st->mode >> 6 | st->mode >> 3) & ~st->mode;

	if (S_ISLNK(st->mode) || (S_ISREG(st->mode) && !st->size))
		return 0;
	return (withheld & S_IROTH ? INODE_F_NO_READ : 0) |
	       (withheld & S_IXOTH ? INODE_F_NO_EXEC : 0);
}

struct memnode *memnode_new_lower(struct super *sb, struct memnode *dir, const struct hc_stat *st,
				  const char *name, size_t len)
{
	struct memnode *m = memnode_alloc(sb, st->mode);

	if (!m)
		return NULL;
	if (dir && lower_init_child(&m->f.lower, &dir->f.lower, name, len) < 0) {
		inode_unref(memnode_inode(m));
		return NULL;
	}
	if (dir) {
		m->f.up = &dir->f;
		inode_ref(memnode_inode(dir));
	} else {
		lower_init_root(&m->f.lower, memfs_of(memnode_inode(m))->root);
	}
	lower_fill_inode(memnode_inode(m), st);
	lower_note(&m->f.lower, st);
	if (memfs_of(memnode_inode(m))->others_only)
		memnode_inode(m)->flags |= others_flags(st);
	memnode_set_ops(m);
	return m;
}

void memnode_pin(struct memnode *m)
{
	m->modified = true;
	memnode_charge(m);
	if (m->pinned || !m->f.lower.present)
		return;
	m->pinned = true;
	inode_ref(memnode_inode(m));
}

void memnode_unpin(struct memnode *m)
{
	if (!m->pinned)
		return;
	m->pinned = false;
	inode_unref(memnode_inode(m));
}

static void memnode_free(struct memnode *m)
{
	struct inode *i = memnode_inode(m);
	struct fnode *up = m->f.up;

	memdir_forget_weak(m);
	memdir_free_entries(m);
	list_del(&m->link_hash);
	if (i->pcache)
		memfs_drop_pages(i, 0, ~0ull);
	pcache_done(i);
	lower_done(&m->f.lower);
	memnode_uncharge(m);
	memfs_of(i)->nr_inodes--;
	kfree(m->target);
	kfree(m);
	if (up)
		inode_unref(&up->inode);
}

/* Freeing a directory frees what is in it, as deep as that goes: in a loop, not by recursion. */
void memfs_evict(struct inode *i)
{
	list_add_tail(&memnode_of(i)->doomed, &doomed);
	if (evicting)
		return;
	evicting = true;
	while (!list_empty(&doomed)) {
		struct memnode *m = list_first_entry(&doomed, struct memnode, doomed);

		list_del(&m->doomed);
		memnode_free(m);
	}
	evicting = false;
}

/* ---- attributes ---- */

int memfs_getattr(struct inode *i)
{
	struct memnode *m = memnode_of(i);

	if (S_ISDIR(i->mode) && !m->f.lower.present)
		i->size = 40 + 20ull * m->nr_strong;
	else if (S_ISREG(i->mode) && (m->data_modified || !m->f.lower.present))
		i->blocks = m->f.lower.size ? ALIGN_UP(i->size, PAGE_SIZE) / 512
					    : m->f.pages.nr_dirty * (PAGE_SIZE / 512);
	return 0;
}

int memfs_setattr(struct inode *i, const struct inode_attr *a)
{
	struct memnode *m = memnode_of(i);
	int r = memnode_reserve(m);

	if (r < 0)
		return r;
	if (a->valid & ATTR_SIZE) {
		r = S_ISREG(i->mode) ? memfs_truncate(i, a->size) : -EINVAL;
		if (r < 0)
			return r;
	}
	memnode_pin(m);
	inode_set_owner_mode(i, a);
	if (a->valid & ATTR_ATIME) {
		i->atime_s = a->atime_s;
		i->atime_ns = a->atime_ns;
	}
	if (a->valid & ATTR_MTIME) {
		i->mtime_s = a->mtime_s;
		i->mtime_ns = a->mtime_ns;
	}
	return 0;
}

static s64 memfs_readlink(struct inode *i, char *buf, size_t n)
{
	struct memnode *m = memnode_of(i);
	size_t len;

	if (!m->target)
		return lower_readlink(&m->f.lower, buf, n);
	len = MIN(strlen(m->target), n);
	memcpy(buf, m->target, len);
	return (s64)len;
}

const struct inode_ops memfs_symlink_ops = {
	.readlink = memfs_readlink,
	.setattr = memfs_setattr,
	.evict = memfs_evict,
};

/* ---- superblocks ---- */

static int memfs_statfs(struct super *sb, struct linux_statfs *ret)
{
	const struct memfs *fs = sb->private;
	const struct memfs_quota *q = fs->quota;
	u64 total, free, files, files_free;
	int r = 0;

	page_stats(&total, &free);
	files = total;
	files_free = quota_left(files, fs->nr_inodes);
	if (q) {
		total = q->limit_pages;
		free = quota_left(q->limit_pages, q->used_pages);
		files = q->limit_inodes;
		files_free = quota_left(q->limit_inodes, q->used_inodes);
	}
	if (fs->limit_pages && fs->limit_pages < total) {
		total = fs->limit_pages;
		free = MIN(free, quota_left(total, fs->used_pages));
	}
	*ret = (struct linux_statfs){ .f_type = TMPFS_MAGIC, .f_namelen = NAME_MAX };
	if (fs->has_lower) /* of what is below it has the kind, the room is in memory */
		r = lower_statfs(fs->root, ret);
	ret->f_bsize = ret->f_frsize = PAGE_SIZE;
	ret->f_blocks = (s64)total;
	ret->f_bfree = ret->f_bavail = (s64)free;
	ret->f_files = (s64)files;
	ret->f_ffree = (s64)files_free;
	return r;
}

static void memfs_put(struct super *sb)
{
	kfree(sb->private);
	kfree(sb);
}

static const struct super_ops memfs_super_ops = { .statfs = memfs_statfs, .put = memfs_put };

static struct super *memfs_super_alloc(const char *type, u64 limit_bytes, struct memfs_quota *quota)
{
	struct super *sb = kzalloc(sizeof(*sb));
	struct memfs *fs = kzalloc(sizeof(*fs));

	if (!sb || !fs) {
		kfree(sb);
		kfree(fs);
		return NULL;
	}
	for (unsigned n = 0; n < MEMFS_LINK_BUCKETS; n++)
		list_init(&fs->links[n]);
	fs->quota = quota;
	fs->limit_pages = limit_bytes / PAGE_SIZE + (limit_bytes % PAGE_SIZE != 0);
	*sb = (struct super){ .ops = &memfs_super_ops,
			      .type = type,
			      .refs = 1,
			      .private = fs,
			      .dev = super_new_dev() };
	return sb;
}

static int memfs_super_finish(struct super *sb, struct memnode *root, struct super **ret)
{
	if (!root || !dentry_new_root(sb, memnode_inode(root))) {
		memfs_put(sb);
		return -ENOMEM;
	}
	*ret = sb;
	return 0;
}

void memfs_show_others_only(struct super *sb)
{
	struct memfs *fs = sb->private;

	fs->others_only = true;
}

int memfs_super_new(u64 host_root, u64 limit_bytes, const char *type, struct super **ret)
{
	struct super *sb = memfs_super_alloc(type, limit_bytes, disk_quota());
	struct memnode *root;
	struct hc_stat st;
	struct memfs *fs;
	struct lower l;
	int r;

	if (!sb)
		return -ENOMEM;
	fs = sb->private;
	fs->root = host_root;
	fs->has_lower = str_equal(type, "overlay");
	if (!fs->has_lower) {
		root = memnode_new(sb, NULL, S_IFDIR | 0777 | S_ISVTX, 0);
		return memfs_super_finish(sb, root, ret);
	}
	sb->next_ino = MEMFS_INO_FIRST;
	lower_init_root(&l, host_root);
	r = lower_stat(&l, NULL, 0, &st);
	if (r < 0 || !S_ISDIR(st.mode)) {
		memfs_put(sb);
		return r < 0 ? r : -ENOTDIR;
	}
	root = memnode_new_lower(sb, NULL, &st, NULL, 0);
	if (root) /* new files seem to be of the same file system: find -xdev, du -x */
		sb->dev = memnode_inode(root)->dev;
	return memfs_super_finish(sb, root, ret);
}

int memfs_super_new_file(struct super **ret)
{
	struct super *sb = memfs_super_alloc("tmpfs", PAGE_SIZE, disk_quota());

	if (!sb)
		return -ENOMEM;
	return memfs_super_finish(sb, memnode_new(sb, NULL, S_IFREG | 0444, 0), ret);
}

/* ---- files without a name ---- */

/* memfd_create(2) and shared anonymous mappings are memory, not disk. */
static int anon_super_new(struct super **ret)
{
	struct super *sb = memfs_super_alloc("tmpfs", 0, NULL);

	if (!sb)
		return -ENOMEM;
	return memfs_super_finish(sb, memnode_new(sb, NULL, S_IFDIR | 0777 | S_ISVTX, 0), ret);
}

int memfs_new_file(const char *name, u64 size, u32 flags, struct file **ret)
{
	static struct super *sb;
	struct memnode *m;
	struct path p;
	int r;

	if (!sb) {
		r = anon_super_new(&sb);
		if (r < 0)
			return r;
	}
	m = memnode_new(sb, NULL, S_IFREG | 0777, 0);
	if (!m)
		return -ENOMEM;
	memnode_inode(m)->size = size;
	memnode_inode(m)->nlink = 0;
	p = (struct path){ mount_ref(anon_mount), dentry_new(sb->root, name, strlen(name)) };
	if (!p.dentry) {
		mount_unref(anon_mount);
		inode_unref(memnode_inode(m));
		return -ENOMEM;
	}
	p.dentry->inode = memnode_inode(m);
	p.dentry->unhashed = true;
	r = file_open_path(&p, flags, ret);
	path_unref(&p);
	return r;
}

static struct memnode *memfs_sealable(struct file *f)
{
	return f->ops == &memfs_fops ? memnode_of(f->inode) : NULL;
}

int memfs_allow_sealing(struct file *f)
{
	struct memnode *m = memfs_sealable(f);

	if (!m)
		return -EINVAL;
	m->seals &= ~(u32)F_SEAL_SEAL;
	return 0;
}

/* fcntl(2), File Sealing. */
int memfs_add_seals(struct file *f, u32 seals)
{
	struct memnode *m = memfs_sealable(f);

	if (!m || (seals & ~(u32)(F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE |
				  F_SEAL_FUTURE_WRITE)))
		return -EINVAL;
	if (!FMODE_WRITE(f) || (m->seals & F_SEAL_SEAL))
		return -EPERM;
	if ((seals & F_SEAL_WRITE) && !(m->seals & F_SEAL_WRITE) && memfs_mapped_writable(f->inode))
		return -EBUSY;
	m->seals |= seals;
	return 0;
}

int memfs_get_seals(struct file *f)
{
	struct memnode *m = memfs_sealable(f);

	return m ? (int)m->seals : -EINVAL;
}
