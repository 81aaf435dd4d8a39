/* SPDX-License-Identifier: Apache-2.0 */
/* signalfd(2): reads take from the queues of whoever reads. */
#include "abi/linux/errno.h"
#include "abi/linux/fcntl.h"
#include "abi/linux/misc.h"
#include "abi/linux/poll.h"
#include "abi/linux/signal.h"
#include "base/format.h"
#include "kernel/core/cpu.h"
#include "kernel/ipc/ipc.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/signal.h"
#include "kernel/proc/task.h"
#include "kernel/sys/syscall.h"

struct signalfd {
	u64 mask;
};

/* Which members a signal's origin makes valid: sigaction(2), siginfo_t. */
static void siginfo_convert(struct linux_signalfd_siginfo *d, const struct linux_siginfo *s)
{
	*d = (struct linux_signalfd_siginfo){ .ssi_signo = (u32)s->si_signo,
					      .ssi_errno = s->si_errno,
					      .ssi_code = s->si_code };
	if (s->si_code == SI_TIMER) {
		d->ssi_tid = (u32)s->si_tid;
		d->ssi_overrun = (u32)s->si_overrun;
		d->ssi_ptr = s->si_value.sival_ptr;
		d->ssi_int = s->si_value.sival_int;
	} else if (s->si_code <= 0) {
		d->ssi_pid = (u32)s->si_pid;
		d->ssi_uid = s->si_uid;
		d->ssi_ptr = s->si_value.sival_ptr;
		d->ssi_int = s->si_value.sival_int;
	} else if (s->si_signo == SIGCHLD) {
		d->ssi_pid = (u32)s->si_pid;
		d->ssi_uid = s->si_uid;
		d->ssi_status = s->si_status;
		d->ssi_utime = (u64)s->si_utime;
		d->ssi_stime = (u64)s->si_stime;
	} else if (s->si_signo == SIGPOLL) {
		d->ssi_band = (u32)s->si_band;
		d->ssi_fd = s->si_fd;
	} else if (s->si_code != SI_KERNEL) {
		d->ssi_addr = s->si_addr;
		d->ssi_trapno = (u32)s->si_trapno;
	}
}

static s64 signalfd_read_one(struct signalfd *s, struct uio *u, bool nonblock)
{
	struct linux_signalfd_siginfo out;
	struct linux_siginfo info;
	int r;

	while (signal_dequeue(current, s->mask, &info) <= 0) {
		if (nonblock)
			return -EAGAIN;
		r = waitq_sleep(&current->proc->signal_wq);
		if (r < 0)
			return r;
	}
	siginfo_convert(&out, &info);
	return uio_write(u, &out, sizeof(out)) == sizeof(out) ? 0 : -EFAULT;
}

static s64 signalfd_read(struct file *f, struct uio *u, u64 *pos)
{
	bool nonblock = f->flags & O_NONBLOCK;
	s64 done = 0, r = 0;

	(void)pos;
	if (u->resid < sizeof(struct linux_signalfd_siginfo))
		return -EINVAL;
	while (u->resid >= sizeof(struct linux_signalfd_siginfo)) {
		r = signalfd_read_one(f->private, u, nonblock);
		if (r < 0)
			break;
		done += (s64)sizeof(struct linux_signalfd_siginfo);
		nonblock = true; /* only the first is waited for */
	}
	return done ? done : r;
}

static u32 signalfd_poll(struct file *f, struct poll_table *pt)
{
	const struct signalfd *s = f->private;
	struct task *t = current;

	poll_wait(pt, &t->proc->signal_wq);
	return (t->pending.set | t->proc->pending.set) & s->mask ? POLLIN | POLLRDNORM : 0;
}

static void signalfd_release(struct file *f)
{
	kfree(f->private);
}

static void signalfd_fdinfo(struct file *f, char *buf, size_t n)
{
	const struct signalfd *s = f->private;

	fmt_snprintf(buf, n, "sigmask:\t%016lx\n", s->mask);
}

static const struct file_ops signalfd_fops = {
	.read = signalfd_read,
	.poll = signalfd_poll,
	.release = signalfd_release,
	.fdinfo = signalfd_fdinfo,
};

static sysret_t signalfd_change(int fd, u64 mask)
{
	struct file *f;
	int r = fd_get_ops(fd, &signalfd_fops, &f);

	if (r < 0)
		return r;
	((struct signalfd *)f->private)->mask = mask;
	waitq_wake_all(&current->proc->signal_wq, 0);
	file_unref(f);
	return fd;
}

static sysret_t do_signalfd(int fd, uptr_t user_mask, u64 size, u32 flags)
{
	struct signalfd *s;
	u64 mask;
	int r;

	if (size != sizeof(mask) || (flags & ~(u32)(SFD_CLOEXEC | SFD_NONBLOCK)))
		return -EINVAL;
	r = get_user_u64(&mask, user_mask);
	if (r < 0)
		return r;
	mask &= ~(SIGSET_BIT(SIGKILL) | SIGSET_BIT(SIGSTOP));
	if (fd != -1)
		return signalfd_change(fd, mask);
	s = kzalloc(sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->mask = mask;
	return anon_fd_install("anon_inode:[signalfd]", &signalfd_fops,
			       O_RDWR | (flags & O_NONBLOCK), s, flags & O_CLOEXEC);
}

sysret_t sys_signalfd(const struct sysargs *a)
{
	return do_signalfd(arg_int(a, 0), arg_ptr(a, 1), arg_u64(a, 2), 0);
}

sysret_t sys_signalfd4(const struct sysargs *a)
{
	return do_signalfd(arg_int(a, 0), arg_ptr(a, 1), arg_u64(a, 2), arg_u32(a, 3));
}
