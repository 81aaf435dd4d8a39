/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/PID/maps, smaps: proc(5). */
#include "abi/linux/errno.h"
#include "abi/linux/kdev.h"
#include "abi/linux/limits.h"
#include "base/string.h"
#include "kernel/fs/internal.h"
#include "kernel/fs/procfs.h"
#include "kernel/mm/mm.h"

#define MAPS_NAME_COLUMN 73u

static const char *vma_special_name(const struct mm *mm, const struct vma *v)
{
	if (v->flags & VMA_F_VDSO)
		return "[vdso]";
	if (v->flags & VMA_F_VVAR)
		return "[vvar]";
	if (v->flags & VMA_F_HEAP ||
	    (!v->file && v->start <= mm->brk && v->end >= mm->brk_start && mm->brk > mm->brk_start))
		return "[heap]";
	return v->flags & VMA_F_STACK ? "[stack]" : NULL;
}

static void show_vma_name(struct text *t, const struct mm *mm, const struct vma *v,
			  size_t line_start, char *buf)
{
	const char *name = v->file ? path_string(&v->file->path, NULL, buf, PATH_MAX)
				   : vma_special_name(mm, v);
	bool gone = v->file && v->file->path.mnt == anon_mount;

	if (name) {
		while (t->len - line_start < MAPS_NAME_COLUMN && !t->failed)
			text_putc(t, ' ');
		text_puts_mangled(t, name, "");
		if (gone)
			text_puts(t, " (deleted)");
	}
	text_putc(t, '\n');
}

static void show_vma(struct text *t, const struct mm *mm, const struct vma *v, char *buf)
{
	size_t line_start = t->len;
	u64 dev = 0, ino = 0;

	if (v->file) {
		struct inode *i = v->file->inode;

		dev = i->dev ? i->dev : i->sb->dev;
		ino = i->ino;
	}
	text_printf(t, "%08lx-%08lx %c%c%c%c %08lx %02x:%02x %lu ", v->start, v->end,
		    v->flags & VMA_F_READ ? 'r' : '-', v->flags & VMA_F_WRITE ? 'w' : '-',
		    v->flags & VMA_F_EXEC ? 'x' : '-', v->flags & VMA_F_SHARED ? 's' : 'p',
		    v->file ? v->pgoff << PAGE_SHIFT : 0, kdev_major(dev), kdev_minor(dev), ino);
	show_vma_name(t, mm, v, line_start, buf);
}

static u64 vma_resident_pages(struct mm *mm, const struct vma *v)
{
	uptr_t at = v->start;
	u64 offset, n = 0;
	u32 prot;

	while (at < v->end && kplat->as_next(&mm->as, at, v->end, &at, &offset, &prot)) {
		n++;
		at += PAGE_SIZE;
	}
	return n;
}

static void show_vma_usage(struct text *t, struct mm *mm, const struct vma *v)
{
	u64 size = (v->end - v->start) >> 10, rss = vma_resident_pages(mm, v) << 2;
	bool anon = !v->file;

	text_printf(
		t,
		"Size:           %8lu kB\nKernelPageSize: %8u kB\nMMUPageSize:    %8u kB\nRss:            %8lu kB\n",
		size, 4, 4, rss);
	text_printf(t, "Pss:            %8lu kB\nShared_Clean:   %8u kB\nShared_Dirty:   %8u kB\n",
		    rss, 0, 0);
	text_printf(t, "Private_Clean:  %8lu kB\nPrivate_Dirty:  %8lu kB\n", anon ? 0 : rss,
		    anon ? rss : 0);
	text_printf(t, "Referenced:     %8lu kB\nAnonymous:      %8lu kB\nSwap:           %8u kB\n",
		    rss, anon ? rss : 0, 0);
}

static int show_maps(struct proc_node *n, struct text *t, bool usage)
{
	struct mm *mm = proc_mm(n);
	char *buf = kmalloc(PATH_MAX);

	/* Nothing below sleeps, so the tree stays as it is. */
	for (struct vma *v = mm && buf ? mm_first_vma(mm) : NULL; v && !t->failed;
	     v = vma_next(v)) {
		show_vma(t, mm, v, buf);
		if (usage)
			show_vma_usage(t, mm, v);
	}
	if (mm)
		mm_unref(mm);
	kfree(buf);
	return buf ? 0 : -ENOMEM;
}

int proc_show_maps(struct proc_node *n, struct text *t)
{
	return show_maps(n, t, false);
}

int proc_show_smaps(struct proc_node *n, struct text *t)
{
	return show_maps(n, t, true);
}
