/* SPDX-License-Identifier: Apache-2.0 */
/*
 * epoll(7). An item watches the wait queues of its file through callbacks, which put it on the ready list; epoll_wait(2) asks the
 * file again before it reports anything, so the list may name too many, never too few.
 */
#include "abi/linux/errno.h"
#include "abi/linux/fcntl.h"
#include "abi/linux/poll.h"
#include "base/bug.h"
#include "base/format.h"
#include "base/rbtree.h"
#include "kernel/core/cpu.h"
#include "kernel/core/time.h"
#include "kernel/fs/hooks.h"
#include "kernel/ipc/ipc.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/task.h"
#include "kernel/sys/syscall.h"

#define EP_NEST_MAX     4          /* epoll files below each other: epoll_ctl(2), ELOOP */
#define EP_ITEM_WAITERS 3          /* wait queues of one file */
#define EP_ITEMS_MAX    (1u << 20) /* of the sandbox */
#define EP_BATCH        32u
/* What EPOLL_CTL_MOD can't change and EPOLLONESHOT leaves. */
#define EP_PRIVATE      (EPOLLET | EPOLLONESHOT | EPOLLWAKEUP | EPOLLEXCLUSIVE)
/* epoll_ctl(2), EPOLLEXCLUSIVE: what may go with it. */
#define EP_EXCLUSIVE_OK \
	(EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE)

struct epoll {
	struct file *file;    /* whose `private` this is, once it has items */
	struct rb_root items; /* by file, descriptor */
	struct list ready;
	struct waitq wq;      /* epoll_wait */
	struct waitq poll_wq; /* those who poll the epoll file */
};

struct epitem {
	struct rb_node node;
	struct list ready;     /* on ep->ready */
	struct list file_node; /* on file->epoll_items */
	struct epoll *ep;
	struct file *file; /* borrowed: its release removes the item */
	int fd;
	u32 events;
	u64 data;
	unsigned nr_waiters;
	struct waiter w[EP_ITEM_WAITERS];
};

static const struct file_ops epoll_fops;
static unsigned ep_items_total;

/* ---- readiness ---- */

static void ep_set_ready(struct epitem *it)
{
	struct epoll *ep = it->ep;

	if (list_empty(&it->ready))
		list_add_tail(&it->ready, &ep->ready);
	waitq_wake(&ep->wq, POLLIN);
	if (waitq_active(&ep->poll_wq))
		waitq_wake_all(&ep->poll_wq, POLLIN | POLLRDNORM);
}

static void ep_callback(struct waiter *w, u32 events)
{
	struct epitem *it = w->data;

	w->fired = false; /* stays in line for the next wake-up */
	/* Disarmed by EPOLLONESHOT. */
	if (!(it->events & ~EP_PRIVATE))
		return;
	if (events && !(events & it->events))
		return;
	ep_set_ready(it);
}

struct ep_table {
	struct poll_table pt; /* first */
	struct epitem *it;
	bool full;
};

static void ep_queue(struct poll_table *pt, struct waitq *wq)
{
	struct ep_table *t = (struct ep_table *)pt;
	struct epitem *it = t->it;
	struct waiter *w;

	if (it->nr_waiters == EP_ITEM_WAITERS) {
		t->full = true;
		return;
	}
	w = &it->w[it->nr_waiters++];
	waitq_add_callback(wq, w, ep_callback, it);
	if (it->events & EPOLLEXCLUSIVE) {
		list_move_tail(&w->node, &wq->waiters);
		w->exclusive = true;
	}
}

static u32 ep_item_poll(struct epitem *it, struct poll_table *pt)
{
	return file_poll(it->file, pt) & it->events;
}

/* ---- items ---- */

static struct epitem *ep_find(struct epoll *ep, struct file *f, int fd, struct rb_node ***ret_link,
			      struct rb_node **ret_parent)
{
	struct rb_node **link = &ep->items.node, *parent = NULL;

	while (*link) {
		struct epitem *it = rb_entry(*link, struct epitem, node);

		if (it->file == f && it->fd == fd)
			return it;
		parent = *link;
		link = (uintptr_t)f < (uintptr_t)it->file || (f == it->file && fd < it->fd)
			       ? &parent->left
			       : &parent->right;
	}
	*ret_link = link;
	*ret_parent = parent;
	return NULL;
}

static void ep_remove(struct epitem *it)
{
	for (unsigned i = 0; i < it->nr_waiters; i++)
		waitq_remove(&it->w[i]);
	list_del(&it->ready);
	list_del(&it->file_node);
	rb_erase(&it->ep->items, &it->node);
	kfree(it);
	ep_items_total--;
}

void epoll_file_released(struct file *f)
{
	struct epitem *it, *tmp;

	list_for_each_entry_safe(it, tmp, &f->epoll_items, file_node)
		ep_remove(it);
}

static int ep_insert(struct epoll *ep, struct file *f, int fd, const struct linux_epoll_event *e)
{
	struct rb_node **link, *parent;
	struct ep_table t = { .pt.queue = ep_queue };
	struct epitem *it;

	if (ep_find(ep, f, fd, &link, &parent))
		return -EEXIST;
	if (ep_items_total >= EP_ITEMS_MAX)
		return -ENOSPC;
	it = kzalloc(sizeof(*it));
	if (!it)
		return -ENOMEM;
	it->ep = ep;
	it->file = f;
	it->fd = fd;
	it->events = e->events | EPOLLERR | EPOLLHUP;
	it->data = e->data;
	list_init(&it->ready);
	list_add_tail(&it->file_node, &f->epoll_items);
	rb_insert(&ep->items, &it->node, parent, link);
	ep_items_total++;
	t.it = it;
	if (ep_item_poll(it, &t.pt))
		ep_set_ready(it);
	if (t.full) {
		ep_remove(it);
		return -ENOMEM;
	}
	return 0;
}

static int ep_modify(struct epitem *it, const struct linux_epoll_event *e)
{
	if (it->events & EPOLLEXCLUSIVE)
		return -EINVAL;
	it->events = e->events | EPOLLERR | EPOLLHUP;
	it->data = e->data;
	if (ep_item_poll(it, NULL))
		ep_set_ready(it);
	return 0;
}

/* ---- loops ---- */

/* Longest chain of epoll files from `ep` down; -ELOOP when it meets `target` or is too long. */
static int ep_depth_below(struct epoll *ep, const struct epoll *target, int level)
{
	struct epitem *it;
	int deepest = 0;

	if (ep == target || level > EP_NEST_MAX)
		return -ELOOP;
	rb_for_each_entry(it, &ep->items, node) {
		int r;

		if (it->file->ops != &epoll_fops)
			continue;
		r = ep_depth_below(it->file->private, target, level + 1);
		if (r < 0)
			return r;
		deepest = MAX(deepest, r + 1);
	}
	return deepest;
}

/* Longest chain of epoll files that watch f. */
static int ep_height_above(struct file *f, int level)
{
	struct epitem *it;
	int highest = 0;

	if (level > EP_NEST_MAX)
		return -ELOOP;
	list_for_each_entry(it, &f->epoll_items, file_node) {
		int r = ep_height_above(it->ep->file, level + 1);

		if (r < 0)
			return r;
		highest = MAX(highest, r + 1);
	}
	return highest;
}

static int ep_check_loop(struct file *epf, struct file *f)
{
	int below, above;

	if (f->ops != &epoll_fops)
		return 0;
	below = ep_depth_below(f->private, epf->private, 0);
	if (below < 0)
		return below;
	above = ep_height_above(epf, 0);
	if (above < 0)
		return above;
	return below + above + 1 > EP_NEST_MAX ? -ELOOP : 0;
}

/* ---- the file ---- */

static u32 epoll_poll(struct file *f, struct poll_table *pt)
{
	struct epoll *ep = f->private;
	struct epitem *it, *tmp;

	poll_wait(pt, &ep->poll_wq);
	list_for_each_entry_safe(it, tmp, &ep->ready, ready) {
		if (ep_item_poll(it, NULL))
			return POLLIN | POLLRDNORM;
		list_del(&it->ready);
	}
	return 0;
}

static void epoll_release(struct file *f)
{
	struct epoll *ep = f->private;
	struct rb_node *n;

	while ((n = rb_first(&ep->items)))
		ep_remove(rb_entry(n, struct epitem, node));
	kfree(ep);
}

static void epoll_fdinfo(struct file *f, char *buf, size_t n)
{
	struct epoll *ep = f->private;
	struct epitem *it;
	size_t len = 0;

	rb_for_each_entry(it, &ep->items, node)
		if (!fmt_append(buf, n, &len,
				"tfd: %8d events: %8x data: %16lx  pos:%ld ino:%lx sdev:%lx\n",
				it->fd, it->events, it->data, it->file->pos, it->file->inode->ino,
				it->file->inode->sb->dev))
			break;
}

static const struct file_ops epoll_fops = {
	.poll = epoll_poll,
	.release = epoll_release,
	.fdinfo = epoll_fdinfo,
};

static sysret_t do_epoll_create(u32 flags)
{
	struct epoll *ep;

	if (flags & ~(u32)EPOLL_CLOEXEC)
		return -EINVAL;
	ep = kzalloc(sizeof(*ep));
	if (!ep)
		return -ENOMEM;
	rb_init(&ep->items);
	list_init(&ep->ready);
	waitq_init(&ep->wq);
	waitq_init(&ep->poll_wq);
	return anon_fd_install("anon_inode:[eventpoll]", &epoll_fops, O_RDWR, ep,
			       flags & O_CLOEXEC);
}

sysret_t sys_epoll_create(const struct sysargs *a)
{
	return arg_int(a, 0) > 0 ? do_epoll_create(0) : -EINVAL;
}

sysret_t sys_epoll_create1(const struct sysargs *a)
{
	return do_epoll_create(arg_u32(a, 0));
}

/* ---- epoll_ctl(2) ---- */

static int ep_check_target(int op, struct file *epf, struct file *f,
			   const struct linux_epoll_event *e)
{
	/* Regular files and directories are always ready: they have no poll. */
	if (!f->ops->poll)
		return -EPERM;
	if (epf->ops != &epoll_fops || f == epf)
		return -EINVAL;
	if (op == EPOLL_CTL_DEL || !(e->events & EPOLLEXCLUSIVE))
		return 0;
	if (op == EPOLL_CTL_MOD || f->ops == &epoll_fops || (e->events & ~EP_EXCLUSIVE_OK))
		return -EINVAL;
	return 0;
}

static int ep_ctl(int op, struct file *epf, struct file *f, int fd,
		  const struct linux_epoll_event *e)
{
	struct rb_node **link, *parent;
	struct epitem *it;
	int r = ep_check_target(op, epf, f, e);

	if (r < 0)
		return r;
	if (op == EPOLL_CTL_ADD) {
		((struct epoll *)epf->private)->file = epf;
		r = ep_check_loop(epf, f);
		return r < 0 ? r : ep_insert(epf->private, f, fd, e);
	}
	it = ep_find(epf->private, f, fd, &link, &parent);
	if (!it)
		return -ENOENT;
	if (op == EPOLL_CTL_MOD)
		return ep_modify(it, e);
	ep_remove(it);
	return 0;
}

sysret_t sys_epoll_ctl(const struct sysargs *a)
{
	int op = arg_int(a, 1), fd = arg_int(a, 2), r;
	struct linux_epoll_event e = { 0 };
	struct file *epf, *f;

	if (op != EPOLL_CTL_DEL) {
		r = copy_from_user(&e, arg_ptr(a, 3), sizeof(e));
		if (r < 0)
			return r;
	}
	if (op != EPOLL_CTL_ADD && op != EPOLL_CTL_DEL && op != EPOLL_CTL_MOD)
		return -EINVAL;
	epf = fd_get(arg_int(a, 0));
	f = fd_get(fd);
	r = epf && f && !((epf->flags | f->flags) & O_PATH) ? ep_ctl(op, epf, f, fd, &e) : -EBADF;
	file_unref(f);
	file_unref(epf);
	return r;
}

/* ---- epoll_wait(2) ---- */

/* Takes up to n events from `todo`; level-triggered items go to `again`. */
static unsigned ep_collect(struct list *todo, struct list *again, struct linux_epoll_event *out,
			   unsigned n)
{
	unsigned done = 0;

	while (done < n && !list_empty(todo)) {
		struct epitem *it = list_first_entry(todo, struct epitem, ready);
		u32 got;

		list_del(&it->ready);
		got = ep_item_poll(it, NULL);
		if (!got)
			continue;
		out[done++] = (struct linux_epoll_event){ got, it->data };
		if (it->events & EPOLLONESHOT)
			it->events &= EP_PRIVATE;
		else if (!(it->events & EPOLLET))
			list_add_tail(&it->ready, again);
	}
	return done;
}

/* What was in line at the start, each once. The copies may sleep: items may come and go meanwhile. */
static s64 ep_report(struct epoll *ep, uptr_t user, unsigned max)
{
	struct list again = LIST_INIT(again), todo = LIST_INIT(todo);
	struct linux_epoll_event batch[EP_BATCH];
	s64 done = 0;

	list_splice_tail(&ep->ready, &todo);
	while (done < max && !list_empty(&todo)) {
		unsigned n = ep_collect(&todo, &again, batch, MIN(max - (unsigned)done, EP_BATCH));

		if (n && copy_to_user(user + (u64)done * sizeof(*batch), batch,
				      n * sizeof(*batch)) < 0) {
			done = done ? done : -EFAULT;
			break;
		}
		done += n;
	}
	list_splice(&todo, &ep->ready);
	list_splice_tail(&again, &ep->ready);
	return done;
}

static int ep_sleep(struct epoll *ep, u64 deadline)
{
	struct waiter w;
	int r;

	waitq_add_exclusive(&ep->wq, &w);
	r = task_sleep(TASK_INTERRUPTIBLE, deadline);
	waitq_remove(&w);
	if (r < 0 && w.fired)
		waitq_wake(&ep->wq, POLLIN);
	return r;
}

static s64 ep_wait(struct epoll *ep, uptr_t user, unsigned max, bool may_wait, u64 deadline)
{
	s64 n = ep_report(ep, user, max);
	int r = 0;

	while (!n && may_wait && r != -ETIMEDOUT) {
		r = list_empty(&ep->ready) ? ep_sleep(ep, deadline) : 0;
		n = ep_report(ep, user, max);
		if (!n && r == -EINTR)
			return -EINTR;
	}
	/* More than we took: for the next waiter. */
	if (!list_empty(&ep->ready) && waitq_active(&ep->wq))
		waitq_wake(&ep->wq, POLLIN);
	return n;
}

static s64 do_epoll_wait(int fd, uptr_t user, int max, bool may_wait, u64 deadline)
{
	struct file *f;
	s64 r;

	if (max <= 0 || max > EP_MAX_EVENTS)
		return -EINVAL;
	if (!user_range_ok(user, (u64)max * sizeof(struct linux_epoll_event)))
		return -EFAULT;
	r = fd_get_ops(fd, &epoll_fops, &f);
	if (r < 0)
		return r;
	r = ep_wait(f->private, user, (unsigned)max, may_wait, deadline);
	file_unref(f);
	return r;
}

static u64 ms_deadline(int ms)
{
	return ms > 0 ? deadline_after_ns((u64)ms * 1000000) : DEADLINE_NONE;
}

sysret_t sys_epoll_wait(const struct sysargs *a)
{
	int ms = arg_int(a, 3);

	return do_epoll_wait(arg_int(a, 0), arg_ptr(a, 1), arg_int(a, 2), ms != 0, ms_deadline(ms));
}

sysret_t sys_epoll_pwait(const struct sysargs *a)
{
	int ms = arg_int(a, 3);
	s64 r = sigmask_enter(arg_ptr(a, 4), arg_u64(a, 5));

	if (r < 0)
		return r;
	r = do_epoll_wait(arg_int(a, 0), arg_ptr(a, 1), arg_int(a, 2), ms != 0, ms_deadline(ms));
	sigmask_leave(r, arg_ptr(a, 4));
	return r;
}

sysret_t sys_epoll_pwait2(const struct sysargs *a)
{
	struct linux_timespec ts = { 0 };
	u64 deadline = DEADLINE_NONE;
	bool may_wait = true;
	s64 r = 0;

	if (arg_ptr(a, 3)) {
		r = copy_from_user(&ts, arg_ptr(a, 3), sizeof(ts));
		if (r == 0)
			r = deadline_from_timespec(&ts, &deadline);
		may_wait = ts.tv_sec || ts.tv_nsec;
	}
	if (r == 0)
		r = sigmask_enter(arg_ptr(a, 4), arg_u64(a, 5));
	if (r < 0)
		return r;
	r = do_epoll_wait(arg_int(a, 0), arg_ptr(a, 1), arg_int(a, 2), may_wait, deadline);
	sigmask_leave(r, arg_ptr(a, 4));
	return r;
}
