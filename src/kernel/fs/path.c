/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Path walk (path_resolution(7)), one component at a time. A symlink on the way replaces what is left of the path by its target
 * followed by that rest, so the walk needs no recursion.
 */
#include "kernel/fs/internal.h"

#include "kernel/mm/uaccess.h"

void path_ref(const struct path *p)
{
	mount_ref(p->mnt);
	dentry_ref(p->dentry);
}

void path_unref(struct path *p)
{
	if (p->dentry)
		dentry_unref(p->dentry);
	if (p->mnt)
		mount_unref(p->mnt);
	*p = (struct path){ 0 };
}

bool path_equal(const struct path *a, const struct path *b)
{
	return a->mnt == b->mnt && a->dentry == b->dentry;
}

int path_set(struct path *dst, struct path src)
{
	path_unref(dst);
	*dst = src;
	return 0;
}

struct fs_context *current_fs(void)
{
	struct task *t = current;

	return t && t->fs ? t->fs : init_fs;
}

/* ---- text of a path ---- */

static char *prepend(char *at, char *buf, const char *s, size_t n)
{
	if (!at || (size_t)(at - buf) < n)
		return NULL;
	return memcpy(at - n, s, n);
}

/* " (deleted)" after names that are gone, as proc(5) has it. */
static bool path_is_deleted(const struct path *p)
{
	return p->dentry->unhashed;
}

char *path_string(const struct path *p, const struct path *root, char *buf, size_t n)
{
	const struct path *top = root ? root : &current_fs()->root;
	struct mount *m = p->mnt;
	struct dentry *d = p->dentry;
	char *at = buf + n, *end;

	at = prepend(at, buf, "", 1);
	if (path_is_deleted(p) && m != anon_mount)
		at = prepend(at, buf, " (deleted)", 10);
	if (m == anon_mount)
		return prepend(at, buf, d->name, d->name_len);
	end = at;
	while (at && !(m == top->mnt && d == top->dentry)) {
		if (d == m->root || d->parent == d) {
			if (!m->at.mnt)
				break;
			d = m->at.dentry;
			m = m->at.mnt;
			continue;
		}
		at = prepend(at, buf, d->name, d->name_len);
		at = prepend(at, buf, "/", 1);
		d = d->parent;
	}
	if (at == end)
		at = prepend(at, buf, "/", 1);
	return at;
}

/* ---- mounts on the way ---- */

void path_cross_mounts(struct path *p)
{
	struct mount *m;

	while (p->dentry->mounted && (m = mount_at(p))) {
		struct path below = { mount_ref(m), dentry_ref(m->root) };

		path_set(p, below);
	}
}

/* Steps to the parent directory; at the walk's root it stays. */
static int walk_dotdot(struct nameidata *nd)
{
	struct path p = nd->path, up;

	if (path_equal(&nd->path, &nd->root))
		return nd->flags & LOOKUP_BENEATH ? -EXDEV : 0;
	path_ref(&p);
	while (p.dentry == p.mnt->root && p.mnt->at.mnt) {
		if (nd->flags & LOOKUP_NO_XDEV) {
			path_unref(&p);
			return -EXDEV;
		}
		up = p.mnt->at;
		path_ref(&up);
		path_set(&p, up);
		if (path_equal(&p, &nd->root))
			break;
	}
	if (!path_equal(&p, &nd->root) && p.dentry->parent != p.dentry) {
		up = (struct path){ mount_ref(p.mnt), dentry_ref(p.dentry->parent) };
		path_set(&p, up);
	}
	path_cross_mounts(&p);
	return path_set(&nd->path, p);
}

/* ---- symlinks ---- */

/* The walk goes on with `target` (taken), then what was left. */
static int walk_push(struct nameidata *nd, char *target, size_t len, const char *rest)
{
	size_t rest_len = strlen(rest);
	char *text = kmalloc(len + rest_len + 2);

	if (!text)
		return -ENOMEM;
	memcpy(text, target, len);
	text[len] = '/';
	memcpy(text + len + (rest_len ? 1 : 0), rest, rest_len + 1);
	kfree(nd->buf);
	nd->buf = text;
	nd->rest = text;
	return 0;
}

static int walk_to_root(struct nameidata *nd)
{
	if (nd->flags & LOOKUP_BENEATH)
		return -EXDEV;
	if ((nd->flags & LOOKUP_NO_XDEV) && nd->path.mnt != nd->root.mnt)
		return -EXDEV;
	path_ref(&nd->root);
	return path_set(&nd->path, nd->root);
}

static int walk_magic_link(struct nameidata *nd, struct inode *link, const char *rest)
{
	struct path target;
	int r;

	if (nd->flags & LOOKUP_NO_MAGICLINKS)
		return -ELOOP;
	if (nd->flags & (LOOKUP_BENEATH | LOOKUP_IN_ROOT))
		return -EXDEV;
	r = link->ops->follow(link, &target);
	if (r < 0)
		return r;
	if ((nd->flags & LOOKUP_NO_XDEV) && target.mnt != nd->path.mnt) {
		path_unref(&target);
		return -EXDEV;
	}
	path_set(&nd->path, target);
	nd->rest = rest;
	nd->last_type = LAST_ROOT;
	return 0;
}

/* Follows `link`, found below nd->path; the walk then continues with its target and `rest`. */
static int walk_symlink(struct nameidata *nd, struct inode *link, const char *rest)
{
	char *target;
	s64 n;
	int r;

	if (nd->flags & LOOKUP_NO_SYMLINKS || nd->links++ >= MAXSYMLINKS)
		return -ELOOP;
	if (link->ops->follow)
		return walk_magic_link(nd, link, rest);
	if (!link->ops->readlink)
		return -EINVAL;
	target = kmalloc(PATH_MAX);
	if (!target)
		return -ENOMEM;
	n = link->ops->readlink(link, target, PATH_MAX);
	if (n <= 0)
		r = n < 0 ? (int)n : -ENOENT;
	else if (n >= PATH_MAX)
		r = -ENAMETOOLONG;
	else
		r = target[0] == '/' ? walk_to_root(nd) : 0;
	if (r == 0)
		r = walk_push(nd, target, (size_t)n, rest);
	kfree(target);
	return r;
}

/* ---- components ---- */

/* Enters `d` (reference taken over), crossing what is mounted on it. */
static int walk_enter(struct nameidata *nd, struct dentry *d)
{
	struct path p = { mount_ref(nd->path.mnt), d };

	path_cross_mounts(&p);
	if ((nd->flags & LOOKUP_NO_XDEV) && p.mnt != nd->path.mnt) {
		path_unref(&p);
		return -EXDEV;
	}
	return path_set(&nd->path, p);
}

static int walk_search(struct nameidata *nd)
{
	struct inode *dir = nd->path.dentry->inode;

	if (!dir || !S_ISDIR(dir->mode))
		return -ENOTDIR;
	return inode_permission(dir, MAY_EXEC);
}

/* One ordinary name. `rest` is what follows, slashes included. */
static int walk_name(struct nameidata *nd, const char *name, size_t len, const char *rest,
		     bool last)
{
	bool must_be_dir = *rest == '/' || (last && (nd->flags & LOOKUP_DIRECTORY));
	struct dentry *d;
	int r;

	r = dentry_lookup(nd->path.dentry, name, len, &d);
	if (r < 0)
		return r;
	if (!d->inode) {
		dentry_unref(d);
		return -ENOENT;
	}
	if (S_ISLNK(d->inode->mode) && (!last || (nd->flags & LOOKUP_FOLLOW) || *rest == '/')) {
		r = walk_symlink(nd, d->inode, rest);
		dentry_unref(d);
		return r;
	}
	nd->rest = rest;
	r = walk_enter(nd, d);
	if (r == 0 && must_be_dir && !S_ISDIR(nd->path.dentry->inode->mode))
		r = -ENOTDIR;
	return r;
}

static bool is_dot(const char *name, size_t len)
{
	return len == 1 && name[0] == '.';
}

static bool is_dotdot(const char *name, size_t len)
{
	return len == 2 && name[0] == '.' && name[1] == '.';
}

static void walk_set_last(struct nameidata *nd, const char *name, size_t len, bool trailing)
{
	nd->last = name;
	nd->last_len = (u32)len;
	nd->trailing = trailing;
	nd->last_type = is_dot(name, len)      ? LAST_DOT
			: is_dotdot(name, len) ? LAST_DOTDOT
					       : LAST_NORMAL;
}

/* One step: 1 = the walk is over, 0 = go on. */
static int walk_step(struct nameidata *nd)
{
	const char *name, *end, *rest;
	bool last;
	int r;

	name = nd->rest;
	while (*name == '/')
		name++;
	if (!*name)
		return 1;
	end = strchrnul(name, '/');
	for (rest = end; *rest == '/'; rest++)
		;
	last = !*rest;
	r = walk_search(nd);
	if (r < 0)
		return r;
	if (end - name > NAME_MAX)
		return -ENAMETOOLONG;
	if (last && (nd->flags & LOOKUP_PARENT)) {
		walk_set_last(nd, name, (size_t)(end - name), *end == '/');
		return 1;
	}
	if (is_dot(name, (size_t)(end - name)) || is_dotdot(name, (size_t)(end - name))) {
		nd->rest = end;
		return is_dot(name, (size_t)(end - name)) ? 0 : walk_dotdot(nd);
	}
	return walk_name(nd, name, (size_t)(end - name), end, last);
}

int nd_walk(struct nameidata *nd)
{
	int r;

	nd->last_type = LAST_ROOT;
	nd->last_len = 0;
	nd->trailing = false;
	do {
		r = walk_step(nd);
	} while (r == 0);
	if (r < 0)
		return r;
	if (!nd->path.dentry->inode)
		return -ENOENT;
	if (!(nd->flags & LOOKUP_PARENT) && (nd->flags & LOOKUP_DIRECTORY) &&
	    !S_ISDIR(nd->path.dentry->inode->mode))
		return -ENOTDIR;
	return 0;
}

static int nd_start_fd(struct nameidata *nd, int dirfd, bool named)
{
	struct file *f = fd_get(dirfd);
	struct path p;

	if (!f)
		return -EBADF;
	if (named && !S_ISDIR(f->inode->mode)) {
		file_unref(f);
		return -ENOTDIR;
	}
	p = f->path;
	path_ref(&p);
	file_unref(f);
	return path_set(&nd->path, p);
}

/* `name` must live as long as nd. */
int nd_init(struct nameidata *nd, int dirfd, const char *name, u32 flags)
{
	struct fs_context *fs = current_fs();
	bool absolute = *name == '/';
	int r = 0;

	*nd = (struct nameidata){ .rest = name, .flags = flags };
	if (!*name && !(flags & LOOKUP_EMPTY))
		return -ENOENT;
	if (absolute && (flags & LOOKUP_BENEATH))
		return -EXDEV;
	if (absolute && !(flags & LOOKUP_IN_ROOT)) {
		nd->path = fs->root;
		path_ref(&nd->path);
	} else if (dirfd == AT_FDCWD) {
		nd->path = fs->cwd;
		path_ref(&nd->path);
	} else {
		r = nd_start_fd(nd, dirfd, *name != 0);
	}
	if (r < 0)
		return r;
	nd->root = flags & (LOOKUP_BENEATH | LOOKUP_IN_ROOT) ? nd->path : fs->root;
	path_ref(&nd->root);
	return 0;
}

void nd_done(struct nameidata *nd)
{
	path_unref(&nd->path);
	path_unref(&nd->root);
	kfree(nd->buf);
	nd->buf = NULL;
}

int nd_follow_last(struct nameidata *nd, struct dentry *d)
{
	return walk_symlink(nd, d->inode, nd->trailing ? "/" : "");
}

int nd_last(struct nameidata *nd, struct path *ret)
{
	struct dentry *d;
	int r = dentry_lookup(nd->path.dentry, nd->last, nd->last_len, &d);

	if (r < 0)
		return r;
	*ret = (struct path){ mount_ref(nd->path.mnt), d };
	if (d->inode)
		path_cross_mounts(ret);
	return 0;
}

int path_lookup(int dirfd, const char *name, u32 flags, struct path *ret)
{
	struct nameidata nd;
	int r = nd_init(&nd, dirfd, name, flags & ~LOOKUP_PARENT);

	if (r == 0)
		r = nd_walk(&nd);
	if (r == 0) {
		*ret = nd.path;
		nd.path = (struct path){ 0 };
	}
	nd_done(&nd);
	return r;
}

int user_path(int dirfd, uptr_t name, u32 flags, struct path *ret)
{
	char *path;
	int r = path_from_user(&path, name);

	if (r < 0)
		return r;
	r = path_lookup(dirfd, path, flags, ret);
	kfree(path);
	return r;
}
