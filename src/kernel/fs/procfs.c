/* SPDX-License-Identifier: Apache-2.0 */
/* The tree of procfs: inodes, lookup, listing, reading. What the files say is in procfs_*.c. */
#include "kernel/fs/procfs.h"

#include "abi/linux/dirent.h"
#include "abi/linux/magic.h"
#include "base/checked.h"
#include "base/format.h"
#include "base/hash.h"
#include "base/parse.h"
#include "kernel/fs/internal.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"

#define PROC_ROOT_INO    1u
#define DIR_FIRST_ENTRY  2u /* positions: ".", "..", entries of the table, numbers */
#define DIR_FIRST_NUMBER 256u

/* ---- texts ---- */

static bool text_reserve(struct text *t, size_t n)
{
	size_t want, cap = t->cap ? t->cap : 256;
	char *buf;

	if (t->failed || ckd_add(&want, t->len, n) || want > PROC_TEXT_MAX) {
		t->failed = true;
		return false;
	}
	if (want <= t->cap)
		return true;
	while (cap < want)
		cap *= 2;
	buf = krealloc(t->buf, cap);
	if (!buf) {
		t->failed = true;
		return false;
	}
	t->buf = buf;
	t->cap = cap;
	return true;
}

void text_write(struct text *t, const void *data, size_t n)
{
	if (!n || !text_reserve(t, n))
		return;
	memcpy(t->buf + t->len, data, n);
	t->len += n;
}

void text_puts(struct text *t, const char *s)
{
	text_write(t, s, strlen(s));
}

void text_printf(struct text *t, const char *fmt, ...)
{
	char buf[256];
	va_list args;
	int n;

	va_start(args, fmt);
	n = fmt_vsnprintf(buf, sizeof(buf), fmt, args);
	va_end(args);
	/* Lines with longer parts are written in pieces by their makers. */
	text_write(t, buf, MIN((size_t)n, sizeof(buf) - 1));
}

void text_puts_mangled(struct text *t, const char *s, const char *also)
{
	for (; *s; s++) {
		if (*s == ' ' || *s == '\t' || *s == '\n' || *s == '\\' || strchr(also, *s))
			text_printf(t, "\\%03o", (unsigned)(u8)*s);
		else
			text_putc(t, *s);
	}
}

static void text_unref(struct text *t)
{
	if (!t || --t->refs)
		return;
	kfree(t->buf);
	kfree(t);
}

/* ---- tasks ---- */

struct task *proc_task(const struct proc_node *n)
{
	struct task *t = task_find(n->tid);

	return t && t->proc && t->proc->start_ns == n->start_ns ? t : NULL;
}

bool proc_may_access(const struct task *t)
{
	const struct cred *me, *c = t->cred;

	if (!current || current->proc == t->proc)
		return true;
	me = current->cred;
	if (me && cred_capable(me, CAP_SYS_PTRACE))
		return true;
	if (!me || !c || t->dumpable_off)
		return false;
	return me->fsuid == c->euid && me->fsuid == c->suid && me->fsuid == c->uid &&
	       me->fsgid == c->egid && me->fsgid == c->sgid && me->fsgid == c->gid;
}

struct mm *proc_mm(const struct proc_node *n)
{
	struct task *t = proc_task(n);

	return t && t->mm ? mm_ref(t->mm) : NULL;
}

/* ---- inodes ---- */

static const struct inode_ops proc_dir_ops, proc_file_ops, proc_link_ops, proc_magic_ops;
static const struct file_ops proc_dir_fops, proc_file_fops;

static u64 entry_ino(const struct proc_entry *e, int tid, int nr)
{
	return (hash_combine(hash_pointer(e), (u64)(u32)tid << 32 | (u32)nr) & 0xffffffffu) |
	       0x100000000u;
}

/* The owner is who the task runs as; root's when nobody else may look. proc(5), "/proc/[pid]". */
static int proc_getattr(struct inode *i)
{
	struct proc_node *n = proc_node_of(i);
	struct task *t;

	if (!n->tid)
		return 0;
	t = proc_task(n);
	if (!t)
		return -ENOENT;
	i->uid = t->cred && !t->dumpable_off ? t->cred->euid : 0;
	i->gid = t->cred && !t->dumpable_off ? t->cred->egid : 0;
	return 0;
}

static int proc_permission(struct inode *i, u32 mask)
{
	int r = proc_getattr(i);

	return r < 0 ? -ESRCH : inode_permission_cred(i, current->cred, mask);
}

static struct inode *proc_inode_new(struct super *sb, const struct proc_entry *e,
				    const struct proc_node *parent)
{
	struct inode *i = inode_new(sb, sizeof(struct proc_node), e->mode);
	struct proc_node *n;

	if (!i)
		return NULL;
	n = proc_node_of(i);
	n->entry = e;
	if (parent) {
		n->tid = parent->tid;
		n->thread = parent->thread;
		n->start_ns = parent->start_ns;
	}
	i->ino = entry_ino(e, n->tid, 0);
	i->blksize = 1024;
	if (S_ISDIR(e->mode)) {
		i->ops = &proc_dir_ops;
		i->fops = &proc_dir_fops;
	} else if (S_ISLNK(e->mode)) {
		i->ops = e->follow ? &proc_magic_ops : &proc_link_ops;
		i->size = e->follow ? 64 : 0;
	} else {
		i->ops = &proc_file_ops;
		i->fops = e->fops ? e->fops : &proc_file_fops;
	}
	return i;
}

/* ---- lookup ---- */

static bool parse_number(const char *s, size_t len, int *ret)
{
	u64 v = 0;
	const char *end = s + len;

	if (!len || len > 10 || (len > 1 && s[0] == '0') || parse_digits(s, end, 10, &v) != end ||
	    v > INT32_MAX)
		return false;
	*ret = (int)v;
	return true;
}

static struct inode *number_inode(struct proc_node *dir, int nr)
{
	const struct proc_numbers *numbers = dir->entry->numbers;
	struct inode *i = proc_inode_new(dir->inode.sb, numbers->entry, dir);
	struct proc_node *n;

	if (!i)
		return NULL;
	n = proc_node_of(i);
	if (S_ISDIR(numbers->entry->mode)) {
		struct task *t = task_find(nr);

		n->thread = dir->tid != 0;
		n->tid = nr;
		n->start_ns = t->proc->start_ns;
	} else {
		n->nr = nr;
	}
	i->ino = entry_ino(n->entry, n->tid, n->nr);
	return i;
}

static int proc_lookup(struct inode *dir, struct dentry *d, struct inode **ret)
{
	struct proc_node *n = proc_node_of(dir);
	struct inode *i = NULL;
	int nr;

	if (n->tid && !proc_task(n))
		return -ENOENT;
	if (n->entry->numbers && parse_number(d->name, d->name_len, &nr)) {
		if (!n->entry->numbers->valid(n, nr))
			return -ENOENT;
		i = number_inode(n, nr);
	} else {
		const struct proc_entry *e = n->entry->dir;

		while (e && e->name && !str_equal(e->name, d->name))
			e++;
		if (!e || !e->name)
			return -ENOENT;
		i = proc_inode_new(dir->sb, e, n);
	}
	if (!i)
		return -ENOMEM;
	if (proc_getattr(i) < 0) {
		inode_unref(i);
		return -ENOENT;
	}
	*ret = i;
	return 0;
}

static bool proc_revalidate(struct inode *dir, struct dentry *d)
{
	struct proc_node *n = d->inode ? proc_node_of(d->inode) : NULL, *up = proc_node_of(dir);
	int nr;

	if (!n || (n->tid && !proc_task(n)))
		return false;
	if (up->entry->numbers && parse_number(d->name, d->name_len, &nr) &&
	    !up->entry->numbers->valid(up, nr))
		return false;
	proc_getattr(d->inode);
	return true;
}

/* ---- listing ---- */

static bool list_dots(struct file *f, struct dir_emit *d)
{
	struct inode *up = f->path.dentry->parent->inode;

	if (f->pos == 0) {
		if (!d->emit(d, ".", 1, f->inode->ino, DT_DIR, 1))
			return false;
		f->pos = 1;
	}
	if (f->pos == 1) {
		if (!d->emit(d, "..", 2, up ? up->ino : f->inode->ino, DT_DIR, DIR_FIRST_ENTRY))
			return false;
		f->pos = DIR_FIRST_ENTRY;
	}
	return true;
}

static bool list_entries(struct file *f, struct dir_emit *d)
{
	struct proc_node *n = proc_node_of(f->inode);
	const struct proc_entry *e = n->entry->dir;
	u64 at = DIR_FIRST_ENTRY;

	for (; e && e->name && f->pos < DIR_FIRST_NUMBER; e++, at++) {
		if (at < f->pos)
			continue;
		if (!d->emit(d, e->name, strlen(e->name), entry_ino(e, n->tid, 0),
			     inode_dirent_type(e->mode), at + 1))
			return false;
		f->pos = at + 1;
	}
	if (f->pos < DIR_FIRST_NUMBER)
		f->pos = DIR_FIRST_NUMBER;
	return true;
}

static bool list_numbers(struct file *f, struct dir_emit *d)
{
	struct proc_node *n = proc_node_of(f->inode);
	const struct proc_numbers *numbers = n->entry->numbers;
	int nr;

	if (!numbers || f->pos - DIR_FIRST_NUMBER > INT32_MAX)
		return true;
	while ((nr = numbers->next(n, (int)(f->pos - DIR_FIRST_NUMBER))) >= 0) {
		bool dir = S_ISDIR(numbers->entry->mode);
		char name[12];
		int len = fmt_snprintf(name, sizeof(name), "%d", nr);
		u64 ino = entry_ino(numbers->entry, dir ? nr : n->tid, dir ? 0 : nr);

		if (!d->emit(d, name, (size_t)len, ino, inode_dirent_type(numbers->entry->mode),
			     DIR_FIRST_NUMBER + (u64)nr + 1))
			return false;
		f->pos = DIR_FIRST_NUMBER + (u64)nr + 1;
	}
	return true;
}

static int proc_iterate(struct file *f, struct dir_emit *d)
{
	struct proc_node *n = proc_node_of(f->inode);

	if (n->tid && !proc_task(n))
		return -ENOENT;
	if (list_dots(f, d) && list_entries(f, d))
		list_numbers(f, d);
	return 0;
}

/* ---- files ---- */

static int proc_open(struct inode *i, struct file *f)
{
	struct proc_node *n = proc_node_of(i);
	struct task *t = n->tid ? proc_task(n) : NULL;

	(void)f;
	if (!n->tid)
		return 0;
	if (!t)
		return -ESRCH;
	return (n->entry->flags & PROC_F_OWNER) && !proc_may_access(t) ? -EACCES : 0;
}

static int proc_make_text(struct file *f)
{
	struct proc_node *n = proc_node_of(f->inode);
	struct text *t = kzalloc(sizeof(*t));
	int r;

	if (!t)
		return -ENOMEM;
	t->refs = 1;
	r = n->tid && !proc_task(n) ? -ESRCH : n->entry->show(n, t);
	if (r == 0 && t->failed)
		r = -ENOMEM;
	if (r < 0) {
		text_unref(t);
		return r;
	}
	text_unref(f->private);
	f->private = t;
	return 0;
}

static s64 proc_read(struct file *f, struct uio *u, u64 *pos)
{
	struct proc_node *n = proc_node_of(f->inode);
	struct text *t;
	s64 done = 0;
	int r;

	if (!n->entry->show)
		return -EINVAL;
	if (!f->private || *pos == 0) {
		r = proc_make_text(f);
		if (r < 0)
			return r;
	}
	/* The copy may sleep, and another thread may make the text anew. */
	t = f->private;
	t->refs++;
	if (*pos < t->len) {
		size_t want = MIN(t->len - *pos, u->resid), got = uio_write(u, t->buf + *pos, want);

		done = got || !want ? (s64)got : -EFAULT;
		*pos += got;
	}
	text_unref(t);
	return done;
}

static s64 proc_write(struct file *f, struct uio *u, u64 *pos)
{
	struct proc_node *n = proc_node_of(f->inode);
	size_t len = MIN(u->resid, (size_t)PROC_WRITE_MAX - 1);
	char *buf;
	s64 r;

	if (!n->entry->write)
		return -EIO;
	buf = kmalloc(PROC_WRITE_MAX);
	if (!buf)
		return -ENOMEM;
	if (uio_read(u, buf, len) == len) {
		buf[len] = 0;
		r = n->entry->write(n, buf, len);
	} else {
		r = -EFAULT;
	}
	kfree(buf);
	if (r > 0)
		*pos += (u64)r;
	return r;
}

static void proc_release(struct file *f)
{
	text_unref(f->private);
}

static s64 proc_readlink(struct inode *i, char *buf, size_t size)
{
	struct proc_node *n = proc_node_of(i);

	return n->entry->readlink(n, buf, size);
}

static int proc_follow(struct inode *i, struct path *ret)
{
	struct proc_node *n = proc_node_of(i);

	return n->entry->follow(n, ret);
}

int proc_show_value(struct proc_node *n, struct text *t)
{
	text_puts(t, n->entry->value);
	return 0;
}

static int proc_setattr(struct inode *i, const struct inode_attr *a)
{
	(void)i;
	/* open(O_TRUNC) of a writable file. */
	return a->valid & ~(u32)(ATTR_SIZE | ATTR_MTIME | ATTR_ATIME) ? -EPERM : 0;
}

static const struct inode_ops proc_dir_ops = {
	.lookup = proc_lookup,
	.revalidate = proc_revalidate,
	.getattr = proc_getattr,
	.permission = proc_permission,
	.open = proc_open,
};
static const struct inode_ops proc_file_ops = {
	.getattr = proc_getattr,
	.permission = proc_permission,
	.open = proc_open,
	.setattr = proc_setattr,
};
/* /proc/self and the like: the text is the target. */
static const struct inode_ops proc_link_ops = {
	.readlink = proc_readlink,
	.getattr = proc_getattr,
};
static const struct inode_ops proc_magic_ops = {
	.readlink = proc_readlink,
	.follow = proc_follow,
	.getattr = proc_getattr,
};
static const struct file_ops proc_dir_fops = { .iterate = proc_iterate,
					       .llseek = file_llseek_generic };
static const struct file_ops proc_file_fops = {
	.read = proc_read,
	.write = proc_write,
	.llseek = file_llseek_generic,
	.release = proc_release,
};

/* ---- the file system ---- */

static int proc_statfs(struct super *sb, struct linux_statfs *ret)
{
	(void)sb;
	*ret = (struct linux_statfs){ .f_type = PROC_SUPER_MAGIC,
				      .f_bsize = PAGE_SIZE,
				      .f_frsize = PAGE_SIZE,
				      .f_namelen = NAME_MAX };
	return 0;
}

static void proc_put(struct super *sb)
{
	kfree(sb);
}

static const struct super_ops proc_super_ops = { .statfs = proc_statfs, .put = proc_put };
static const struct proc_entry root_entry = {
	.name = "/", .mode = S_IFDIR | 0555, .dir = proc_root_entries, .numbers = &proc_processes
};

int procfs_super_new(struct super **ret)
{
	struct super *sb = kzalloc(sizeof(*sb));
	struct inode *root;

	if (!sb)
		return -ENOMEM;
	sb->ops = &proc_super_ops;
	sb->type = "proc";
	/* Or what was looked up of processes that have ended would fill the cache. */
	sb->uncached = true;
	sb->dev = super_new_dev();
	sb->refs = 1;
	root = proc_inode_new(sb, &root_entry, NULL);
	if (!root || !dentry_new_root(sb, root)) {
		inode_unref(root);
		kfree(sb);
		return -ENOMEM;
	}
	root->ino = PROC_ROOT_INO;
	*ret = sb;
	return 0;
}
