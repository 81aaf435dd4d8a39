/* SPDX-License-Identifier: Apache-2.0 */
/* pipe(7), fifo(7). */
#include "kernel/ipc/pipe.h"

#include "abi/linux/capability.h"
#include "abi/linux/errno.h"
#include "abi/linux/fcntl.h"
#include "abi/linux/ioctl.h"
#include "abi/linux/limits.h"
#include "abi/linux/poll.h"
#include "abi/linux/signal.h"
#include "base/string.h"
#include "kernel/core/cpu.h"
#include "kernel/fs/hooks.h"
#include "kernel/fs/internal.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/page.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/task.h"
#include "kernel/sys/syscall.h"

static u32 pipe_pages_total; /* of all pipes' sizes */

static struct pipe *pipe_new(struct inode *i)
{
	struct pipe *p = kzalloc(sizeof(*p));

	if (!p)
		return NULL;
	p->nr_pages =
		pipe_pages_total < PIPE_PAGES_TOTAL_SOFT ? PIPE_DEF_BUFFERS : PIPE_PAGES_SMALL;
	p->pages = kcalloc(p->nr_pages, sizeof(*p->pages));
	if (!p->pages) {
		kfree(p);
		return NULL;
	}
	pipe_pages_total += p->nr_pages;
	p->refs = 1;
	p->inode = i;
	waitq_init(&p->rd);
	waitq_init(&p->wr);
	i->pipe = p;
	return p;
}

static void pipe_unref(struct pipe *p)
{
	if (--p->refs)
		return;
	p->inode->pipe = NULL;
	for (u32 n = 0; n < p->nr_pages; n++)
		if (p->pages[n])
			page_unref(p->pages[n]);
	pipe_pages_total -= p->nr_pages;
	kfree(p->pages);
	kfree(p);
}

struct pipe *file_pipe(const struct file *f)
{
	return f->ops == &pipe_fops ? f->private : NULL;
}

/* ---- waiting ---- */

/* One sleep on `wq`; the caller looks at its condition again. A wake-up that we can't use is handed on. */
static __hot int pipe_sleep(struct waitq *wq)
{
	struct waiter w;
	int r;

	waitq_add_exclusive(wq, &w);
	r = task_sleep(TASK_INTERRUPTIBLE, DEADLINE_NONE);
	waitq_remove(&w);
	if (r == -EINTR) {
		if (w.fired)
			waitq_hand_on(wq);
		return -ERESTARTSYS;
	}
	return 0;
}

__hot int pipe_wait_data(struct pipe *p, bool nonblock)
{
	while (p->reading || p->head == p->tail) {
		int r;

		if (!p->reading && !p->writers)
			return -EPIPE;
		if (nonblock)
			return -EAGAIN;
		r = pipe_sleep(&p->rd);
		if (r < 0)
			return r;
	}
	return 0;
}

static __hot int pipe_wait_free(struct pipe *p, u64 need, bool nonblock)
{
	for (;;) {
		int r;

		if (!p->readers) {
			signal_send_task(current, SIGPIPE, NULL);
			return -EPIPE;
		}
		if (!p->writing && pipe_size(p) - pipe_used(p) >= need)
			return 0;
		if (nonblock)
			return -EAGAIN;
		r = pipe_sleep(&p->wr);
		if (r < 0)
			return r;
	}
}

int pipe_wait_room(struct pipe *p, bool nonblock)
{
	return pipe_wait_free(p, 1, nonblock);
}

/* ---- data ---- */

/* Page and room in it at byte `at` of the ring. */
static struct page **pipe_slot(struct pipe *p, u64 at, size_t *ret_off, size_t *ret_room)
{
	*ret_off = at & PAGE_MASK;
	*ret_room = PAGE_SIZE - *ret_off;
	return &p->pages[(at >> PAGE_SHIFT) & (p->nr_pages - 1)];
}

/* Takes what is there, up to u's size. As in Linux, of a page that can't be copied whole nothing is taken. */
static __hot s64 pipe_take(struct pipe *p, struct uio *u)
{
	u64 at = p->tail, end = p->head;
	s64 done = 0;

	p->reading = true;
	while (u->resid && at < end) {
		size_t off, room, n, got;
		struct page **slot = pipe_slot(p, at, &off, &room);

		room = MIN(room, (size_t)(end - at));
		n = MIN(room, u->resid);
		got = uio_write(u, (u8 *)page_address(*slot) + off, n);
		if (got < n)
			break;
		at += got;
		done += (s64)got;
	}
	p->reading = false;
	p->tail = at;
	return done ? done : -EFAULT;
}

static int pipe_slot_fill(struct page **slot)
{
	if (*slot)
		return 0;
	*slot = page_alloc(0, 0);
	return *slot ? 0 : -ENOMEM;
}

/* Puts at most `n` bytes of u, for which there is room; of a page that can't be copied whole nothing. */
static __hot s64 pipe_put(struct pipe *p, struct uio *u, u64 n)
{
	u64 at = p->head, end = at + n;
	int r = -EFAULT;

	p->writing = true;
	while (at < end) {
		size_t off, room, want, got;
		struct page **slot = pipe_slot(p, at, &off, &room);

		if (pipe_slot_fill(slot) < 0) {
			r = -ENOMEM;
			break;
		}
		want = MIN(room, (size_t)(end - at));
		got = uio_read(u, (u8 *)page_address(*slot) + off, want);
		if (got < want)
			break;
		at += got;
	}
	p->writing = false;
	n = at - p->head;
	p->head = at;
	return n ? (s64)n : r;
}

size_t pipe_peek(struct pipe *p, u64 skip, void *buf, size_t n)
{
	u64 at = p->tail + skip;
	size_t done = 0;

	while (done < n && at < p->head) {
		size_t off, room, m;
		struct page **slot = pipe_slot(p, at, &off, &room);

		room = MIN(room, (size_t)(p->head - at));
		m = MIN(room, n - done);
		memcpy((u8 *)buf + done, (u8 *)page_address(*slot) + off, m);
		done += m;
		at += m;
	}
	return done;
}

static __hot void pipe_taken(struct pipe *p)
{
	if (p->tail == p->head && !p->writing)
		p->head = p->tail = 0; /* start over in the page that is warm */
	/* Also for a reader that waited for us and has the end of file to learn. */
	if (waitq_active(&p->rd) && (p->head != p->tail || !p->writers))
		waitq_hand_on(&p->rd);
	if (waitq_active(&p->wr) && pipe_size(p) - pipe_used(p) >= PIPE_BUF)
		waitq_wake(&p->wr, POLLOUT | POLLWRNORM);
}

void pipe_consume(struct pipe *p, u64 n)
{
	p->tail += n;
	pipe_taken(p);
}

__hot s64 pipe_append(struct pipe *p, struct uio *u, u64 n)
{
	s64 r = pipe_put(p, u, n);

	if (r > 0 && waitq_active(&p->rd))
		waitq_wake(&p->rd, POLLIN | POLLRDNORM);
	return r;
}

__hot s64 pipe_read_flags(struct file *f, struct uio *u, bool nonblock)
{
	struct pipe *p = f->private;
	s64 n;
	int r;

	if (!u->resid)
		return 0;
	r = pipe_wait_data(p, nonblock);
	if (r < 0)
		return r == -EPIPE ? 0 : r;
	n = pipe_take(p, u);
	pipe_taken(p);
	return n;
}

__hot s64 pipe_write_flags(struct file *f, struct uio *u, bool nonblock)
{
	struct pipe *p = f->private;
	u64 need = u->resid <= PIPE_BUF ? u->resid : 1;
	s64 done = 0, n = 0;

	while (u->resid) {
		n = pipe_wait_free(p, need, nonblock);
		if (n < 0)
			break;
		n = pipe_append(p, u, MIN((u64)u->resid, pipe_size(p) - pipe_used(p)));
		if (n < 0)
			break;
		done += n;
	}
	if (waitq_active(&p->wr) && pipe_size(p) > pipe_used(p))
		waitq_wake(&p->wr, POLLOUT | POLLWRNORM);
	return done ? done : n;
}

static __hot s64 pipe_read(struct file *f, struct uio *u, u64 *pos)
{
	(void)pos;
	return pipe_read_flags(f, u, f->flags & O_NONBLOCK);
}

static __hot s64 pipe_write(struct file *f, struct uio *u, u64 *pos)
{
	(void)pos;
	return pipe_write_flags(f, u, f->flags & O_NONBLOCK);
}

static u32 pipe_poll(struct file *f, struct poll_table *pt)
{
	struct pipe *p = f->private;
	u32 ev = 0;

	if (FMODE_READ(f)) {
		poll_wait(pt, &p->rd);
		if (p->head != p->tail)
			ev |= POLLIN | POLLRDNORM;
		/* fifo(7): no end of file for a reader that has never had a writer. */
		if (!p->writers && p->w_opens)
			ev |= POLLHUP;
	}
	if (FMODE_WRITE(f)) {
		poll_wait(pt, &p->wr);
		if (pipe_size(p) - pipe_used(p) >= PIPE_BUF)
			ev |= POLLOUT | POLLWRNORM;
		if (!p->readers)
			ev |= POLLERR;
	}
	return ev;
}

static s64 pipe_ioctl(struct file *f, u32 cmd, u64 arg)
{
	struct pipe *p = f->private;

	if (cmd == FIONREAD)
		return put_user_u32(arg, (u32)pipe_used(p));
	return -ENOTTY;
}

static void pipe_release(struct file *f)
{
	struct pipe *p = f->private;

	if (FMODE_READ(f) && --p->readers == 0)
		waitq_wake_all(&p->wr, POLLOUT | POLLWRNORM | POLLERR);
	if (FMODE_WRITE(f) && --p->writers == 0)
		waitq_wake_all(&p->rd, POLLIN | POLLRDNORM | POLLHUP);
	pipe_unref(p);
}

const struct file_ops pipe_fops = {
	.read = pipe_read,
	.write = pipe_write,
	.poll = pipe_poll,
	.ioctl = pipe_ioctl,
	.release = pipe_release,
};

/* ---- pipe(2) ---- */

static void pipe_attach(struct pipe *p, struct file *f)
{
	if (FMODE_READ(f)) {
		p->readers++;
		p->r_opens++;
	}
	if (FMODE_WRITE(f)) {
		p->writers++;
		p->w_opens++;
	}
}

static const struct file_ops dead_ops = { 0 };

static int pipe_new_files(u32 flags, struct file *ret[2])
{
	struct pipe *p;
	int r = file_new_anon("pipe", &pipe_fops, S_IFIFO | 0600, O_RDONLY | flags, NULL, &ret[0]);

	if (r < 0)
		return r;
	p = pipe_new(ret[0]->inode);
	if (!p) {
		ret[0]->ops = &dead_ops; /* nothing to release */
		file_unref(ret[0]);
		return -ENOMEM;
	}
	ret[0]->private = p;
	pipe_attach(p, ret[0]);
	r = file_new_on_path(&ret[0]->path, &pipe_fops, O_WRONLY | flags, p, &ret[1]);
	if (r < 0) {
		file_unref(ret[0]);
		return r;
	}
	p->refs++;
	pipe_attach(p, ret[1]);
	return 0;
}

static sysret_t do_pipe(uptr_t user_fds, u32 flags)
{
	struct file *f[2];
	s32 fds[2];
	int r;

	/* Packets (O_DIRECT) are not kept apart here: refuse rather than mix them. */
	if (flags & ~(u32)(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	r = pipe_new_files(flags & O_NONBLOCK, f);
	if (r < 0)
		return r;
	fds[0] = fd_install(f[0], flags & O_CLOEXEC, 0);
	if (fds[0] < 0) {
		file_unref(f[0]);
		file_unref(f[1]);
		return fds[0];
	}
	fds[1] = fd_install(f[1], flags & O_CLOEXEC, 0);
	if (fds[1] < 0) {
		file_unref(f[1]);
		fd_close(fds[0]);
		return fds[1];
	}
	r = copy_to_user(user_fds, fds, sizeof(fds));
	if (r < 0) {
		fd_close(fds[0]);
		fd_close(fds[1]);
	}
	return r;
}

sysret_t sys_pipe(const struct sysargs *a)
{
	return do_pipe(arg_ptr(a, 0), 0);
}

sysret_t sys_pipe2(const struct sysargs *a)
{
	return do_pipe(arg_ptr(a, 0), arg_u32(a, 1));
}

/* ---- FIFOs ---- */

/* Until somebody opens the other end: `opens` is its count. */
static int fifo_wait(struct waitq *wq, const u32 *opens)
{
	u32 seen = *opens;
	struct waiter w;
	int r = 0;

	waitq_add(wq, &w);
	while (*opens == seen && r != -EINTR)
		r = task_sleep(TASK_INTERRUPTIBLE, DEADLINE_NONE);
	waitq_remove(&w);
	return *opens == seen ? -ERESTARTSYS : 0;
}

/* fifo(7); open(2), ENXIO. */
static int fifo_rendezvous(struct pipe *p, struct file *f)
{
	bool nonblock = f->flags & O_NONBLOCK;

	switch (f->flags & O_ACCMODE) {
	case O_RDONLY:
		return p->writers || nonblock ? 0 : fifo_wait(&p->rd, &p->w_opens);
	case O_WRONLY:
		return p->readers ? 0 : fifo_wait(&p->wr, &p->r_opens);
	default:
		return 0;
	}
}

int fifo_open(struct inode *i, struct file *f)
{
	/* A pipe(2) opened again through /proc/PID/fd/N has, or had, its other end: nothing to wait for. */
	bool is_pipe = f->path.mnt == anon_mount;
	struct pipe *p = i->pipe;
	int r;

	if (!p)
		p = pipe_new(i);
	else
		p->refs++;
	if (!p)
		return -ENOMEM;
	f->private = p;
	if (!is_pipe && (f->flags & O_ACCMODE) == O_WRONLY && (f->flags & O_NONBLOCK) &&
	    !p->readers) {
		pipe_unref(p);
		return -ENXIO;
	}
	/* Without a writer there is no end of file yet: a new generation. */
	if (!p->readers && !p->writers)
		p->r_opens = p->w_opens = 0;
	pipe_attach(p, f);
	waitq_wake_all(&p->rd, 0);
	waitq_wake_all(&p->wr, 0);
	f->ops = &pipe_fops;
	r = is_pipe ? 0 : fifo_rendezvous(p, f);
	if (r < 0)
		pipe_release(f);
	return r;
}

/* ---- size ---- */

static s64 pipe_resize(struct pipe *p, u64 want)
{
	u64 size = PAGE_SIZE, used = pipe_used(p);
	struct page **pages;
	u32 n;

	if (want > PIPE_MAX_SIZE && !cred_capable(current->cred, CAP_SYS_RESOURCE))
		return -EPERM;
	if (want > (1u << 22))
		return -EINVAL;
	while (size < want)
		size <<= 1;
	/* The first page may be partly read, so the ring needs the offset's room too. */
	if (p->reading || p->writing || (p->tail & PAGE_MASK) + used > size)
		return -EBUSY;
	n = (u32)(size >> PAGE_SHIFT);
	pages = kcalloc(n, sizeof(*pages));
	if (!pages)
		return -ENOMEM;
	for (u32 i = 0; i < p->nr_pages; i++) {
		struct page *old = p->pages[((p->tail >> PAGE_SHIFT) + i) & (p->nr_pages - 1)];

		if (i < n)
			pages[i] = old;
		else if (old)
			page_unref(old);
	}
	kfree(p->pages);
	p->pages = pages;
	p->tail &= PAGE_MASK;
	p->head = p->tail + used;
	pipe_pages_total += n - p->nr_pages;
	p->nr_pages = n;
	waitq_wake(&p->wr, POLLOUT | POLLWRNORM);
	return (s64)size;
}

int pipe_fcntl(struct file *f, int cmd, u64 arg)
{
	struct pipe *p = file_pipe(f);

	if (!p)
		return -EBADF;
	if (cmd == F_SETPIPE_SZ)
		return arg > 0x7fffffff ? -EINVAL : (int)pipe_resize(p, arg);
	return (int)pipe_size(p);
}
