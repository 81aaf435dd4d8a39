/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/PID/mounts, mountinfo: fstab(5), proc(5). */
#include "abi/linux/errno.h"
#include "abi/linux/kdev.h"
#include "abi/linux/limits.h"
#include "abi/linux/mount.h"
#include "base/string.h"
#include "kernel/fs/internal.h"
#include "kernel/fs/procfs.h"
#include "kernel/proc/task.h"

static void show_flags(struct text *t, u32 flags)
{
	static const struct {
		u32 flag;
		const char *name;
	} names[] = { { MS_NOSUID, ",nosuid" },
		      { MS_NODEV, ",nodev" },
		      { MS_NOEXEC, ",noexec" },
		      { MS_NOATIME, ",noatime" } };

	text_puts(t, flags & MS_RDONLY ? "ro" : "rw");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (flags & names[i].flag)
			text_puts(t, names[i].name);
	if (!(flags & MS_NOATIME))
		text_puts(t, ",relatime");
}

static const char *mount_point_of(const struct mount *m, const struct path *root, char *buf)
{
	struct path p = { (struct mount *)(uintptr_t)m, m->root };

	return path_string(&p, root, buf, PATH_MAX);
}

/* As seen from the root of the task that is asked about. */
static int for_each_mount(struct proc_node *n, struct text *t,
			  void (*show)(struct text *, struct mount *, const char *point))
{
	struct task *task = n->tid ? proc_task(n) : current;
	char *buf = kmalloc(PATH_MAX);
	struct mount *m;

	if (!buf)
		return -ENOMEM;
	list_for_each_entry(m, &mounts, link) {
		const char *point =
			task && task->fs ? mount_point_of(m, &task->fs->root, buf) : NULL;

		if (point)
			show(t, m, point);
	}
	kfree(buf);
	return 0;
}

static void show_mount(struct text *t, struct mount *m, const char *point)
{
	text_puts_mangled(t, m->source ? m->source : "none", "#");
	text_putc(t, ' ');
	text_puts_mangled(t, point, "");
	text_putc(t, ' ');
	text_puts(t, m->sb->type);
	text_putc(t, ' ');
	show_flags(t, m->flags);
	text_puts(t, " 0 0\n");
}

static void show_mountinfo(struct text *t, struct mount *m, const char *point)
{
	text_printf(t, "%u %u %u:%u / ", m->id, m->at.mnt ? m->at.mnt->id : 0,
		    kdev_major(m->sb->dev), kdev_minor(m->sb->dev));
	text_puts_mangled(t, point, "");
	text_putc(t, ' ');
	show_flags(t, m->flags);
	text_puts(t, " - ");
	text_puts(t, m->sb->type);
	text_putc(t, ' ');
	text_puts_mangled(t, m->source ? m->source : "none", "");
	text_puts(t, m->flags & MS_RDONLY ? " ro\n" : " rw\n");
}

int proc_show_mounts(struct proc_node *n, struct text *t)
{
	return for_each_mount(n, t, show_mount);
}

int proc_show_mountinfo(struct proc_node *n, struct text *t)
{
	return for_each_mount(n, t, show_mountinfo);
}
