/* SPDX-License-Identifier: Apache-2.0 */
/* eventfd(2). */
#include "abi/linux/errno.h"
#include "abi/linux/fcntl.h"
#include "abi/linux/misc.h"
#include "abi/linux/poll.h"
#include "base/format.h"
#include "kernel/fs/vfs.h"
#include "kernel/ipc/ipc.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/sys/syscall.h"

struct eventfd {
	u64 count;
	bool semaphore;
	struct waitq wq;
};

static s64 eventfd_read(struct file *f, struct uio *u, u64 *pos)
{
	struct eventfd *e = f->private;
	u64 v;
	int r;

	(void)pos;
	if (u->resid < sizeof(v))
		return -EINVAL;
	while (!e->count) {
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		r = waitq_sleep(&e->wq);
		if (r < 0)
			return r;
	}
	v = e->semaphore ? 1 : e->count;
	e->count -= v;
	waitq_wake_all(&e->wq, POLLOUT | POLLWRNORM);
	return uio_write(u, &v, sizeof(v)) == sizeof(v) ? (s64)sizeof(v) : -EFAULT;
}

static s64 eventfd_write(struct file *f, struct uio *u, u64 *pos)
{
	struct eventfd *e = f->private;
	u64 v;
	int r;

	(void)pos;
	if (u->resid < sizeof(v))
		return -EINVAL;
	if (uio_read(u, &v, sizeof(v)) != sizeof(v))
		return -EFAULT;
	if (v == ~0ull)
		return -EINVAL;
	while (EFD_MAX_VALUE - e->count < v) {
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		r = waitq_sleep(&e->wq);
		if (r < 0)
			return r;
	}
	e->count += v;
	waitq_wake_all(&e->wq, POLLIN | POLLRDNORM);
	return sizeof(v);
}

static u32 eventfd_poll(struct file *f, struct poll_table *pt)
{
	struct eventfd *e = f->private;

	poll_wait(pt, &e->wq);
	return (e->count ? POLLIN | POLLRDNORM : 0) |
	       (e->count < EFD_MAX_VALUE ? POLLOUT | POLLWRNORM : 0);
}

static void eventfd_release(struct file *f)
{
	kfree(f->private);
}

static void eventfd_fdinfo(struct file *f, char *buf, size_t n)
{
	const struct eventfd *e = f->private;

	fmt_snprintf(buf, n, "eventfd-count: %16lx\n", e->count);
}

static const struct file_ops eventfd_fops = {
	.read = eventfd_read,
	.write = eventfd_write,
	.poll = eventfd_poll,
	.release = eventfd_release,
	.fdinfo = eventfd_fdinfo,
};

static sysret_t do_eventfd(u32 count, u32 flags)
{
	struct eventfd *e;

	if (flags & ~(u32)(EFD_SEMAPHORE | EFD_CLOEXEC | EFD_NONBLOCK))
		return -EINVAL;
	e = kzalloc(sizeof(*e));
	if (!e)
		return -ENOMEM;
	e->count = count;
	e->semaphore = flags & EFD_SEMAPHORE;
	waitq_init(&e->wq);
	return anon_fd_install("anon_inode:[eventfd]", &eventfd_fops, O_RDWR | (flags & O_NONBLOCK),
			       e, flags & O_CLOEXEC);
}

sysret_t sys_eventfd(const struct sysargs *a)
{
	return do_eventfd(arg_u32(a, 0), 0);
}

sysret_t sys_eventfd2(const struct sysargs *a)
{
	return do_eventfd(arg_u32(a, 0), arg_u32(a, 1));
}
