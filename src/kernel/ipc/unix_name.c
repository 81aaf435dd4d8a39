/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of unix sockets: abstract names and paths. unix(7), "Address format". */
#include "base/format.h"
#include "kernel/fs/internal.h"
#include "kernel/ipc/unix.h"

#define NAME_OFF       ((u32)offsetof(struct linux_sockaddr_un, sun_path))
#define AUTOBIND_TRIES 0x100000u

static LIST_HEAD(bound_sockets);

static bool name_equal(const struct usock *s, const struct linux_sockaddr_un *name, u32 len)
{
	return s->name_len == len && !memcmp(&s->name, name, len);
}

static struct usock *find_abstract(const struct linux_sockaddr_un *name, u32 len)
{
	struct usock *s;

	list_for_each_entry(s, &bound_sockets, bound)
		if (!s->inode && name_equal(s, name, len))
			return s;
	return NULL;
}

static struct usock *find_inode(const struct inode *i)
{
	struct usock *s;

	list_for_each_entry(s, &bound_sockets, bound)
		if (s->inode == i)
			return s;
	return NULL;
}

/* The path of an address, terminated. */
static void name_path(const struct linux_sockaddr_un *name, u32 len, char buf[UNIX_PATH_MAX + 1])
{
	u32 n = MIN(len - NAME_OFF, (u32)UNIX_PATH_MAX);

	memcpy(buf, name->sun_path, n);
	buf[n] = 0;
}

static int make_socket(const char *path, struct inode **ret)
{
	struct nameidata nd;
	struct path p;
	int r = nd_init(&nd, AT_FDCWD, path, LOOKUP_PARENT);

	if (r == 0)
		r = nd_walk(&nd);
	if (r == 0 && nd.last_type != LAST_NORMAL)
		r = -EADDRINUSE;
	if (r == 0) {
		r = nd_last(&nd, &p);
		if (r == 0) {
			r = p.dentry->inode ? -EADDRINUSE
					    : vfs_create(&nd.path, p.dentry, S_IFSOCK | 0777, 0);
			if (r == 0)
				*ret = inode_ref(p.dentry->inode);
			path_unref(&p);
		}
	}
	nd_done(&nd);
	return r;
}

static int autobind(struct usock *s)
{
	struct linux_sockaddr_un name = { .sun_family = AF_UNIX };
	static u32 next;

	for (u32 i = 0; i < AUTOBIND_TRIES; i++) {
		char digits[8];

		fmt_snprintf(digits, sizeof(digits), "%05x", next++ & 0xfffff);
		memcpy(name.sun_path + 1, digits, 5);
		if (find_abstract(&name, NAME_OFF + 6))
			continue;
		s->name = name;
		s->name_len = NAME_OFF + 6;
		list_add(&s->bound, &bound_sockets);
		return 0;
	}
	return -ENOSPC;
}

int unix_bind(struct usock *s, const struct linux_sockaddr_un *name, u32 len)
{
	char path[UNIX_PATH_MAX + 1];
	int r;

	if (s->name_len)
		return -EINVAL;
	if (len == NAME_OFF)
		return autobind(s);
	if (!name->sun_path[0]) {
		if (find_abstract(name, len))
			return -EADDRINUSE;
	} else {
		name_path(name, len, path);
		r = make_socket(path, &s->inode);
		if (r < 0)
			return r;
		len = NAME_OFF + (u32)strlen(path) + 1;
	}
	s->name = (struct linux_sockaddr_un){ 0 };
	memcpy(&s->name, name, MIN(len, (u32)sizeof(s->name)));
	s->name_len = MIN(len, (u32)sizeof(s->name));
	list_add(&s->bound, &bound_sockets);
	return 0;
}

void unix_unbind(struct usock *s)
{
	list_del(&s->bound);
	inode_unref(s->inode);
	s->inode = NULL;
}

int unix_find(const struct linux_sockaddr_un *name, u32 len, int type, struct usock **ret)
{
	struct usock *s = NULL;
	int r = 0;

	if (len <= NAME_OFF)
		return -EINVAL;
	if (!name->sun_path[0]) {
		s = find_abstract(name, len);
	} else {
		char path[UNIX_PATH_MAX + 1];
		struct path p;

		name_path(name, len, path);
		r = path_lookup(AT_FDCWD, path, LOOKUP_FOLLOW, &p);
		if (r < 0)
			return r;
		r = inode_permission(p.dentry->inode, MAY_WRITE);
		s = find_inode(p.dentry->inode);
		path_unref(&p);
	}
	if (r < 0)
		return r;
	if (!s)
		return -ECONNREFUSED;
	if (s->type != type)
		return -EPROTOTYPE;
	s->refs++;
	*ret = s;
	return 0;
}
