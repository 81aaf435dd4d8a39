/* SPDX-License-Identifier: Apache-2.0 */
/* The mount tree: what the configuration asks for, and mount(2)'s additions. */
#include "kernel/fs/internal.h"

#include "abi/linux/magic.h"
#include "abi/linux/mount.h"

LIST_HEAD(mounts);
struct mount *anon_mount;
bool mounts_complete;
struct fs_context *init_fs;

static u32 next_mount_id = 1;

struct mount *mount_ref(struct mount *m)
{
	m->refs++;
	return m;
}

static void super_unref(struct super *sb)
{
	if (--sb->refs)
		return;
	dentry_unref(sb->root);
	if (sb->ops && sb->ops->put)
		sb->ops->put(sb);
}

void mount_unref(struct mount *m)
{
	struct super *sb = m->sb;

	if (--m->refs)
		return;
	dentry_unref(m->root);
	kfree(m->source);
	kfree(m);
	super_unref(sb);
}

struct mount *mount_at(const struct path *p)
{
	struct mount *m;

	/* The youngest mount on a place covers the others. */
	list_for_each_entry_reverse(m, &mounts, link)
		if (m->at.mnt == p->mnt && m->at.dentry == p->dentry)
			return m;
	return NULL;
}

int mount_want_write(const struct path *p)
{
	return p->mnt->flags & MS_RDONLY ? -EROFS : 0;
}

static struct mount *mount_new(struct super *sb, struct dentry *root, u32 flags, const char *source)
{
	struct mount *m = kzalloc(sizeof(*m));

	if (!m)
		return NULL;
	m->source = kstrdup(source ? source : sb->type);
	if (!m->source) {
		kfree(m);
		return NULL;
	}
	m->sb = sb;
	m->root = dentry_ref(root);
	m->flags = flags;
	m->refs = 1;
	m->id = next_mount_id++;
	list_init(&m->link);
	list_init(&m->children);
	return m;
}

/* Shows `root` of sb at a place; takes the reference to sb. */
static int mount_attach(struct super *sb, struct dentry *root, const struct path *at, u32 flags,
			const char *source)
{
	struct mount *m = mount_new(sb, root, flags, source);

	if (!m)
		return -ENOMEM;
	if (at) {
		m->at = *at;
		path_ref(&m->at);
		at->dentry->mounted++;
	}
	list_add_tail(&m->link, &mounts);
	return 0;
}

int mount_add(struct super *sb, const struct path *at, u32 flags, const char *source)
{
	return mount_attach(sb, sb->root, at, flags, source);
}

/* ---- nameless things ---- */

static int anon_statfs(struct super *sb, struct linux_statfs *ret)
{
	(void)sb;
	*ret = (struct linux_statfs){ .f_type = ANON_INODE_FS_MAGIC,
				      .f_bsize = PAGE_SIZE,
				      .f_namelen = NAME_MAX,
				      .f_frsize = PAGE_SIZE };
	return 0;
}

static const struct super_ops anon_super_ops = { .statfs = anon_statfs };
static const struct inode_ops anon_root_ops = { 0 };

int anon_init(void)
{
	struct super *sb = kzalloc(sizeof(*sb));
	struct inode *i;

	if (!sb)
		return -ENOMEM;
	sb->ops = &anon_super_ops;
	sb->type = "anon_inodefs";
	sb->refs = 1;
	sb->dev = super_new_dev();
	i = inode_new(sb, sizeof(*i), S_IFDIR | 0555);
	if (!i)
		return -ENOMEM;
	i->ops = &anon_root_ops;
	if (!dentry_new_root(sb, i))
		return -ENOMEM;
	anon_mount = mount_new(sb, sb->root, 0, "none");
	return anon_mount ? 0 : -ENOMEM;
}

/* ---- start ---- */

/* Makes the directories of `target`, and a file or directory at its end, as far as they are missing. */
static int make_mount_point(char *target, bool is_file)
{
	for (char *slash = target + 1;; slash++) {
		struct nameidata nd;
		struct path p;
		char saved;
		int r;

		slash = strchrnul(slash, '/');
		saved = *slash;
		*slash = 0;
		r = nd_init(&nd, AT_FDCWD, target, LOOKUP_PARENT | LOOKUP_FOLLOW);
		if (r == 0)
			r = nd_walk(&nd);
		if (r == 0 && nd.last_type == LAST_NORMAL) {
			r = nd_last(&nd, &p);
			if (r == 0 && !p.dentry->inode)
				r = !saved && is_file
					    ? vfs_create(&nd.path, p.dentry, S_IFREG | 0644, 0)
					    : vfs_mkdir(&nd.path, p.dentry, 0755);
			if (p.dentry)
				path_unref(&p);
		}
		nd_done(&nd);
		*slash = saved;
		if (r < 0 || !saved)
			return r;
	}
}

static int mount_point(const char *target, bool is_file, struct path *ret)
{
	char *copy;
	int r = path_lookup(AT_FDCWD, target, LOOKUP_FOLLOW, ret);

	if (r != -ENOENT)
		return r;
	copy = kstrdup(target);
	if (!copy)
		return -ENOMEM;
	r = make_mount_point(copy, is_file);
	kfree(copy);
	return r < 0 ? r : path_lookup(AT_FDCWD, target, LOOKUP_FOLLOW, ret);
}

/* An empty directory or file over what is there. */
static int hide_super_new(bool is_file, struct super **ret)
{
	return is_file ? memfs_super_new_file(ret) : memfs_super_new(0, PAGE_SIZE, "tmpfs", ret);
}

static int boot_super_new(const struct boot_mount *m, bool over_file, struct super **ret,
			  u32 *ret_flags)
{
	*ret_flags = 0;
	switch (m->kind) {
	case BOOT_MOUNT_ROOT_OVERLAY:
		return memfs_super_new(m->handle, m->limit_bytes, "overlay", ret);
	case BOOT_MOUNT_HOST_RO:
		*ret_flags = MS_RDONLY;
		return hostfs_super_new(m->handle, m->is_file, ret);
	case BOOT_MOUNT_HOST_RW:
		return hostfs_super_new(m->handle, m->is_file, ret);
	case BOOT_MOUNT_TMPFS:
		*ret_flags = MS_NOSUID | MS_NODEV;
		return memfs_super_new(0, m->limit_bytes, "tmpfs", ret);
	case BOOT_MOUNT_HIDE:
		return hide_super_new(over_file, ret);
	case BOOT_MOUNT_PROC:
		*ret_flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
		return procfs_super_new(ret);
	case BOOT_MOUNT_DEV:
		*ret_flags = MS_NOSUID;
		return devfs_super_new(ret);
	default:
		return -EINVAL;
	}
}

static int boot_mount_root(const struct boot_mount *m)
{
	struct super *sb;
	struct mount *mnt;
	u32 flags;
	int r = boot_super_new(m, false, &sb, &flags);

	if (r == 0)
		r = mount_add(sb, NULL, flags, sb->type);
	if (r < 0)
		return r;
	if (m->flags & BOOT_MOUNT_F_OTHERS)
		memfs_show_others_only(sb);
	mnt = list_last_entry(&mounts, struct mount, link);
	init_fs->root = init_fs->cwd = (struct path){ mnt, mnt->root };
	path_ref(&init_fs->root);
	path_ref(&init_fs->cwd);
	return 0;
}

static bool in_root_overlay(const struct path *p)
{
	return p->mnt == init_fs->root.mnt && p->dentry != p->mnt->root;
}

/* Nothing is left under it that another mount of the same tree would show. */
static int hide_in_overlay(struct dentry *d)
{
	const struct inode *i = d->inode;
	u32 type = S_ISDIR(i->mode) ? S_IFDIR : S_IFREG;

	return memfs_replace(d, type | (i->mode & 07777), i->uid, i->gid);
}

/*
 * A directory nobody inside may search lies on the way to a mount: an empty one takes its place, so that the mount can be reached and
 * nothing else is. Returns whether it did, or an error.
 */
static int clear_way(const struct path *at)
{
	struct dentry *closed = NULL;
	int r;

	if (at->mnt != init_fs->root.mnt)
		return 0;
	for (struct dentry *d = at->dentry; d != d->parent; d = d->parent)
		if (d->inode->flags & INODE_F_NO_EXEC && S_ISDIR(d->inode->mode))
			closed = d;
	if (!closed)
		return 0;
	r = hide_in_overlay(closed);
	return r < 0 ? r : 1;
}

/* Where to mount what is not to hide something. */
static int clear_mount_point(const char *target, bool is_file, struct path *ret)
{
	int r = mount_point(target, is_file, ret);

	if (r < 0)
		return r;
	r = clear_way(ret);
	if (r == 0)
		return 0;
	path_unref(ret);
	return r < 0 ? r : mount_point(target, is_file, ret);
}

static int boot_mount_at(const struct boot_mount *m, const struct path *at)
{
	bool over_file = !S_ISDIR(at->dentry->inode->mode), is_file;
	struct super *sb;
	u32 flags;
	int r = boot_super_new(m, over_file, &sb, &flags);

	if (r < 0)
		return r;
	is_file = !S_ISDIR(sb->root->inode->mode);
	if (is_file != over_file)
		return over_file ? -ENOTDIR : -EISDIR;
	r = mount_add(sb, at, flags, sb->type);
	if (r == 0 && m->kind == BOOT_MOUNT_HIDE)
		list_last_entry(&mounts, struct mount, link)->kept_flags = MS_RDONLY;
	return r;
}

/* A place that does not exist is hidden already. */
static int boot_hide(const struct boot_mount *m, const char *target)
{
	struct path at;
	int r = mount_point(target, m->is_file, &at);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = in_root_overlay(&at) ? hide_in_overlay(at.dentry) : boot_mount_at(m, &at);
	path_unref(&at);
	return r;
}

static int boot_mount_one(const struct boot_mount *m)
{
	const char *target = boot_string(m->target);
	struct path at;
	int r;

	if (!target || target[0] != '/')
		return -EINVAL;
	if (!init_fs->root.mnt)
		return target[1] ? -ENOENT : boot_mount_root(m);
	if (m->kind == BOOT_MOUNT_HIDE)
		return boot_hide(m, target);
	r = clear_mount_point(target, m->is_file, &at);
	if (r < 0)
		return r;
	r = boot_mount_at(m, &at);
	path_unref(&at);
	return r;
}

/* BOOT_MOUNT_REPLACE: only in the root overlay, and before anything is mounted in it. */
static int boot_replace(const struct boot_mount *m)
{
	const char *target = boot_string(m->target);
	struct path p;
	int r;

	if (!target || target[0] != '/' || !init_fs->root.mnt)
		return -EINVAL;
	r = S_ISDIR(m->mode) ? mount_point(target, false, &p)
			     : path_lookup(AT_FDCWD, target, 0, &p);
	if (r < 0)
		return r == -ENOENT && !S_ISDIR(m->mode) ? 0 : r;
	r = in_root_overlay(&p)
		    ? memfs_replace(p.dentry, S_ISDIR(m->mode) ? m->mode : 0, m->uid, m->gid)
		    : -EINVAL;
	path_unref(&p);
	return r;
}

/*
 * From now on nothing is made in hidden directories (mount points of later mounts could be), and whoever is root inside neither uncovers
 * what is below these mounts nor makes read-only ones writable.
 */
static void boot_lock_mounts(void)
{
	struct mount *m;

	list_for_each_entry(m, &mounts, link) {
		m->locked = m->at.mnt != NULL;
		m->flags |= m->kept_flags;
		m->kept_flags = m->flags;
	}
}

static void boot_enter_cwd(const struct boot_config *c)
{
	const char *cwd = boot_string(c->cwd);
	struct path p;
	int r;

	if (!cwd)
		return;
	r = path_lookup(AT_FDCWD, cwd, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &p);
	if (r < 0) {
		klog(0, "working directory %s: error %d", cwd, -r);
		sandbox_exit(VFS_EXIT_SETUP);
	}
	path_set(&init_fs->cwd, p);
}

int vfs_init(void)
{
	const struct boot_config *c = boot_config();
	int r;

	init_fs = kzalloc(sizeof(*init_fs));
	if (!init_fs)
		return -ENOMEM;
	init_fs->refs = 1;
	init_fs->umask = 0; /* mount points get their full modes */
	r = anon_init();
	for (u32 n = 0; r == 0 && n < MIN(c->nmounts, BOOT_MOUNTS_MAX); n++) {
		const struct boot_mount *m = &c->mounts[n];

		r = m->kind == BOOT_MOUNT_REPLACE ? boot_replace(m) : boot_mount_one(m);
		if (r < 0) {
			const char *target = boot_string(m->target);

			klog(0, "mount %s (kind %u): error %d", target ? target : "?", m->kind, -r);
			sandbox_exit(VFS_EXIT_SETUP);
		}
	}
	if (r < 0)
		return r;
	if (!init_fs->root.mnt) {
		klog(0, "the configuration names no root mount");
		sandbox_exit(VFS_EXIT_SETUP);
	}
	boot_lock_mounts();
	boot_enter_cwd(c);
	mounts_complete = true;
	init_fs->umask = c->umask & 0777;
	return 0;
}

/* ---- fs contexts ---- */

struct fs_context *fs_context_ref(struct fs_context *fs)
{
	fs->refs++;
	return fs;
}

void fs_context_unref(struct fs_context *fs)
{
	if (!fs || --fs->refs)
		return;
	path_unref(&fs->root);
	path_unref(&fs->cwd);
	kfree(fs);
}

int fs_context_dup(struct fs_context *old, struct fs_context **ret)
{
	struct fs_context *fs = kmalloc(sizeof(*fs));

	if (!fs)
		return -ENOMEM;
	*fs = *old;
	fs->refs = 1;
	path_ref(&fs->root);
	path_ref(&fs->cwd);
	*ret = fs;
	return 0;
}

/* ---- mount(2), umount2(2) ---- */

/* Whether @from without the mounts in it would show what one of them covers. */
static bool has_locked_below(const struct path *from)
{
	struct mount *m;

	list_for_each_entry(m, &mounts, link)
		if (m->locked && m->at.mnt == from->mnt &&
		    (m->at.dentry == from->dentry || dentry_is_above(from->dentry, m->at.dentry)))
			return true;
	return false;
}

int vfs_mount_bind(const struct path *from, const struct path *at, u32 flags)
{
	int r;

	if (has_locked_below(from))
		return -EINVAL;
	if (S_ISDIR(from->dentry->inode->mode) != S_ISDIR(at->dentry->inode->mode))
		return -ENOTDIR;
	from->mnt->sb->refs++;
	r = mount_attach(from->mnt->sb, from->dentry, at, flags | from->mnt->flags,
			 from->mnt->source);
	if (r < 0)
		from->mnt->sb->refs--;
	else
		list_last_entry(&mounts, struct mount, link)->kept_flags = from->mnt->kept_flags;
	return r;
}

int vfs_umount(const struct path *p, bool lazy)
{
	struct mount *m = p->mnt, *other;

	if (p->dentry != m->root || !m->at.mnt || m->locked)
		return -EINVAL;
	list_for_each_entry(other, &mounts, link)
		if (other->at.mnt == m)
			return -EBUSY;
	/* One reference is the tree's, one the caller's path. */
	if (!lazy && m->refs > 2)
		return -EBUSY;
	list_del(&m->link);
	m->at.dentry->mounted--;
	path_unref(&m->at);
	mount_unref(m);
	return 0;
}
