/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/ipc/unix.h"

#include "abi/linux/errno.h"
#include "abi/linux/fcntl.h"
#include "abi/linux/ioctl.h"
#include "abi/linux/poll.h"
#include "abi/linux/signal.h"
#include "base/string.h"
#include "kernel/core/cpu.h"
#include "kernel/ipc/ipc.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/task.h"

/* ---- life ---- */

static struct linux_ucred current_ucred(void)
{
	return (struct linux_ucred){ current->proc->pid, current->cred->euid, current->cred->egid };
}

struct usock *usock_new(int type)
{
	struct usock *s = kzalloc(sizeof(*s));

	if (!s)
		return NULL;
	s->refs = 1;
	s->type = type;
	list_init(&s->queue);
	list_init(&s->backlog);
	list_init(&s->node);
	list_init(&s->bound);
	waitq_init(&s->rd);
	waitq_init(&s->wr);
	s->cred = current_ucred();
	return s;
}

void usock_unref(struct usock *s)
{
	if (s && --s->refs == 0)
		kfree(s);
}

/*
 * Messages to be freed. A file in a message may be a socket with messages of its own, and so on: whoever comes in the
 * middle leaves its messages here to the first, so that a long chain costs no stack.
 */
static struct list dead_messages = LIST_INIT(dead_messages);
static bool freeing_messages;

static void dead_messages_free(void)
{
	struct umsg *m;

	if (freeing_messages)
		return;
	freeing_messages = true;
	while (!list_empty(&dead_messages)) {
		m = list_first_entry(&dead_messages, struct umsg, node);
		list_del(&m->node);
		for (unsigned i = 0; i < m->nr_files; i++)
			file_unref(m->files[i]);
		kfree(m->files);
		kfree(m);
	}
	freeing_messages = false;
}

/* A turn may leave another ring behind, which the one collected had held. */
static void collect_garbage(void)
{
	while (!freeing_messages && unix_gc(&dead_messages))
		dead_messages_free();
}

/* m is in no list. */
static void umsg_free(struct umsg *m)
{
	list_add_tail(&m->node, &dead_messages);
	dead_messages_free();
}

static void usock_wake(struct usock *s)
{
	waitq_wake_all(&s->rd, 0);
	waitq_wake_all(&s->wr, 0);
}

/* The file is gone: nobody receives here any more. */
static void usock_close(struct usock *s)
{
	bool unread = !list_empty(&s->queue);
	struct umsg *m, *tmp;
	struct usock *c, *next;

	s->dead = true;
	unix_unbind(s);
	list_for_each_entry_safe(m, tmp, &s->queue, node) {
		umsg_land(m);
		list_move_tail(&m->node, &dead_messages);
	}
	list_for_each_entry_safe(c, next, &s->backlog, node) {
		list_del(&c->node);
		c->listener = NULL;
		usock_close(c);
	}
	usock_wake(s);
	if (s->peer) {
		if (unread && s->type != SOCK_DGRAM && s->peer->peer == s)
			s->peer->error = ECONNRESET;
		usock_wake(s->peer);
		usock_unref(s->peer);
		s->peer = NULL;
	}
	usock_unref(s);
	dead_messages_free();
}

void usock_pair(struct usock *a, struct usock *b)
{
	a->peer = b;
	b->peer = a;
	a->refs++;
	b->refs++;
	a->connected = b->connected = true;
	a->peer_cred = b->cred;
	b->peer_cred = a->cred;
}

void usock_shutdown(struct usock *s, bool rd, bool wr)
{
	s->shut_rd |= rd;
	s->shut_wr |= wr;
	if (s->peer && s->type != SOCK_DGRAM) {
		s->peer->shut_wr |= rd;
		s->peer->shut_rd |= wr;
		usock_wake(s->peer);
	}
	usock_wake(s);
}

/* ---- waiting ---- */

static int usock_wait(struct waitq *wq, u64 deadline)
{
	struct waiter w;
	int r;

	waitq_add(wq, &w);
	r = task_sleep(TASK_INTERRUPTIBLE, deadline);
	waitq_remove(&w);
	/* signal(7): calls with a timeout set are not restarted. */
	if (r == -EINTR)
		return deadline ? -EINTR : -ERESTARTSYS;
	return r == -ETIMEDOUT ? -EAGAIN : 0;
}

static u64 timeo_deadline(u64 ns)
{
	return ns ? deadline_after_ns(ns) : DEADLINE_NONE;
}

static int take_error(struct usock *s)
{
	int e = s->error;

	s->error = 0;
	return -e;
}

/* ---- send ---- */

static bool queue_has_room(const struct usock *to, size_t n)
{
	if (to->type == SOCK_DGRAM && to->messages > UNIX_DGRAM_QUEUE)
		return false;
	return !to->bytes || to->bytes + n <= UNIX_QUEUE_MAX;
}

static struct umsg *umsg_new(const struct usock *s, size_t n)
{
	struct umsg *m = kmalloc(sizeof(*m) + n);

	if (!m)
		return NULL;
	*m = (struct umsg){
		.len = n, .cred = current_ucred(), .from = s->name, .from_len = s->name_len
	};
	list_init(&m->node);
	return m;
}

/* Where a message of s goes now: -ENOTCONN, -EPIPE, -ECONNREFUSED. */
static int send_target(struct usock *s, struct usock *to, struct usock **ret)
{
	if (s->shut_wr)
		return -EPIPE;
	if (!to)
		to = s->peer;
	if (!to)
		return s->connected ? -EPIPE : -ENOTCONN;
	if (to->dead)
		return s->type == SOCK_DGRAM ? -ECONNREFUSED : -EPIPE;
	if (to->shut_rd)
		return -EPIPE;
	*ret = to;
	return 0;
}

static int send_wait_room(struct usock *s, struct usock *to, size_t n, bool nonblock, u64 deadline,
			  struct usock **ret)
{
	for (;;) {
		int r = send_target(s, to, ret);

		if (r < 0)
			return r;
		if (queue_has_room(*ret, n))
			return 0;
		if (nonblock)
			return -EAGAIN;
		(*ret)->refs++;
		r = usock_wait(&(*ret)->wr, deadline);
		usock_unref(*ret);
		if (r < 0)
			return r;
	}
}

static void umsg_attach_files(struct umsg *m, struct umsg_info *info)
{
	m->files = info->files;
	m->nr_files = info->nr_files;
	info->files = NULL;
	info->nr_files = 0;
}

static bool flight_has_room(unsigned nr)
{
	if (unix_flight_full(nr))
		collect_garbage();
	return !unix_flight_full(nr);
}

/* One message of n bytes; the data is copied before there is room, since that may sleep. */
static s64 send_one(struct usock *s, struct usock *to, struct uio *u, size_t n,
		    struct umsg_info *info, bool nonblock)
{
	u64 deadline = timeo_deadline(s->snd_timeo);
	struct umsg *m = umsg_new(s, n);
	struct usock *target;
	int r;

	if (!m)
		return -ENOMEM;
	if (uio_read(u, m->data, n) != n)
		r = -EFAULT;
	else if (info->nr_files && !flight_has_room(info->nr_files))
		r = -ETOOMANYREFS;
	else
		r = send_wait_room(s, to, n, nonblock, deadline, &target);
	if (r < 0) {
		kfree(m);
		return r;
	}
	umsg_attach_files(m, info);
	umsg_depart(m, target);
	list_add_tail(&m->node, &target->queue);
	target->bytes += n;
	target->messages++;
	waitq_wake(&target->rd, POLLIN | POLLRDNORM);
	return (s64)n;
}

s64 usock_send(struct usock *s, struct usock *to, struct uio *u, struct umsg_info *info, u32 flags,
	       bool nonblock)
{
	s64 done = 0, r = take_error(s);

	if (r < 0)
		return r;
	if (s->type != SOCK_STREAM)
		return u->resid > UNIX_QUEUE_MAX ? -EMSGSIZE
						 : send_one(s, to, u, u->resid, info, nonblock);
	do {
		struct usock *target;

		r = send_target(s, to, &target);
		if (r < 0 || !u->resid)
			break;
		r = send_one(s, to, u, MIN(u->resid, (size_t)UNIX_STREAM_PIECE), info, nonblock);
		if (r > 0)
			done += r;
	} while (r >= 0 && u->resid);
	if (r == -EPIPE && !done && !(flags & MSG_NOSIGNAL))
		signal_send_task(current, SIGPIPE, NULL);
	return done ? done : r;
}

/* ---- receive ---- */

static bool recv_at_end(const struct usock *s)
{
	if (s->shut_rd)
		return true;
	return s->type != SOCK_DGRAM && s->connected && (!s->peer || s->peer->dead);
}

/* The first message; NULL with 0: the end. */
static int recv_wait(struct usock *s, bool nonblock, struct umsg **ret)
{
	u64 deadline = timeo_deadline(s->rcv_timeo);

	for (;;) {
		int r;

		*ret = list_first_entry_or_null(&s->queue, struct umsg, node);
		if (*ret)
			return 0;
		r = take_error(s);
		if (r < 0)
			return r;
		if (recv_at_end(s))
			return 0;
		if (s->type != SOCK_DGRAM && !s->connected)
			return s->type == SOCK_STREAM ? -EINVAL : -ENOTCONN;
		if (nonblock)
			return -EAGAIN;
		r = usock_wait(&s->rd, deadline);
		if (r < 0)
			return r;
	}
}

static void recv_info(struct umsg *m, struct umsg_info *info, bool peek)
{
	info->cred = m->cred;
	info->from = m->from;
	info->from_len = m->from_len;
	if (peek || !m->nr_files)
		return;
	info->files = m->files;
	info->nr_files = m->nr_files;
	m->files = NULL;
	m->nr_files = 0;
}

static void umsg_take(struct umsg *m)
{
	umsg_land(m);
	list_del(&m->node);
}

static void umsg_return(struct usock *s, struct umsg *m)
{
	umsg_depart(m, s);
	list_add(&m->node, &s->queue);
}

static void recv_finish(struct usock *s, struct umsg *m)
{
	s->bytes -= m->len;
	s->messages--;
	umsg_free(m);
	waitq_wake_all(&s->wr, POLLOUT | POLLWRNORM);
	if (s->peer)
		waitq_wake_all(&s->peer->wr, POLLOUT | POLLWRNORM);
}

static s64 recv_packet(struct usock *s, struct uio *u, struct umsg_info *info, u32 flags,
		       bool nonblock)
{
	size_t n, got;
	struct umsg *m;
	int r = recv_wait(s, nonblock, &m);

	if (r < 0 || !m)
		return r;
	/* Out of the queue first: the copy may sleep. */
	umsg_take(m);
	n = MIN(m->len, u->resid);
	got = uio_write(u, m->data, n);
	recv_info(m, info, flags & MSG_PEEK);
	if (m->len > n)
		info->flags |= MSG_TRUNC;
	r = got < n ? -EFAULT : 0;
	n = flags & MSG_TRUNC ? m->len : got;
	if (flags & MSG_PEEK)
		umsg_return(s, m);
	else
		recv_finish(s, m);
	return r < 0 ? r : (s64)n;
}

/* Takes from the first message of a stream; the message leaves the queue during the copy. */
static s64 recv_piece(struct usock *s, struct umsg *m, struct uio *u, struct umsg_info *info)
{
	size_t want = MIN(m->len - m->off, u->resid), got;

	umsg_take(m);
	got = uio_write(u, m->data + m->off, want);
	m->off += got;
	recv_info(m, info, false);
	if (m->off == m->len)
		recv_finish(s, m);
	else
		umsg_return(s, m);
	return got || !want ? (s64)got : -EFAULT;
}

static s64 recv_peek(struct usock *s, struct uio *u, struct umsg_info *info)
{
	struct umsg *m = list_first_entry(&s->queue, struct umsg, node);
	u8 *copy;
	size_t n = MIN(m->len - m->off, u->resid);
	s64 done;

	copy = kmalloc(n ? n : 1);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, m->data + m->off, n);
	recv_info(m, info, true);
	done = (s64)uio_write(u, copy, n);
	kfree(copy);
	return done || !n ? done : -EFAULT;
}

static s64 recv_stream(struct usock *s, struct uio *u, struct umsg_info *info, u32 flags,
		       bool nonblock)
{
	s64 done = 0, r = 0;

	while (u->resid) {
		struct umsg *m;

		r = recv_wait(s, nonblock || (done && !(flags & MSG_WAITALL)), &m);
		if (r < 0 || !m)
			break;
		if (flags & MSG_PEEK)
			return recv_peek(s, u, info);
		/* unix(7): data with descriptors is not joined with other data. */
		if (done && m->nr_files)
			break;
		r = recv_piece(s, m, u, info);
		if (r < 0)
			break;
		done += r;
		if (info->nr_files)
			break;
	}
	return done ? done : r;
}

s64 usock_recv(struct usock *s, struct uio *u, struct umsg_info *info, u32 flags, bool nonblock)
{
	if (s->type == SOCK_STREAM)
		return recv_stream(s, u, info, flags, nonblock);
	return recv_packet(s, u, info, flags, nonblock);
}

/* ---- connections ---- */

int usock_connect(struct usock *s, struct usock *to, bool nonblock)
{
	struct usock *server;
	int r;

	if (s->type == SOCK_DGRAM) {
		usock_unref(s->peer);
		to->refs++;
		s->peer = to;
		s->connected = true;
		return 0;
	}
	if (s->connected)
		return -EISCONN;
	while (to->listening && !to->dead && to->nr_backlog > to->max_backlog) {
		if (nonblock)
			return -EAGAIN;
		r = usock_wait(&to->wr, timeo_deadline(s->snd_timeo));
		if (r < 0)
			return r;
	}
	if (!to->listening || to->dead)
		return -ECONNREFUSED;
	server = usock_new(s->type);
	if (!server)
		return -ENOMEM;
	server->name = to->name;
	server->name_len = to->name_len;
	server->cred = to->cred;
	s->cred = current_ucred();
	usock_pair(s, server);
	server->listener = to;
	list_add_tail(&server->node, &to->backlog);
	to->nr_backlog++;
	waitq_wake(&to->rd, POLLIN | POLLRDNORM);
	return 0;
}

int usock_accept(struct usock *s, bool nonblock, struct usock **ret)
{
	if (s->type == SOCK_DGRAM)
		return -EOPNOTSUPP;
	if (!s->listening)
		return -EINVAL;
	while (list_empty(&s->backlog)) {
		int r = s->shut_rd ? -EINVAL
			: nonblock ? -EAGAIN
				   : usock_wait(&s->rd, timeo_deadline(s->rcv_timeo));

		if (r < 0)
			return r;
	}
	*ret = list_first_entry(&s->backlog, struct usock, node);
	list_del(&(*ret)->node);
	(*ret)->listener = NULL;
	s->nr_backlog--;
	waitq_wake_all(&s->wr, 0);
	return 0;
}

/* ---- the file ---- */

static s64 unix_read(struct file *f, struct uio *u, u64 *pos)
{
	struct umsg_info info = { 0 };
	s64 r;

	(void)pos;
	if (!u->resid && file_usock(f)->type == SOCK_STREAM)
		return 0;
	r = usock_recv(f->private, u, &info, 0, f->flags & O_NONBLOCK);
	/* read(2) has no place for descriptors: they are closed. */
	for (unsigned i = 0; i < info.nr_files; i++)
		file_unref(info.files[i]);
	kfree(info.files);
	return r;
}

static s64 unix_write(struct file *f, struct uio *u, u64 *pos)
{
	struct umsg_info info = { 0 };

	(void)pos;
	return usock_send(f->private, NULL, u, &info, 0, f->flags & O_NONBLOCK);
}

static u32 unix_poll(struct file *f, struct poll_table *pt)
{
	struct usock *s = f->private;
	bool end = recv_at_end(s);
	u32 ev = 0;

	poll_wait(pt, &s->rd);
	poll_wait(pt, &s->wr);
	if (!list_empty(&s->queue) || !list_empty(&s->backlog) || end)
		ev |= POLLIN | POLLRDNORM;
	if (s->error)
		ev |= POLLERR;
	if (end)
		ev |= POLLRDHUP;
	if ((s->shut_rd && s->shut_wr) || (s->type != SOCK_DGRAM && !s->listening &&
					   (!s->connected || !s->peer || s->peer->dead)))
		ev |= POLLHUP;
	if (!s->listening &&
	    (!s->peer || s->peer->dead || queue_has_room(s->peer, UNIX_QUEUE_MAX / 2)))
		ev |= POLLOUT | POLLWRNORM;
	return ev;
}

static s64 unix_ioctl(struct file *f, u32 cmd, u64 arg)
{
	struct usock *s = f->private;
	struct umsg *m;
	size_t n = 0;

	switch (cmd) {
	case FIONREAD:
		list_for_each_entry(m, &s->queue, node) {
			n += m->len - m->off;
			if (s->type != SOCK_STREAM)
				break;
		}
		return put_user_u32(arg, (u32)n);
	case SIOCOUTQ:
		return put_user_u32(arg, s->peer ? (u32)s->peer->bytes : 0);
	default:
		return -ENOTTY;
	}
}

static void unix_release(struct file *f)
{
	usock_close(f->private);
	if (unix_gc_due())
		collect_garbage();
}

const struct file_ops unix_fops = {
	.read = unix_read,
	.write = unix_write,
	.poll = unix_poll,
	.ioctl = unix_ioctl,
	.release = unix_release,
};

struct usock *file_usock(const struct file *f)
{
	return f->ops == &unix_fops ? f->private : NULL;
}

int unix_socket_file(struct usock *s, u32 flags, struct file **ret)
{
	int r = file_new_anon("socket", &unix_fops, S_IFSOCK | 0777,
			      O_RDWR | (flags & SOCK_NONBLOCK ? O_NONBLOCK : 0), s, ret);

	if (r < 0)
		usock_close(s);
	return r;
}
