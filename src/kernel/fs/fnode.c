/* SPDX-License-Identifier: Apache-2.0 */
/* Reading files through the page cache, and directories through snapshots. */
#include "kernel/fs/fnode.h"

#include "abi/linux/ioctl.h"
#include "kernel/fs/internal.h"
#include "kernel/mm/uaccess.h"

/* ---- regular files ---- */

static u64 file_pages(const struct inode *i)
{
	return (i->size + PAGE_SIZE - 1) >> PAGE_SHIFT;
}

/* Sequential reading doubles the window up to the most; a jump starts over. */
static unsigned readahead_window(struct file *f, u64 index, u64 want_pages)
{
	if (index == f->ra_next || index + 1 == f->ra_next)
		f->ra_pages = f->ra_pages ? MIN(f->ra_pages * 2, READAHEAD_PAGES_MAX) : 4;
	else
		f->ra_pages = 1;
	return MAX(f->ra_pages, (unsigned)MIN(want_pages, (u64)READAHEAD_PAGES_MAX));
}

/* Data of one page into u; a hole of a memory file needs no page. Bytes copied or -errno. */
static s64 read_page(struct file *f, struct uio *u, u64 pos, size_t n)
{
	struct inode *i = f->inode;
	u64 index = pos >> PAGE_SHIFT;
	struct page *p = pcache_find(i, index);
	size_t got;
	int r;

	if (p) {
		p->flags |= PAGE_F_REFERENCED;
		page_ref(p);
	} else if (!i->pcache->fill || (pos & ~PAGE_MASK) >= fnode_of(i)->lower.size) {
		got = uio_zero(u, n);
		return got ? (s64)got : -EFAULT;
	} else {
		r = pcache_get(i, index,
			       readahead_window(f, index, (u->resid + PAGE_MASK) >> PAGE_SHIFT),
			       file_pages(i), &p);
		if (r < 0)
			return r;
	}
	got = uio_write(u, (u8 *)page_address(p) + (pos & PAGE_MASK), n);
	page_unref(p);
	return got ? (s64)got : -EFAULT;
}

s64 fnode_read(struct file *f, struct uio *u, u64 *pos)
{
	struct inode *i = f->inode;
	s64 done = 0;

	while (u->resid && *pos < i->size) {
		size_t n = MIN(PAGE_SIZE - (*pos & PAGE_MASK), i->size - *pos);
		s64 got;

		n = MIN(n, u->resid);
		got = read_page(f, u, *pos, n);
		if (got == -EIO &&
		    *pos >= i->size) /* cut by the host: the end, as if it had been there before */
			break;
		if (got < 0)
			return done ? done : got;
		*pos += (u64)got;
		done += got;
		if ((size_t)got < n)
			break;
	}
	if (done > 0) {
		f->ra_next = (*pos + PAGE_MASK) >> PAGE_SHIFT;
		if (!(f->flags & O_NOATIME) && !fnode_of(i)->lower.present)
			inode_touch_atime(i);
	}
	return done;
}

/* For a mapping that only reads for now: read around the fault in one aligned piece. */
int fnode_fault_read(struct file *f, u64 index, struct page **ret)
{
	struct inode *i = f->inode;
	u64 pages = file_pages(i), start = ALIGN_DOWN(index, (u64)READAROUND_PAGES);
	struct page *first;
	int r;

	if (index >= pages)
		return -EIO;
	if (start < index && i->pcache->fill && !pcache_find(i, index) &&
	    (start << PAGE_SHIFT) < fnode_of(i)->lower.size) {
		while (start < index && pcache_find(i, start))
			start++;
		if (start < index) {
			r = pcache_get(i, start, READAROUND_PAGES, pages, &first);
			if (r == 0)
				page_unref(first);
		}
	}
	r = pcache_get(i, index, READAROUND_PAGES, pages, ret);
	if (r == 0 &&
	    index >= file_pages(i)) { /* found out while reading: the host's file was cut */
		page_unref(*ret);
		return -EIO;
	}
	return r;
}

s64 fnode_ioctl(struct file *f, u32 cmd, u64 arg)
{
	struct inode *i = f->inode;

	switch (cmd) {
	case FIONREAD:
		if (!S_ISREG(i->mode))
			return -ENOTTY;
		return put_user_u32(
			arg, i->size > f->pos ? (u32)MIN(i->size - f->pos, (u64)0x7fffffff) : 0);
	case FIOQSIZE:
		return put_user_u64(arg, i->size);
	case FS_IOC_GETFLAGS:
		return -ENOTTY;
	default:
		return -ENOTTY;
	}
}

int fnode_write_begin(struct file *f, struct uio *u, u64 *pos, u64 *ret_n)
{
	struct inode *i = f->inode;
	u64 n = u->resid;
	int r;

	if (f->flags & O_APPEND)
		*pos = i->size;
	r = file_write_limit(*pos, &n);
	if (r < 0)
		return r;
	*ret_n = n;
	/* write(2): a write by somebody without CAP_FSETID clears the set-user-ID and set-group-ID bits. */
	if (n && (i->mode & (S_ISUID | S_ISGID)) && current &&
	    !cred_capable(current->cred, CAP_FSETID)) {
		struct inode_attr a = { .valid = ATTR_MODE,
					.mode = i->mode & 07777 & ~(u32)S_ISUID };

		if (i->mode & S_IXGRP)
			a.mode &= ~(u32)S_ISGID;
		if (a.mode != (i->mode & 07777))
			return vfs_setattr(i, &a);
	}
	return 0;
}

/* ---- directories ---- */

#define DIRCHUNK_BYTES 8000u

struct dirchunk {
	struct dirchunk *next;
	u32 used;
	u8 data[DIRCHUNK_BYTES];
};
struct dirrec {
	u64 ino;
	u8 type, len;
	char name[];
};
static u32 dirrec_size(u32 len)
{
	return ALIGN_UP((u32)sizeof(struct dirrec) + len, 8u);
}

int dirlist_add(struct dirlist *dl, const char *name, size_t len, u64 ino, u32 type)
{
	struct dirchunk *c = dl->last;
	struct dirrec *rec;

	if (len > NAME_MAX || dl->count >= DIR_ENTRIES_MAX)
		return -EIO;
	if (!c || DIRCHUNK_BYTES - c->used < dirrec_size((u32)len)) {
		c = kmalloc(sizeof(*c));
		if (!c)
			return -ENOMEM;
		c->next = NULL;
		c->used = 0;
		if (dl->last)
			dl->last->next = c;
		else
			dl->first = c;
		dl->last = c;
	}
	rec = (void *)(c->data + c->used);
	rec->ino = ino;
	rec->type = (u8)type;
	rec->len = (u8)len;
	memcpy(rec->name, name, len);
	c->used += dirrec_size((u32)len);
	dl->count++;
	return 0;
}

static void dirlist_free(struct dirlist *dl)
{
	struct dirchunk *c, *next;

	for (c = dl ? dl->first : NULL; c; c = next) {
		next = c->next;
		kfree(c);
	}
	kfree(dl);
}

/* Record number `index`, moving the cursor; NULL past the end. */
static struct dirrec *dirlist_seek(struct dirlist *dl, u32 index)
{
	if (!dl->at || dl->at_index > index) {
		dl->at = dl->first;
		dl->at_off = dl->at_index = 0;
	}
	while (dl->at) {
		struct dirrec *rec = (void *)(dl->at->data + dl->at_off);

		if (dl->at_off >= dl->at->used) {
			if (!dl->at->next)
				return NULL;
			dl->at = dl->at->next;
			dl->at_off = 0;
			continue;
		}
		if (dl->at_index == index)
			return rec;
		dl->at_off += dirrec_size(rec->len);
		dl->at_index++;
	}
	return NULL;
}

static int dir_snapshot(struct file *f, struct dirlist **ret)
{
	struct fnode *dir = fnode_of(f->inode);
	struct dirlist *dl = f->private;
	int r;

	if (dl && f->pos != 0) {
		*ret = dl;
		return 0;
	}
	dirlist_free(dl);
	f->private = NULL;
	dl = kzalloc(sizeof(*dl));
	if (!dl)
		return -ENOMEM;
	r = dir->list(dir, dl);
	if (r < 0) {
		dirlist_free(dl);
		return r;
	}
	f->private = *ret = dl;
	return 0;
}

static bool dir_emit_dots(struct file *f, struct dir_emit *d)
{
	struct dentry *dot = f->path.dentry,
		      *up = dot == f->path.mnt->root && f->path.mnt->at.dentry
				    ? f->path.mnt->at.dentry->parent
				    : dot->parent;

	if (f->pos == 0) {
		if (!d->emit(d, ".", 1, dot->inode->ino, DT_DIR, 1))
			return false;
		f->pos = 1;
	}
	if (f->pos == 1) {
		if (!d->emit(d, "..", 2, up->inode->ino, DT_DIR, 2))
			return false;
		f->pos = 2;
	}
	return true;
}

static int fnode_iterate(struct file *f, struct dir_emit *d)
{
	struct dirlist *dl;
	struct dirrec *rec;
	int r = dir_snapshot(f, &dl);

	if (r < 0)
		return r;
	if (!dir_emit_dots(f, d))
		return 0;
	while (f->pos - 2 < DIR_ENTRIES_MAX && (rec = dirlist_seek(dl, (u32)(f->pos - 2)))) {
		if (!d->emit(d, rec->name, rec->len, rec->ino, rec->type, f->pos + 1))
			break;
		f->pos++;
	}
	return 0;
}

static s64 fnode_dir_llseek(struct file *f, s64 off, int whence)
{
	if (whence != SEEK_SET && whence != SEEK_CUR)
		return -EINVAL;
	return file_llseek_generic(f, off, whence);
}

static void fnode_dir_release(struct file *f)
{
	dirlist_free(f->private);
}

static int fnode_dir_fsync(struct file *f, bool data_only)
{
	(void)f;
	(void)data_only;
	return 0;
}

const struct file_ops fnode_dir_fops = {
	.iterate = fnode_iterate,
	.llseek = fnode_dir_llseek,
	.release = fnode_dir_release,
	.fsync = fnode_dir_fsync,
	.ioctl = fnode_ioctl,
};
