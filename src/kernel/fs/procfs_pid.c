/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/PID and /proc/PID/task/TID: proc(5). */
#include "abi/linux/capability.h"
#include "abi/linux/errno.h"
#include "abi/linux/fcntl.h"
#include "abi/linux/limits.h"
#include "base/format.h"
#include "base/parse.h"
#include "base/string.h"
#include "kernel/core/cpu.h"
#include "kernel/fs/internal.h"
#include "kernel/fs/procfs.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/task.h"

#define FDINFO_EXTRA_MAX 3500u

/* ---- numbers ---- */

static int process_next(struct proc_node *dir, int from)
{
	struct process *p;
	int best = -1;

	(void)dir;
	list_for_each_entry(p, &processes, all_node)
		if (p->pid >= from && (best < 0 || p->pid < best))
			best = p->pid;
	return best;
}

/* Threads have a directory too, which is not listed. */
static bool process_valid(struct proc_node *dir, int nr)
{
	struct task *t = task_find(nr);

	(void)dir;
	return t && t->proc;
}

static int thread_next(struct proc_node *dir, int from)
{
	struct task *me = proc_task(dir), *t;
	int best = -1;

	if (!me)
		return -1;
	list_for_each_entry(t, &me->proc->threads, thread_node)
		if (t->tid >= from && (best < 0 || t->tid < best))
			best = t->tid;
	return best;
}

static bool thread_valid(struct proc_node *dir, int nr)
{
	struct task *me = proc_task(dir), *t = task_find(nr);

	return me && t && t->proc == me->proc;
}

static struct fdtable *node_fdtable(const struct proc_node *n)
{
	struct task *t = proc_task(n);

	return t ? t->files : NULL;
}

static int fd_next(struct proc_node *dir, int from)
{
	struct fdtable *t = node_fdtable(dir);

	for (u32 fd = (u32)from; t && fd < t->size; fd++)
		if (t->files[fd])
			return (int)fd;
	return -1;
}

static bool fd_valid(struct proc_node *dir, int nr)
{
	struct fdtable *t = node_fdtable(dir);

	return t && nr >= 0 && (u32)nr < t->size && t->files[nr];
}

/* ---- links ---- */

/* The task behind a link that only those who may trace it may use. */
static int link_task(const struct proc_node *n, struct task **ret)
{
	struct task *t = proc_task(n);

	if (!t)
		return -ENOENT;
	if (!proc_may_access(t))
		return -EACCES;
	*ret = t;
	return 0;
}

static s64 copy_link(const char *s, char *buf, size_t size)
{
	size_t n = MIN(strlen(s), size);

	memcpy(buf, s, n);
	return (s64)n;
}

/* Text of a path as readlink(2) shows it. */
static s64 path_link(const struct path *p, char *buf, size_t size)
{
	static const char gone[] = " (deleted)";
	char *tmp, *s;
	s64 r = -ENAMETOOLONG;

	if (p->mnt == anon_mount &&
	    (S_ISFIFO(p->dentry->inode->mode) || S_ISSOCK(p->dentry->inode->mode))) {
		char name[40];

		fmt_snprintf(name, sizeof(name), "%s:[%lu]",
			     S_ISFIFO(p->dentry->inode->mode) ? "pipe" : "socket",
			     p->dentry->inode->ino);
		return copy_link(name, buf, size);
	}
	tmp = kmalloc(PATH_MAX);
	if (!tmp)
		return -ENOMEM;
	s = path_string(p, NULL, tmp, PATH_MAX - sizeof(gone));
	if (s) {
		/* Memory files have never had a name. */
		if (p->mnt == anon_mount && S_ISREG(p->dentry->inode->mode) && s[0] == '/')
			memcpy(tmp + PATH_MAX - sizeof(gone) - 1, gone, sizeof(gone));
		r = copy_link(s, buf, size);
	}
	kfree(tmp);
	return r;
}

static int fd_follow(struct proc_node *n, struct path *ret)
{
	struct task *t;
	struct file *f;
	int r = link_task(n, &t);

	if (r < 0)
		return r;
	f = t->files ? fd_get_from(t->files, n->nr) : NULL;
	if (!f)
		return -ENOENT;
	*ret = f->path;
	path_ref(ret);
	file_unref(f);
	return 0;
}

static int exe_follow(struct proc_node *n, struct path *ret)
{
	struct task *t;
	int r = link_task(n, &t);

	if (r < 0)
		return r;
	if (!t->mm || !t->mm->exe)
		return -ENOENT;
	*ret = t->mm->exe->path;
	path_ref(ret);
	return 0;
}

static int fs_follow(struct proc_node *n, struct path *ret, bool root)
{
	struct task *t;
	int r = link_task(n, &t);

	if (r < 0)
		return r;
	if (!t->fs)
		return -ENOENT;
	*ret = root ? t->fs->root : t->fs->cwd;
	path_ref(ret);
	return 0;
}

static int cwd_follow(struct proc_node *n, struct path *ret)
{
	return fs_follow(n, ret, false);
}

static int root_follow(struct proc_node *n, struct path *ret)
{
	return fs_follow(n, ret, true);
}

static s64 magic_readlink(struct proc_node *n, char *buf, size_t size)
{
	struct path p;
	s64 r = n->entry->follow(n, &p);

	if (r < 0)
		return r;
	r = path_link(&p, buf, size);
	path_unref(&p);
	return r;
}

/* ---- memory: cmdline, environ, auxv, mem ---- */

static void show_user_range(struct text *t, struct mm *mm, uptr_t from, uptr_t to)
{
	char buf[512];

	while (from < to && !t->failed) {
		s64 got = mm_read(mm, from, buf, MIN(to - from, sizeof(buf)));

		if (got <= 0)
			break;
		text_write(t, buf, (size_t)got);
		from += (u64)got;
	}
}

static int show_cmdline(struct proc_node *n, struct text *t)
{
	struct mm *mm = proc_mm(n);
	uptr_t start, end;

	if (!mm)
		return 0;
	start = mm->arg_start;
	end = mm->arg_end;
	show_user_range(t, mm, start, MIN(end, start + PROC_TEXT_MAX / 2));
	/* proc(5): a program that overwrote the last NUL (setproctitle) goes on into the environment, up to its first NUL. */
	if (t->len && t->len == end - start && t->buf[t->len - 1]) {
		size_t old = t->len;
		const char *nul;

		show_user_range(t, mm, mm->env_start,
				MIN(mm->env_end, mm->env_start + PROC_TEXT_MAX / 4));
		nul = memchr(t->buf + old, 0, t->len - old);
		if (nul)
			t->len = (size_t)(nul - t->buf);
	}
	mm_unref(mm);
	return 0;
}

static int show_environ(struct proc_node *n, struct text *t)
{
	struct mm *mm = proc_mm(n);

	if (!mm)
		return 0;
	show_user_range(t, mm, mm->env_start, MIN(mm->env_end, mm->env_start + PROC_TEXT_MAX / 2));
	mm_unref(mm);
	return 0;
}

static int show_auxv(struct proc_node *n, struct text *t)
{
	struct mm *mm = proc_mm(n);

	if (!mm)
		return 0;
	text_write(t, mm->auxv, MIN(mm->auxv_len, (u32)ARRAY_SIZE(mm->auxv)) * sizeof(u64));
	mm_unref(mm);
	return 0;
}

static s64 mem_transfer(struct file *f, struct uio *u, u64 *pos, bool write)
{
	struct proc_node *n = proc_node_of(f->inode);
	struct mm *mm = proc_mm(n);
	char buf[512];
	s64 done = 0, got = 0;

	if (!mm)
		return 0;
	while (u->resid) {
		size_t want = MIN(u->resid, sizeof(buf));

		if (write && uio_read(u, buf, want) != want)
			got = -EFAULT;
		else
			got = write ? mm_write(mm, *pos, buf, want) : mm_read(mm, *pos, buf, want);
		if (got > 0 && !write && uio_write(u, buf, (size_t)got) != (size_t)got)
			got = -EFAULT;
		if (got <= 0)
			break;
		*pos += (u64)got;
		done += got;
		if ((size_t)got < want)
			break;
	}
	mm_unref(mm);
	return done ? done : got < 0 ? -EIO : 0;
}

static s64 mem_read(struct file *f, struct uio *u, u64 *pos)
{
	return mem_transfer(f, u, pos, false);
}

static s64 mem_write(struct file *f, struct uio *u, u64 *pos)
{
	return mem_transfer(f, u, pos, true);
}

static s64 mem_llseek(struct file *f, s64 off, int whence)
{
	if (whence != SEEK_SET && whence != SEEK_CUR)
		return -EINVAL;
	f->pos = (whence == SEEK_CUR ? f->pos : 0) + (u64)off;
	return (s64)f->pos;
}

const struct file_ops proc_mem_fops = { .read = mem_read,
					.write = mem_write,
					.llseek = mem_llseek };

/* ---- small files ---- */

static int show_comm(struct proc_node *n, struct text *t)
{
	text_printf(t, "%s\n", proc_task(n)->comm);
	return 0;
}

static s64 write_comm(struct proc_node *n, char *buf, size_t len)
{
	struct task *t = proc_task(n);

	if (!t)
		return -ESRCH;
	if (t->proc != current->proc)
		return -EINVAL;
	strlcpy(t->comm, buf, sizeof(t->comm));
	return (s64)len;
}

static int show_oom_score_adj(struct proc_node *n, struct text *t)
{
	text_printf(t, "%d\n", proc_task(n)->proc->oom_score_adj);
	return 0;
}

static s64 write_oom_score_adj(struct proc_node *n, char *buf, size_t len)
{
	struct task *t = proc_task(n);
	s64 v;

	if (!t)
		return -ESRCH;
	if (len && buf[len - 1] == '\n')
		buf[len - 1] = 0;
	if (!parse_s64(buf, &v) || v < -1000 || v > 1000)
		return -EINVAL;
	if (v < t->proc->oom_score_adj && !cred_capable(current->cred, CAP_SYS_RESOURCE))
		return -EACCES;
	t->proc->oom_score_adj = (int)v;
	return (s64)len;
}

static int show_personality(struct proc_node *n, struct text *t)
{
	text_printf(t, "%08x\n", proc_task(n)->personality);
	return 0;
}

static int show_id_map(struct proc_node *n, struct text *t)
{
	(void)n;
	text_puts(t, "         0          0 4294967295\n");
	return 0;
}

static void show_limit_value(struct text *t, u64 v)
{
	char buf[24];

	if (v == RLIM64_INFINITY)
		fmt_snprintf(buf, sizeof(buf), "unlimited");
	else
		fmt_snprintf(buf, sizeof(buf), "%lu", v);
	text_printf(t, "%-20s ", buf);
}

static int show_limits(struct proc_node *n, struct text *t)
{
	static const struct {
		const char *name, *unit;
	} limits[] = {
		[RLIMIT_CPU] = { "Max cpu time", "seconds" },
		[RLIMIT_FSIZE] = { "Max file size", "bytes" },
		[RLIMIT_DATA] = { "Max data size", "bytes" },
		[RLIMIT_STACK] = { "Max stack size", "bytes" },
		[RLIMIT_CORE] = { "Max core file size", "bytes" },
		[RLIMIT_RSS] = { "Max resident set", "bytes" },
		[RLIMIT_NPROC] = { "Max processes", "processes" },
		[RLIMIT_NOFILE] = { "Max open files", "files" },
		[RLIMIT_MEMLOCK] = { "Max locked memory", "bytes" },
		[RLIMIT_AS] = { "Max address space", "bytes" },
		[RLIMIT_LOCKS] = { "Max file locks", "locks" },
		[RLIMIT_SIGPENDING] = { "Max pending signals", "signals" },
		[RLIMIT_MSGQUEUE] = { "Max msgqueue size", "bytes" },
		[RLIMIT_NICE] = { "Max nice priority", NULL },
		[RLIMIT_RTPRIO] = { "Max realtime priority", NULL },
		[RLIMIT_RTTIME] = { "Max realtime timeout", "us" },
	};
	struct process *p = proc_task(n)->proc;

	text_puts(
		t,
		"Limit                     Soft Limit           Hard Limit           Units     \n");
	for (unsigned i = 0; i < ARRAY_SIZE(limits); i++) {
		text_printf(t, "%-25s ", limits[i].name);
		show_limit_value(t, p->rlimit[i].rlim_cur);
		show_limit_value(t, p->rlimit[i].rlim_max);
		if (limits[i].unit)
			text_printf(t, "%-10s", limits[i].unit);
		text_putc(t, '\n');
	}
	return 0;
}

static int show_fdinfo(struct proc_node *n, struct text *t)
{
	struct fdtable *table = node_fdtable(n);
	struct file *f = table ? fd_get_from(table, n->nr) : NULL;
	u32 flags;
	char *extra;

	if (!f)
		return -ENOENT;
	flags = f->flags | (table->cloexec[n->nr / 64] >> (n->nr % 64) & 1 ? O_CLOEXEC : 0);
	text_printf(t, "pos:\t%ld\nflags:\t0%o\nmnt_id:\t%u\nino:\t%lu\n", (s64)f->pos, flags,
		    f->path.mnt->id, f->inode->ino);
	extra = f->ops->fdinfo ? kzalloc(FDINFO_EXTRA_MAX) : NULL;
	if (extra) {
		f->ops->fdinfo(f, extra, FDINFO_EXTRA_MAX);
		text_puts(t, extra);
		kfree(extra);
	}
	file_unref(f);
	return 0;
}

/* ---- tables ---- */

#define REG(n, m, s)   .name = (n), .mode = S_IFREG | (m), .show = (s)
#define LINK(n, f)     .name = (n), .mode = S_IFLNK | 0777, .readlink = magic_readlink, .follow = (f)
#define VALUE(n, m, v) .name = (n), .mode = S_IFREG | (m), .show = proc_show_value, .value = (v)

static const struct proc_entry fd_entry = {
	.name = "N", .mode = S_IFLNK | 0700, .readlink = magic_readlink, .follow = fd_follow
};
static const struct proc_entry fdinfo_entry = { REG("N", 0444, show_fdinfo),
						.flags = PROC_F_OWNER };
static const struct proc_numbers fd_numbers = { .next = fd_next,
						.valid = fd_valid,
						.entry = &fd_entry };
static const struct proc_numbers fdinfo_numbers = { .next = fd_next,
						    .valid = fd_valid,
						    .entry = &fdinfo_entry };

#define COMMON_ENTRIES                                                                             \
	{ .name = "fd", .mode = S_IFDIR | 0500, .numbers = &fd_numbers, .flags = PROC_F_OWNER },   \
		{ .name = "fdinfo",                                                                \
		  .mode = S_IFDIR | 0555,                                                          \
		  .numbers = &fdinfo_numbers,                                                      \
		  .flags = PROC_F_OWNER },                                                         \
		{ REG("environ", 0400, show_environ), .flags = PROC_F_OWNER },                     \
		{ REG("auxv", 0400, show_auxv), .flags = PROC_F_OWNER },                           \
		{ REG("status", 0444, proc_show_status) },                                         \
		{ REG("personality", 0400, show_personality), .flags = PROC_F_OWNER },             \
		{ REG("limits", 0444, show_limits) },                                              \
		{ REG("comm", 0644, show_comm), .write = write_comm },                             \
		{ REG("cmdline", 0444, show_cmdline) }, { REG("stat", 0444, proc_show_stat) },     \
		{ REG("statm", 0444, proc_show_statm) },                                           \
		{ REG("maps", 0444, proc_show_maps), .flags = PROC_F_OWNER },                      \
		{ .name = "mem",                                                                   \
		  .mode = S_IFREG | 0600,                                                          \
		  .fops = &proc_mem_fops,                                                          \
		  .flags = PROC_F_OWNER },                                                         \
		{ LINK("cwd", cwd_follow) }, { LINK("root", root_follow) },                        \
		{ LINK("exe", exe_follow) }, { REG("mounts", 0444, proc_show_mounts) },            \
		{ REG("mountinfo", 0444, proc_show_mountinfo) },                                   \
		{ REG("smaps", 0444, proc_show_smaps), .flags = PROC_F_OWNER },                    \
		{ VALUE("wchan", 0444, "0") }, { VALUE("cgroup", 0444, "0::/\n") },                \
		{ VALUE("oom_score", 0444, "0\n") },                                               \
		{ REG("oom_score_adj", 0644, show_oom_score_adj), .write = write_oom_score_adj },  \
		{ VALUE("loginuid", 0644, "4294967295") },                                         \
		{ VALUE("sessionid", 0444, "4294967295") }, { REG("uid_map", 0644, show_id_map) }, \
		{ REG("gid_map", 0644, show_id_map) }, { REG("projid_map", 0644, show_id_map) },   \
	{                                                                                          \
		VALUE("setgroups", 0644, "allow\n")                                                \
	}

static const struct proc_entry thread_entries[] = { COMMON_ENTRIES, { .name = NULL } };
static const struct proc_entry thread_entry = { .name = "TID",
						.mode = S_IFDIR | 0555,
						.dir = thread_entries };
static const struct proc_numbers thread_numbers = { .next = thread_next,
						    .valid = thread_valid,
						    .entry = &thread_entry };

static const struct proc_entry process_entries[] = {
	{ .name = "task", .mode = S_IFDIR | 0555, .numbers = &thread_numbers },
	COMMON_ENTRIES,
	{ .name = NULL },
};
static const struct proc_entry process_entry = { .name = "PID",
						 .mode = S_IFDIR | 0555,
						 .dir = process_entries };
const struct proc_numbers proc_processes = { .next = process_next,
					     .valid = process_valid,
					     .entry = &process_entry };
