/* SPDX-License-Identifier: Apache-2.0 */
/* Data of memfs files. A dirty page is the only copy of its data and counts against the file system's limit. */
#include "kernel/fs/memfs.h"

#include "abi/linux/mman.h"
#include "kernel/fs/internal.h"
#include "kernel/mm/mm.h"

bool memfs_mapped_writable(struct inode *i)
{
	struct vma *v;

	list_for_each_entry(v, &i->vmas, inode_link)
		if ((v->flags & VMA_F_SHARED) && (v->flags & (VMA_F_WRITE | VMA_F_MAYWRITE)))
			return true;
	return false;
}

void memfs_drop_pages(struct inode *i, u64 from, u64 to)
{
	struct memfs *fs = memfs_of(i);
	u64 n = i->pcache->nr_dirty;

	pcache_drop(i, from, to);
	n -= i->pcache->nr_dirty;
	fs->used_pages -= n;
	if (fs->quota)
		fs->quota->used_pages -= n;
}

/* Pages that may still be written, as far as limits are concerned. */
static u64 memfs_pages_left(const struct memfs *fs)
{
	const struct memfs_quota *q = fs->quota;
	u64 left = q ? quota_left(q->limit_pages, q->used_pages) : ~0ull;

	return fs->limit_pages ? MIN(left, quota_left(fs->limit_pages, fs->used_pages)) : left;
}

/* Files in memory leave a part of it to programs: who fills a file system gets ENOSPC before others are killed. */
static bool memory_has_room(void)
{
	u64 total, free, reserve;

	page_stats(&total, &free);
	reserve = MAX(total / 16, (u64)256);
	if (likely(free > reserve))
		return true;
	pcache_reclaim(256);
	page_stats(&total, &free);
	return free > reserve;
}

static int memfs_dirty_page(struct inode *i, struct page *p)
{
	struct memfs *fs = memfs_of(i);
	struct memnode *m = memnode_of(i);
	bool room;

	if (p->flags & PAGE_F_DIRTY)
		return 0;
	if (!memfs_pages_left(fs) || memnode_reserve(m) < 0)
		return -ENOSPC;
	page_ref(p); /* making room must not take this one */
	room = memory_has_room();
	page_unref(p);
	if (!room)
		return -ENOSPC;
	memnode_pin(m);
	m->data_modified = true;
	fs->used_pages++;
	if (fs->quota)
		fs->quota->used_pages++;
	pcache_set_dirty(i, p);
	return 0;
}

/* The page for a write of [off, off + n) in it: nothing is read that will be wholly overwritten or was never there. */
static int memfs_write_page(struct inode *i, u64 index, struct page **ret)
{
	struct page *p = pcache_find(i, index);
	int r;

	if (p) {
		page_ref(p);
	} else {
		r = pcache_get(i, index, 1, index + 1, &p);
		if (r < 0)
			return r == -ENOMEM ? -ENOSPC : r;
	}
	r = memfs_dirty_page(i, p);
	if (r < 0) {
		page_unref(p);
		return r;
	}
	*ret = p;
	return 0;
}

static void memfs_extend(struct inode *i, u64 end)
{
	if (end <= i->size)
		return;
	i->size = end;
}

static int memfs_check_seals(struct inode *i, u64 pos, u64 n)
{
	u32 seals = memnode_of(i)->seals;

	if (seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
		return -EPERM;
	return (seals & F_SEAL_GROW) && pos + n > i->size ? -EPERM : 0;
}

static s64 memfs_write(struct file *f, struct uio *u, u64 *pos)
{
	struct inode *i = f->inode;
	u64 n = 0, done = 0;
	int r = fnode_write_begin(f, u, pos, &n);

	if (r == 0)
		r = memfs_check_seals(i, *pos, n);
	if (r < 0)
		return r;
	if (n && *pos > i->size)
		pcache_zero_tail(i, i->size);
	while (done < n) {
		size_t off = *pos & PAGE_MASK, want = MIN(PAGE_SIZE - off, n - done), got;
		struct page *p;

		r = memfs_write_page(i, *pos >> PAGE_SHIFT, &p);
		if (r < 0)
			break;
		got = uio_read(u, (u8 *)page_address(p) + off, want);
		page_unref(p);
		*pos += got;
		done += got;
		if (got)
			memfs_extend(i, *pos);
		if (got < want) {
			r = -EFAULT;
			break;
		}
	}
	if (done) {
		memnode_pin(memnode_of(i));
		inode_touch(i, ATTR_MTIME);
	}
	return done ? (s64)done : r;
}

int memfs_truncate(struct inode *i, u64 size)
{
	struct memnode *m = memnode_of(i);
	u64 first = (size + PAGE_MASK) >> PAGE_SHIFT;
	int r;

	if (size > FILE_MAX_BYTES)
		return -EFBIG;
	if ((size < i->size && (m->seals & F_SEAL_SHRINK)) ||
	    (size > i->size && (m->seals & F_SEAL_GROW)))
		return -EPERM;
	r = memnode_reserve(m);
	if (r < 0)
		return r;
	memnode_pin(m);
	m->data_modified = true;
	if (size < i->size) {
		i->size = size;
		m->f.lower.size = MIN(m->f.lower.size, size);
		if (!list_empty(&i->vmas))
			mm_unmap_inode(i, first);
		memfs_drop_pages(i, first, ~0ull);
		pcache_zero_tail(i, size);
	} else {
		pcache_zero_tail(i, i->size);
		i->size = size;
	}
	inode_touch(i, ATTR_MTIME);
	return 0;
}

static int memfs_fault_page(struct file *f, u64 index, bool write, struct page **ret)
{
	struct inode *i = f->inode;
	int r;

	if (!write)
		return fnode_fault_read(f, index, ret);
	if (index >= (i->size + PAGE_MASK) >> PAGE_SHIFT)
		return -EIO;
	r = memfs_write_page(i, index, ret);
	if (r == 0)
		inode_touch(i, ATTR_MTIME);
	return r;
}

static int memfs_mmap(struct file *f, struct vma *v)
{
	u32 seals = memnode_of(f->inode)->seals;

	if ((v->flags & VMA_F_SHARED) && (v->flags & VMA_F_WRITE) &&
	    (seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)))
		return -EPERM;
	return 0;
}

/* Zeroes [from, to), which lies within one page. */
static int memfs_zero_part(struct inode *i, u64 from, u64 to)
{
	struct page *p;
	int r;

	if (from >= to)
		return 0;
	if (!pcache_find(i, from >> PAGE_SHIFT) &&
	    (from & ~PAGE_MASK) >= memnode_of(i)->f.lower.size)
		return 0; /* a hole */
	r = memfs_write_page(i, from >> PAGE_SHIFT, &p);
	if (r < 0)
		return r;
	memset((u8 *)page_address(p) + (from & PAGE_MASK), 0, to - from);
	page_unref(p);
	return 0;
}

/* Whole pages become holes; where the lower file has data, zeros in memory must hide it. */
static int memfs_punch_pages(struct inode *i, u64 from, u64 to)
{
	u64 lower_end = (memnode_of(i)->f.lower.size + PAGE_MASK) >> PAGE_SHIFT;

	if (!list_empty(&i->vmas))
		mm_unmap_inode(i, from);
	memfs_drop_pages(i, from, to);
	for (u64 n = from; n < MIN(to, lower_end); n++) {
		struct page *p;
		int r = pcache_find(i, n) ? 0 : pcache_add_zero(i, n, &p);

		if (r == 0)
			r = memfs_dirty_page(i, pcache_find(i, n));
		if (r < 0)
			return r;
	}
	return 0;
}

static int memfs_punch(struct inode *i, u64 off, u64 end)
{
	u64 first = (off + PAGE_MASK) >> PAGE_SHIFT, last = end >> PAGE_SHIFT;
	int r;

	if (first > last)
		return memfs_zero_part(i, off, end);
	r = memfs_zero_part(i, off, first << PAGE_SHIFT);
	if (r == 0)
		r = memfs_zero_part(i, last << PAGE_SHIFT, end);
	if (r == 0 && first < last)
		r = memfs_punch_pages(i, first, last);
	return r;
}

static s64 memfs_fallocate(struct file *f, int mode, u64 off, u64 len)
{
	struct inode *i = f->inode;
	u64 end = off + len;
	int r;

	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
		return -EOPNOTSUPP;
	r = memfs_check_seals(i, off, mode & FALLOC_FL_KEEP_SIZE ? 0 : len);
	if (r < 0)
		return r;
	/* No pages are set aside, but what cannot fit is refused now. */
	if (!(mode & FALLOC_FL_PUNCH_HOLE) && (len >> PAGE_SHIFT) > memfs_pages_left(memfs_of(i)))
		return -ENOSPC;
	r = memnode_reserve(memnode_of(i));
	if (r < 0)
		return r;
	memnode_pin(memnode_of(i));
	if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) {
		r = off < i->size ? memfs_punch(i, off, MIN(end, i->size)) : 0;
		if (r < 0)
			return r;
	}
	if (!(mode & FALLOC_FL_KEEP_SIZE) && end > i->size) {
		pcache_zero_tail(i, i->size);
		i->size = end;
	}
	inode_touch(i, ATTR_MTIME);
	return 0;
}

/* lseek(2), SEEK_DATA and SEEK_HOLE: data is what the lower file has, and dirty or cached pages. */
static bool memfs_is_data(struct inode *i, u64 index)
{
	return pcache_find(i, index) || index << PAGE_SHIFT < memnode_of(i)->f.lower.size;
}

static s64 memfs_seek_extent(struct file *f, s64 off, bool data)
{
	struct inode *i = f->inode;
	u64 index, pos;

	if (off < 0 || (u64)off >= i->size)
		return -ENXIO;
	for (index = (u64)off >> PAGE_SHIFT;
	     index << PAGE_SHIFT < i->size && memfs_is_data(i, index) != data;) {
		if (data) {
			index++;
			if (!radix_next(&i->pcache->tree, &index))
				return -ENXIO;
		} else {
			index++;
		}
	}
	pos = MAX(index << PAGE_SHIFT, (u64)off);
	if (pos >= i->size) {
		if (data)
			return -ENXIO;
		pos = i->size;
	}
	f->pos = pos;
	return (s64)pos;
}

static s64 memfs_llseek(struct file *f, s64 off, int whence)
{
	if (whence == SEEK_DATA || whence == SEEK_HOLE)
		return memfs_seek_extent(f, off, whence == SEEK_DATA);
	return file_llseek_generic(f, off, whence);
}

static int memfs_fsync(struct file *f, bool data_only)
{
	(void)f;
	(void)data_only;
	return 0;
}

/* The host file may have changed since we last looked: an unchanged file of ours follows it. */
static int memfs_recheck(struct inode *i)
{
	struct memnode *m = memnode_of(i);
	struct hc_stat st;
	int r = lower_fstat(&m->f.lower, &st);

	if (r < 0 || !lower_changed(&m->f.lower, &st) || !S_ISREG(st.mode))
		return r;
	if (!list_empty(&i->vmas))
		mm_unmap_inode(i, 0);
	memfs_drop_pages(i, 0, ~0ull);
	lower_fill_inode(i, &st);
	lower_note(&m->f.lower, &st);
	return 0;
}

int memfs_open(struct inode *i, struct file *f)
{
	struct memnode *m = memnode_of(i);
	int r;

	if (!S_ISREG(i->mode))
		return m->f.lower.present ? -ENXIO : 0;
	if (!m->f.lower.present || m->data_modified || m->modified)
		return 0;
	r = memfs_recheck(i);
	return FMODE_READ(f) ? r : 0;
}

const struct file_ops memfs_fops = {
	.read = fnode_read,
	.write = memfs_write,
	.llseek = memfs_llseek,
	.fault_page = memfs_fault_page,
	.mmap = memfs_mmap,
	.fsync = memfs_fsync,
	.fallocate = memfs_fallocate,
	.ioctl = fnode_ioctl,
};

const struct file_ops memfs_special_fops = { 0 };

const struct inode_ops memfs_file_ops = {
	.setattr = memfs_setattr,
	.getattr = memfs_getattr,
	.open = memfs_open,
	.evict = memfs_evict,
};
