/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The standard streams the sandbox was started with. A host stream never blocks a CPU: when it has nothing for us the task sleeps
 * on the stream's wait queue until the monitor says that it is ready.
 *
 * The position of a regular file is the host description's, which other streams and host processes may share: ordinary reads and
 * writes happen there, and only positioned ones move it, and back.
 */
#include "abi/linux/errno.h"
#include "abi/linux/fcntl.h"
#include "abi/linux/ioctl.h"
#include "abi/linux/kdev.h"
#include "abi/linux/poll.h"
#include "abi/linux/resource.h"
#include "abi/linux/signal.h"
#include "kernel/core/cpu.h"
#include "kernel/core/host.h"
#include "kernel/fs/fnode.h"
#include "kernel/fs/internal.h"
#include "kernel/fs/tty.h"
#include "kernel/fs/vfs.h"
#include "kernel/mm/page.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/task.h"

#define STREAM_BOUNCE_ORDER_MAX 4u /* 64 KiB */

struct stream {
	u64 handle;
	u32 kind;  /* enum boot_stream_kind */
	u32 files; /* open ones */
	bool closed;
	struct waitq wq;
	struct host_watch watch;
};
static struct stream streams[3];

static const struct file_ops stream_fops, stream_file_fops;

/* ---- bounce buffers: the host sees kernel memory only ---- */

static struct page *bounce_alloc(size_t want, size_t *ret_size)
{
	unsigned order = 0;
	struct page *p;

	while (order < STREAM_BOUNCE_ORDER_MAX && (PAGE_SIZE << order) < want)
		order++;
	while (!(p = page_alloc(order, 0)) && order)
		order--;
	*ret_size = MIN(PAGE_SIZE << order, want);
	return p;
}

/* ---- waiting ---- */

/* Until the host says one of `events`; 0 = try again, -ERESTARTSYS. */
static int stream_wait(struct stream *s, u32 events)
{
	struct waiter w;
	int r;

	waitq_add(&s->wq, &w);
	host_watch_arm(&s->watch, events);
	r = task_sleep(TASK_INTERRUPTIBLE, DEADLINE_NONE);
	waitq_remove(&w);
	return r == -EINTR ? -ERESTARTSYS : 0;
}

/* Somebody polls: whoever reads or writes to the end must hear of what comes next. */
static void stream_rearm(struct stream *s, u32 events)
{
	if (waitq_active(&s->wq))
		host_watch_arm(&s->watch, events);
}

static s64 stream_transfer(struct stream *s, struct file *f, void *buf, size_t n, bool write)
{
	u32 events = write ? POLLOUT : POLLIN;

	for (;;) {
		s64 r = s->kind == BOOT_STREAM_TTY ? (write ? tty_check_write() : tty_check_read())
						   : 0;

		if (r == 0)
			r = hc(write ? HC_WRITE : HC_READ, s->handle, buf, n);
		if (r != -EAGAIN)
			return r;
		if (f->flags & O_NONBLOCK) {
			stream_rearm(s, events);
			return -EAGAIN;
		}
		r = stream_wait(s, events);
		if (r < 0)
			return r;
	}
}

/* ---- read and write ---- */

static s64 stream_read(struct file *f, struct uio *u, u64 *pos)
{
	struct page *p;
	size_t n, copied;
	s64 got;

	if (!u->resid)
		return 0;
	p = bounce_alloc(u->resid, &n);
	if (!p)
		return -ENOMEM;
	got = stream_transfer(f->private, f, page_address(p), n, false);
	if (got > 0) {
		copied = uio_write(u, page_address(p), (size_t)got);
		got = copied ? (s64)copied : -EFAULT;
		if (got > 0)
			*pos += (u64)got;
	}
	page_unref(p);
	return got;
}

/* All of a buffer; the bytes written, or the error if there are none. */
static s64 stream_write_buffer(struct file *f, u8 *buf, size_t n)
{
	size_t done = 0;

	while (done < n) {
		s64 r = stream_transfer(f->private, f, buf + done, n - done, true);

		if (r < 0)
			return done ? (s64)done : r;
		done += (size_t)r;
		if (!r)
			break;
	}
	return (s64)done;
}

static s64 stream_write(struct file *f, struct uio *u, u64 *pos)
{
	s64 done = 0, r = 0;
	struct page *p;
	size_t n;

	if (!u->resid)
		return 0;
	p = bounce_alloc(u->resid, &n);
	if (!p)
		return -ENOMEM;
	while (u->resid) {
		size_t got = uio_read(u, page_address(p), MIN(n, u->resid));

		r = got ? stream_write_buffer(f, page_address(p), got) : -EFAULT;
		if (r > 0)
			done += r;
		if (r < (s64)got || !got)
			break;
	}
	page_unref(p);
	if (r == -EPIPE && !done)
		signal_send_task(current, SIGPIPE, NULL);
	*pos += (u64)done;
	return done ? done : r;
}

/* A transfer at a place other than the position: there and back. */
static s64 stream_positioned(struct file *f, struct uio *u, u64 *pos, bool write)
{
	struct stream *s = f->private;
	bool elsewhere = *pos != f->pos;
	s64 back = 0, r = 0;

	if (elsewhere) {
		back = hc(HC_SEEK, s->handle, 0, SEEK_CUR);
		r = back < 0 ? back : hc(HC_SEEK, s->handle, *pos, SEEK_SET);
	}
	if (r >= 0)
		r = write ? stream_write(f, u, pos) : stream_read(f, u, pos);
	if (elsewhere && back >= 0)
		hc(HC_SEEK, s->handle, (u64)back, SEEK_SET);
	return r;
}

static s64 stream_file_read(struct file *f, struct uio *u, u64 *pos)
{
	return stream_positioned(f, u, pos, false);
}

/* Trims *n to what RLIMIT_FSIZE allows, if the stream is a regular file. Others may move its position, so the host is asked. */
static s64 stream_write_limit(struct file *f, u64 pos, u64 *n)
{
	const struct stream *s = f->private;
	struct hc_stat st;
	s64 at = (s64)pos, r;

	if (s->kind != BOOT_STREAM_FILE || task_rlimit(current, RLIMIT_FSIZE) == RLIM64_INFINITY)
		return 0;
	r = hc(HC_FSTAT, s->handle, &st);
	if (r < 0 || !S_ISREG(st.mode))
		return r;
	if (f->flags & O_APPEND)
		at = (s64)st.size;
	else if (pos == f->pos)
		at = hc(HC_SEEK, s->handle, 0, SEEK_CUR);
	return at < 0 ? at : file_write_limit((u64)at, n);
}

static s64 stream_file_write(struct file *f, struct uio *u, u64 *pos)
{
	u64 all = u->resid, n = all;
	s64 r = stream_write_limit(f, *pos, &n);

	if (r < 0)
		return r;
	u->resid = n;
	r = stream_positioned(f, u, pos, true);
	u->resid += all - n;
	return r;
}

static s64 stream_llseek(struct file *f, s64 off, int whence)
{
	struct stream *s = f->private;
	s64 r = whence < 0 || whence > SEEK_MAX ? -EINVAL
						: hc(HC_SEEK, s->handle, (u64)off, (u64)whence);

	if (r >= 0)
		f->pos = (u64)r;
	return r;
}

/* ---- poll ---- */

static u32 stream_poll(struct file *f, struct poll_table *pt)
{
	struct stream *s = f->private;
	u32 want = (FMODE_READ(f) ? POLLIN | POLLRDNORM : 0u) |
		   (FMODE_WRITE(f) ? POLLOUT | POLLWRNORM : 0u),
	    got;
	s64 r = hc(HC_POLL, s->handle, want);

	if (r < 0)
		return POLLERR;
	got = (u32)r & (want | POLLERR | POLLHUP | POLLPRI | POLLRDHUP);
	poll_wait(pt, &s->wq);
	/* The events that would tell of a change; for a caller that is queued already too (epoll). */
	if ((want & ~got) && waitq_active(&s->wq))
		host_watch_arm(&s->watch, want & ~got);
	return got;
}

/* ---- ioctl ---- */

enum ioctl_dir { ARG_OUT, ARG_IN, ARG_VALUE };
struct stream_ioctl {
	u32 cmd;
	u32 size;
	enum ioctl_dir dir;
	bool change; /* of the terminal: a background job may not */
};
static const struct stream_ioctl stream_ioctls[] = {
	{ TCGETS, sizeof(struct linux_termios), ARG_OUT, false },
	{ TCSETS, sizeof(struct linux_termios), ARG_IN, true },
	{ TCSETSW, sizeof(struct linux_termios), ARG_IN, true },
	{ TCSETSF, sizeof(struct linux_termios), ARG_IN, true },
	{ TCGETS2, sizeof(struct linux_termios2), ARG_OUT, false },
	{ TCSETS2, sizeof(struct linux_termios2), ARG_IN, true },
	{ TCSETSW2, sizeof(struct linux_termios2), ARG_IN, true },
	{ TCSETSF2, sizeof(struct linux_termios2), ARG_IN, true },
	{ TIOCGWINSZ, sizeof(struct linux_winsize), ARG_OUT, false },
	{ FIONREAD, sizeof(u32), ARG_OUT, false },
	{ TIOCOUTQ, sizeof(u32), ARG_OUT, false },
	{ TCFLSH, sizeof(u32), ARG_VALUE, true },
};

static const struct stream_ioctl *stream_ioctl_find(u32 cmd)
{
	for (size_t i = 0; i < ARRAY_SIZE(stream_ioctls); i++)
		if (stream_ioctls[i].cmd == cmd)
			return &stream_ioctls[i];
	return NULL;
}

static s64 stream_ioctl_pass(struct stream *s, const struct stream_ioctl *q, u64 arg)
{
	union {
		struct linux_termios2 termios;
		u32 value;
	} buf = { 0 };
	s64 r = q->change ? tty_check_change() : 0;

	if (r < 0)
		return r;
	if (q->dir == ARG_IN)
		r = copy_from_user(&buf, arg, q->size);
	if (q->dir == ARG_VALUE)
		buf.value = (u32)arg;
	if (r == 0)
		r = hc(HC_IOCTL, s->handle, q->cmd, &buf, sizeof(buf));
	if (r < 0)
		return r;
	if (q->size >= sizeof(struct linux_termios))
		tty_note_lflag(buf.termios.c_lflag);
	return q->dir == ARG_OUT ? copy_to_user(arg, &buf, q->size) : r;
}

static s64 stream_ioctl(struct file *f, u32 cmd, u64 arg)
{
	const struct stream_ioctl *q = stream_ioctl_find(cmd);
	struct stream *s = f->private;
	s64 r;

	if (s->kind != BOOT_STREAM_TTY)
		return cmd == FIONREAD ? stream_ioctl_pass(s, q, arg) : -ENOTTY;
	if (q)
		return stream_ioctl_pass(s, q, arg);
	r = tty_ioctl(cmd, arg);
	if (r != -ENOIOCTLCMD)
		return r;
	switch (cmd) {
	case TCSBRK: /* tcdrain(3), tcsendbreak(3): nothing waits here */
	case TCSBRKP:
	case TCXONC:
	case TIOCEXCL:
	case TIOCNXCL:
		return 0;
	case TIOCGETD:
		return put_user_u32(arg, N_TTY);
	case TIOCSWINSZ:
	case TIOCSTI:
		return -EPERM; /* the terminal is not ours */
	default:
		return -ENOTTY;
	}
}

/* ---- files and inodes ---- */

static void stream_release(struct file *f)
{
	struct stream *s = f->private;

	if (--s->files || s->kind == BOOT_STREAM_TTY)
		return;
	/* The other end of a pipe waits for this. */
	host_watch_done(&s->watch);
	hc(HC_CLOSE, s->handle);
	s->closed = true;
}

static const struct file_ops stream_fops = {
	.read = stream_read,
	.write = stream_write,
	.poll = stream_poll,
	.ioctl = stream_ioctl,
	.release = stream_release,
};

static const struct file_ops stream_file_fops = {
	.read = stream_file_read,
	.write = stream_file_write,
	.llseek = stream_llseek,
	.ioctl = stream_ioctl,
	.release = stream_release,
};

static const struct file_ops *stream_ops(const struct stream *s)
{
	return s->kind == BOOT_STREAM_FILE || s->kind == BOOT_STREAM_CHAR ? &stream_file_fops
									  : &stream_fops;
}

static int stream_getattr(struct inode *i)
{
	const struct stream *s = i->pipe;
	struct hc_stat st;
	s64 r = s->closed ? -EBADF : hc(HC_FSTAT, s->handle, &st);

	if (r < 0)
		return (int)r;
	lower_fill_inode(i, &st);
	/* Whoever started us gave it to the sandbox's user: the host's owner must not keep him from /dev/stdout. */
	if (!S_ISREG(i->mode)) {
		i->uid = boot_config()->uid;
		i->gid = boot_config()->gid;
	}
	return 0;
}

/* The length of a regular file can be changed as through the descriptor on the host; nothing else of the object is ours to change. */
static int stream_setattr(struct inode *i, const struct inode_attr *a)
{
	const struct stream *s = i->pipe;

	if (a->valid & ~(u32)(ATTR_SIZE | ATTR_MTIME))
		return -EPERM;
	if (!(a->valid & ATTR_SIZE))
		return 0;
	return S_ISREG(i->mode) ? (int)hc(HC_TRUNCATE, s->handle, a->size) : -EINVAL;
}

/* Again, through /proc/PID/fd or /dev/std*. */
static int stream_reopen(struct inode *i, struct file *f)
{
	struct stream *s = i->pipe;

	if (s->closed)
		return -ENXIO;
	f->private = s;
	s->files++;
	return 0;
}

static const struct inode_ops stream_inode_ops = {
	.getattr = stream_getattr,
	.setattr = stream_setattr,
	.open = stream_reopen,
};

static int open_terminal(struct file *f, struct stream *s)
{
	if (!s)
		return -ENXIO;
	f->ops = &stream_fops;
	f->private = s;
	s->files++;
	return 0;
}

int stdio_open_tty(struct file *f)
{
	return open_terminal(f, tty_controlling_stream());
}

int stdio_open_console(struct file *f)
{
	return open_terminal(f, tty_stream());
}

/* ---- start ---- */

static void stream_attach_tty(struct stream *s, const struct inode *i)
{
	struct linux_termios t;

	tty_attach(s, i->rdev);
	if (hc(HC_IOCTL, s->handle, TCGETS, &t, sizeof(t)) >= 0)
		tty_note_lflag(t.c_lflag);
}

/* A terminal is shown as /dev/console, so that ttyname(3) finds it. -ENOENT where there is no such node. */
static int stream_file_console(struct stream *s, u32 flags, struct file **ret)
{
	const struct boot_config *c = boot_config();
	struct path p;
	int r = path_lookup(AT_FDCWD, "/dev/console", LOOKUP_FOLLOW, &p);

	if (r < 0)
		return r;
	r = -ENOENT;
	if (S_ISCHR(p.dentry->inode->mode) &&
	    p.dentry->inode->rdev == kdev_make(TTYAUX_MAJOR, DEV_CONSOLE_MINOR)) {
		p.dentry->inode->uid = c->uid;
		p.dentry->inode->gid = c->gid;
		r = file_new_on_path(&p, &stream_fops, flags, s, ret);
	}
	path_unref(&p);
	return r;
}

static int stream_file_anon(struct stream *s, u32 flags, struct file **ret)
{
	static const char *const names[] = { "closed",      "/dev/tty", "pipe",
					     "host:[file]", "socket",   "host:[device]" };
	int r = file_new_anon(names[s->kind], stream_ops(s), S_IFCHR | 0600, flags, s, ret);

	if (r < 0)
		return r;
	(*ret)->inode->pipe = s;
	(*ret)->inode->ops = &stream_inode_ops;
	(*ret)->inode->fops = stream_ops(s);
	r = stream_getattr((*ret)->inode);
	if (r < 0)
		klog(1, "standard stream: host fstat: error %d", -r);
	return 0;
}

static int stream_open(struct stream *s, const struct boot_stream *b, struct file **ret)
{
	u32 flags = b->flags & (O_ACCMODE | O_APPEND);
	int r;

	if (b->kind > BOOT_STREAM_CHAR)
		return -EINVAL;
	s->kind = b->kind;
	s->handle = b->handle;
	waitq_init(&s->wq);
	r = host_watch_init(&s->watch, s->handle, &s->wq);
	if (r < 0)
		return r;
	r = s->kind == BOOT_STREAM_TTY ? stream_file_console(s, flags, ret) : -ENOENT;
	if (r < 0)
		r = stream_file_anon(s, flags, ret);
	if (r < 0)
		return r;
	s->files = 1;
	if (s->kind == BOOT_STREAM_TTY)
		stream_attach_tty(s, (*ret)->inode);
	return 0;
}

int stdio_install(struct fdtable *t)
{
	const struct boot_config *c = boot_config();

	for (u32 n = 0; n < ARRAY_SIZE(streams); n++) {
		struct file *f;
		int r;

		if (c->stream[n].kind == BOOT_STREAM_CLOSED)
			continue;
		r = stream_open(&streams[n], &c->stream[n], &f);
		if (r < 0)
			return r;
		/* Slot n is free and within the table's first size. */
		t->files[n] = f;
		t->used[0] |= 1ull << n;
	}
	return 0;
}
