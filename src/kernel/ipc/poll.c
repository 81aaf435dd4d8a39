/* SPDX-License-Identifier: Apache-2.0 */
/* poll(2), select(2): one wait for many files. */
#include "abi/linux/poll.h"

#include "abi/linux/errno.h"
#include "abi/linux/resource.h"
#include "base/bitmap.h"
#include "base/string.h"
#include "kernel/core/cpu.h"
#include "kernel/core/time.h"
#include "kernel/ipc/ipc.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/task.h"
#include "kernel/sys/syscall.h"

#define WAITERS_INLINE 8
#define WAITERS_CHUNK  64
#define FDS_INLINE     32u

struct poll_chunk {
	struct poll_chunk *next;
	unsigned used;
	struct waiter w[WAITERS_CHUNK];
};

/* Queues the current task on every wait queue that a file names. */
struct poll_waits {
	struct poll_table pt; /* first */
	unsigned used;
	bool no_memory;
	struct poll_chunk *chunks;
	struct waiter w[WAITERS_INLINE];
};

static struct waiter *poll_waiter(struct poll_waits *pw)
{
	struct poll_chunk *c = pw->chunks;

	if (pw->used < WAITERS_INLINE)
		return &pw->w[pw->used++];
	if (!c || c->used == WAITERS_CHUNK) {
		c = kmalloc(sizeof(*c));
		if (!c) {
			pw->no_memory = true;
			return NULL;
		}
		c->next = pw->chunks;
		c->used = 0;
		pw->chunks = c;
	}
	return &c->w[c->used++];
}

static void poll_queue(struct poll_table *pt, struct waitq *wq)
{
	struct waiter *w = poll_waiter((struct poll_waits *)pt);

	if (w)
		waitq_add(wq, w);
}

static void poll_waits_init(struct poll_waits *pw)
{
	pw->pt.queue = poll_queue;
	pw->used = 0;
	pw->no_memory = false;
	pw->chunks = NULL;
}

static void poll_waits_done(struct poll_waits *pw)
{
	struct poll_chunk *c, *next;

	for (unsigned i = 0; i < pw->used; i++)
		waitq_remove(&pw->w[i]);
	for (c = pw->chunks; c; c = next) {
		for (unsigned i = 0; i < c->used; i++)
			waitq_remove(&c->w[i]);
		next = c->next;
		kfree(c);
	}
}

/*
 * The set of files of one call. They are looked up once and held: a descriptor closed by another thread during the wait goes on
 * being watched, which poll(2) leaves open.
 */
struct poll_set {
	struct linux_pollfd *fds;
	struct file **files;
	unsigned n;
};

static int poll_check(struct poll_set *s, struct poll_table *pt)
{
	int ready = 0;

	for (unsigned i = 0; i < s->n; i++) {
		struct linux_pollfd *p = &s->fds[i];
		u32 want = (u16)p->events | POLLERR | POLLHUP, got;

		p->revents = 0;
		if (p->fd < 0)
			continue;
		got = s->files[i] ? file_poll(s->files[i], pt) & (want | POLLNVAL) : POLLNVAL;
		if (!got)
			continue;
		p->revents = (s16)got;
		ready++;
		pt = NULL; /* there will be no sleep */
	}
	return ready;
}

static s64 poll_run(struct poll_set *s, bool may_wait, u64 deadline)
{
	struct poll_waits pw;
	s64 ready;
	int r = 0;

	poll_waits_init(&pw);
	ready = poll_check(s, may_wait ? &pw.pt : NULL);
	while (!ready && may_wait && r != -ETIMEDOUT) {
		if (pw.no_memory) {
			ready = -ENOMEM;
			break;
		}
		r = task_sleep(TASK_INTERRUPTIBLE, deadline);
		ready = poll_check(s, NULL);
		if (!ready && r == -EINTR)
			ready = -ERESTARTNOHAND;
	}
	poll_waits_done(&pw);
	return ready;
}

static s64 poll_held(struct poll_set *s, bool may_wait, u64 deadline)
{
	s64 r;

	for (unsigned i = 0; i < s->n; i++)
		s->files[i] = fd_get(s->fds[i].fd);
	r = poll_run(s, may_wait, deadline);
	for (unsigned i = 0; i < s->n; i++)
		file_unref(s->files[i]);
	return r;
}

static s64 poll_copy_back(uptr_t ufds, const struct linux_pollfd *fds, unsigned n)
{
	return n ? copy_to_user(ufds, fds, n * sizeof(*fds)) : 0;
}

static s64 do_poll(uptr_t ufds, u32 nfds, bool may_wait, u64 deadline)
{
	struct linux_pollfd fast[FDS_INLINE];
	struct file *fast_files[FDS_INLINE];
	struct poll_set s = { .fds = fast, .files = fast_files, .n = nfds };
	s64 r = 0;

	if (nfds > task_rlimit(current, RLIMIT_NOFILE) || nfds > FDTABLE_MAX)
		return -EINVAL;
	if (nfds > FDS_INLINE) {
		s.fds = kcalloc(nfds, sizeof(*s.fds));
		s.files = kcalloc(nfds, sizeof(*s.files));
	}
	if (!s.fds || !s.files)
		r = -ENOMEM;
	if (r == 0 && nfds)
		r = copy_from_user(s.fds, ufds, nfds * sizeof(*s.fds));
	if (r == 0)
		r = poll_held(&s, may_wait, deadline);
	if (r >= 0 && poll_copy_back(ufds, s.fds, nfds) < 0)
		r = -EFAULT;
	if (nfds > FDS_INLINE) {
		kfree(s.fds);
		kfree(s.files);
	}
	return r;
}

/* ---- poll(2), ppoll(2) ---- */

static u64 poll_restart(struct task *t)
{
	u64 ufds = t->restart_arg[0], nfds = t->restart_arg[1], deadline = t->restart_arg[2];
	s64 r = do_poll(ufds, (u32)nfds, true, deadline);

	if (r != -ERESTARTNOHAND)
		return (u64)r;
	t->restart = poll_restart;
	return (u64)-ERESTART_RESTARTBLOCK;
}

sysret_t sys_poll(const struct sysargs *a)
{
	int ms = arg_int(a, 2);
	u64 deadline = ms > 0 ? deadline_after_ns((u64)ms * 1000000) : DEADLINE_NONE;
	s64 r = do_poll(arg_ptr(a, 0), arg_u32(a, 1), ms != 0, deadline);

	if (r != -ERESTARTNOHAND)
		return r;
	current->restart_arg[0] = arg_ptr(a, 0);
	current->restart_arg[1] = arg_u32(a, 1);
	current->restart_arg[2] = deadline;
	current->restart = poll_restart;
	return -ERESTART_RESTARTBLOCK;
}

struct wait_time {
	bool given, zero;
	u64 deadline;
};

static int wait_time_set(struct wait_time *w, const struct linux_timespec *ts)
{
	w->given = true;
	w->zero = !ts->tv_sec && !ts->tv_nsec;
	return deadline_from_timespec(ts, &w->deadline);
}

static int wait_time_from_timespec(struct wait_time *w, uptr_t user)
{
	struct linux_timespec ts;
	int r;

	*w = (struct wait_time){ .deadline = DEADLINE_NONE };
	if (!user)
		return 0;
	r = copy_from_user(&ts, user, sizeof(ts));
	return r < 0 ? r : wait_time_set(w, &ts);
}

/* What is left of the time, as Linux leaves it; a place that can't be written is no error of the call. */
static void wait_time_write_timespec(const struct wait_time *w, uptr_t user)
{
	struct linux_timespec left = { 0 };

	if (!w->given)
		return;
	if (!w->zero)
		left = deadline_left(w->deadline);
	if (copy_to_user(user, &left, sizeof(left)) < 0)
		return;
}

sysret_t sys_ppoll(const struct sysargs *a)
{
	struct wait_time w;
	s64 r = wait_time_from_timespec(&w, arg_ptr(a, 2));

	if (r == 0)
		r = sigmask_enter(arg_ptr(a, 3), arg_u64(a, 4));
	if (r < 0)
		return r;
	r = do_poll(arg_ptr(a, 0), arg_u32(a, 1), !w.zero, w.deadline);
	sigmask_leave(r, arg_ptr(a, 3));
	wait_time_write_timespec(&w, arg_ptr(a, 2));
	return r;
}

/* ---- select(2), pselect6(2) ---- */

/* select(2), "Correspondence between select() and poll() notifications". */
static const u32 select_events[3] = {
	POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR,
	POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR,
	POLLPRI,
};

struct select_sets {
	u64 *in[3], *out[3]; /* `words` each; in NULL: not given */
	unsigned n, words;
};

static u32 select_wanted(const struct select_sets *s, unsigned fd)
{
	u32 events = 0;

	for (unsigned k = 0; k < 3; k++)
		if (s->in[k] && (s->in[k][fd / 64] >> (fd % 64) & 1))
			events |= select_events[k];
	return events;
}

static u64 select_any(const struct select_sets *s, unsigned word)
{
	u64 any = 0;

	for (unsigned k = 0; k < 3; k++)
		any |= s->in[k] ? s->in[k][word] : 0;
	if (word == s->n / 64)
		any &= (1ull << (s->n % 64)) - 1;
	return any;
}

static unsigned select_count(const struct select_sets *s)
{
	unsigned count = 0;

	for (unsigned word = 0; word < s->words; word++)
		count += bitmap_word_weight(select_any(s, word));
	return count;
}

static void select_to_poll(const struct select_sets *s, struct linux_pollfd *fds)
{
	for (unsigned word = 0; word < s->words; word++) {
		for (u64 any = select_any(s, word); any; any &= any - 1) {
			unsigned fd = word * 64 + (unsigned)__builtin_ctzll(any);

			*fds++ = (struct linux_pollfd){ .fd = (s32)fd,
							.events = (s16)select_wanted(s, fd) };
		}
	}
}

/* The number of bits set, or -EBADF for a descriptor that wasn't open. */
static s64 select_from_poll(struct select_sets *s, const struct linux_pollfd *fds, unsigned n)
{
	s64 ready = 0;

	for (; n; n--, fds++) {
		unsigned fd = (unsigned)fds->fd;

		if (fds->revents & POLLNVAL)
			return -EBADF;
		for (unsigned k = 0; k < 3; k++) {
			if (!s->in[k] || !(s->in[k][fd / 64] >> (fd % 64) & 1) ||
			    !((u16)fds->revents & select_events[k]))
				continue;
			s->out[k][fd / 64] |= 1ull << (fd % 64);
			ready++;
		}
	}
	return ready;
}

static s64 select_run(struct select_sets *s, const struct wait_time *w)
{
	struct linux_pollfd fast[FDS_INLINE];
	struct file *fast_files[FDS_INLINE];
	struct poll_set p = { .fds = fast, .files = fast_files, .n = select_count(s) };
	s64 r = -ENOMEM;

	if (p.n > FDS_INLINE) {
		p.fds = kcalloc(p.n, sizeof(*p.fds));
		p.files = kcalloc(p.n, sizeof(*p.files));
	}
	if (p.fds && p.files) {
		select_to_poll(s, p.fds);
		r = poll_held(&p, !w->zero, w->deadline);
		if (r >= 0)
			r = select_from_poll(s, p.fds, p.n);
	}
	if (p.n > FDS_INLINE) {
		kfree(p.fds);
		kfree(p.files);
	}
	return r;
}

static int select_copy_in(struct select_sets *s, const uptr_t user[3], u64 *space)
{
	size_t bytes = (s->n + 7) / 8;
	int r = 0;

	for (unsigned k = 0; k < 3 && r == 0; k++) {
		s->out[k] = space + (3 + k) * s->words;
		if (!user[k])
			continue;
		s->in[k] = space + k * s->words;
		r = copy_from_user(s->in[k], user[k], bytes);
	}
	return r;
}

static int select_copy_out(const struct select_sets *s, const uptr_t user[3])
{
	size_t bytes = (s->n + 7) / 8;
	int r = 0;

	for (unsigned k = 0; k < 3 && r == 0; k++)
		if (user[k])
			r = copy_to_user(user[k], s->out[k], bytes);
	return r;
}

static s64 do_select(int n, const uptr_t user[3], const struct wait_time *w)
{
	struct select_sets s = { 0 };
	u64 fast[6 * 4] = { 0 }, *space = fast;
	s64 r;

	if (n < 0)
		return -EINVAL;
	s.n = MIN((unsigned)n, current->files->size);
	s.words = (s.n + 63) / 64;
	if (s.words > 4) {
		space = kcalloc(6 * s.words, sizeof(*space));
		if (!space)
			return -ENOMEM;
	}
	r = select_copy_in(&s, user, space);
	if (r == 0)
		r = select_run(&s, w);
	if (r >= 0 && select_copy_out(&s, user) < 0)
		r = -EFAULT;
	if (space != fast)
		kfree(space);
	return r;
}

static int wait_time_from_timeval(struct wait_time *w, uptr_t user)
{
	struct linux_timeval tv;
	struct linux_timespec ts;
	int r;

	*w = (struct wait_time){ .deadline = DEADLINE_NONE };
	if (!user)
		return 0;
	r = copy_from_user(&tv, user, sizeof(tv));
	if (r < 0)
		return r;
	/* Linux takes a whole number of seconds in tv_usec too. */
	if (tv.tv_sec < 0 || tv.tv_usec < 0 ||
	    __builtin_add_overflow(tv.tv_sec, tv.tv_usec / 1000000, &ts.tv_sec))
		return -EINVAL;
	ts.tv_nsec = tv.tv_usec % 1000000 * 1000;
	return wait_time_set(w, &ts);
}

sysret_t sys_select(const struct sysargs *a)
{
	const uptr_t user[3] = { arg_ptr(a, 1), arg_ptr(a, 2), arg_ptr(a, 3) };
	struct linux_timespec left = { 0 };
	struct linux_timeval tv;
	struct wait_time w;
	s64 r = wait_time_from_timeval(&w, arg_ptr(a, 4));

	if (r < 0)
		return r;
	r = do_select(arg_int(a, 0), user, &w);
	if (w.given) {
		if (!w.zero)
			left = deadline_left(w.deadline);
		tv = (struct linux_timeval){ left.tv_sec, left.tv_nsec / 1000 };
		if (copy_to_user(arg_ptr(a, 4), &tv, sizeof(tv)) < 0)
			return r;
	}
	return r;
}

sysret_t sys_pselect6(const struct sysargs *a)
{
	const uptr_t user[3] = { arg_ptr(a, 1), arg_ptr(a, 2), arg_ptr(a, 3) };
	struct linux_sigset_argpack pack = { 0 };
	struct wait_time w;
	s64 r = wait_time_from_timespec(&w, arg_ptr(a, 4));

	if (r == 0 && arg_ptr(a, 5))
		r = copy_from_user(&pack, arg_ptr(a, 5), sizeof(pack));
	if (r == 0)
		r = sigmask_enter(pack.ss, pack.ss_len);
	if (r < 0)
		return r;
	r = do_select(arg_int(a, 0), user, &w);
	sigmask_leave(r, pack.ss);
	wait_time_write_timespec(&w, arg_ptr(a, 4));
	return r;
}
