/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Advisory locks: POSIX record locks (owned by a descriptor table), open file description locks and flock(2) locks (owned by an open
 * file). fcntl_locking(2), flock(2). One list per inode; waiters sleep on the inode's wait queue and try again.
 */
#include "kernel/fs/internal.h"

#include "kernel/mm/uaccess.h"

#define LOCK_CHAIN_MAX 64u /* owners looked at when searching for a deadlock */
#define LOCK_END_MAX   0x7fffffffffffffffull

enum lock_class {
	LOCK_CLASS_POSIX,
	LOCK_CLASS_FLOCK
}; /* OFD locks conflict with POSIX ones: same class, other owner */

struct file_lock {
	struct list node;
	enum lock_class class;
	const void *owner;
	int pid; /* -1: OFD */
	bool write;
	u64 start, end; /* inclusive */
};

struct lock_wait {
	struct list node;
	const void *owner, *blocker;
};
static LIST_HEAD(lock_waits);

static struct file_lock *lock_conflict(struct inode *i, const struct file_lock *want)
{
	struct file_lock *l;

	list_for_each_entry(l, &i->locks, node)
		if (l->class == want->class && l->owner != want->owner &&
		    (l->write || want->write) && l->start <= want->end && l->end >= want->start)
			return l;
	return NULL;
}

static int lock_add(struct inode *i, const struct file_lock *proto, u64 start, u64 end)
{
	struct file_lock *l = kmalloc(sizeof(*l));

	if (!l)
		return -ENOLCK;
	*l = *proto;
	l->start = start;
	l->end = end;
	list_add_tail(&l->node, &i->locks);
	return 0;
}

static void lock_free(struct file_lock *l)
{
	list_del(&l->node);
	kfree(l);
}

/* Takes [start, end] out of the owner's locks, splitting the one that reaches over both ends. */
static int lock_cut(struct inode *i, const struct file_lock *range)
{
	struct file_lock *l, *tmp;
	int r = 0;

	list_for_each_entry_safe(l, tmp, &i->locks, node) {
		if (l->class != range->class || l->owner != range->owner || l->start > range->end ||
		    l->end < range->start)
			continue;
		if (l->end > range->end) {
			r = lock_add(i, l, range->end + 1, l->end);
			if (r < 0)
				return r;
		}
		if (l->start < range->start)
			l->end = range->start - 1;
		else
			lock_free(l);
	}
	return r;
}

/* Joins neighbours of equal kind, so that locking byte by byte does not grow the list. */
static void lock_merge(struct inode *i, struct file_lock *l)
{
	struct file_lock *o, *tmp;

	list_for_each_entry_safe(o, tmp, &i->locks, node) {
		if (o == l || o->class != l->class || o->owner != l->owner || o->write != l->write)
			continue;
		if (o->end != LOCK_END_MAX && o->end + 1 == l->start) {
			l->start = o->start;
			lock_free(o);
		} else if (l->end != LOCK_END_MAX && l->end + 1 == o->start) {
			l->end = o->end;
			lock_free(o);
		}
	}
}

/* Would waiting for `blocker` wait for ourselves? */
static bool lock_deadlocks(const void *owner, const void *blocker)
{
	for (unsigned n = 0; n < LOCK_CHAIN_MAX; n++) {
		struct lock_wait *w;
		const void *next = NULL;

		list_for_each_entry(w, &lock_waits, node)
			if (w->owner == blocker)
				next = w->blocker;
		if (!next)
			return false;
		if (next == owner)
			return true;
		blocker = next;
	}
	return false;
}

static int lock_wait_for(struct inode *i, const struct file_lock *want, bool detect)
{
	struct lock_wait lw = { .owner = detect ? want->owner : NULL };
	struct file_lock *l;
	struct waiter w = { 0 };
	int r = 0;

	list_init(&lw.node);
	waitq_add(&i->wq, &w);
	while (r == 0 && (l = lock_conflict(i, want))) {
		if (detect && lock_deadlocks(want->owner, l->owner)) {
			r = -EDEADLK;
			break;
		}
		lw.blocker = l->owner;
		if (detect)
			list_add(&lw.node, &lock_waits);
		r = task_sleep(TASK_INTERRUPTIBLE, DEADLINE_NONE);
		list_del(&lw.node);
	}
	waitq_remove(&w);
	return r == -EINTR ? -ERESTARTSYS : r;
}

static int lock_set(struct inode *i, const struct file_lock *want, bool wait, bool detect)
{
	int r;

	if (lock_conflict(i, want)) {
		if (!wait)
			return -EAGAIN;
		r = lock_wait_for(i, want, detect);
		if (r < 0)
			return r;
	}
	r = lock_cut(i, want);
	if (r == 0)
		r = lock_add(i, want, want->start, want->end);
	if (r == 0)
		lock_merge(i, list_last_entry(&i->locks, struct file_lock, node));
	/* A write lock turned into a read lock lets others in. */
	waitq_wake_all(&i->wq, 0);
	return r;
}

static int lock_unset(struct inode *i, const struct file_lock *range)
{
	int r = lock_cut(i, range);

	waitq_wake_all(&i->wq, 0);
	return r;
}

static void lock_release_owner(struct inode *i, enum lock_class class, const void *owner)
{
	struct file_lock *l, *tmp;
	bool any = false;

	list_for_each_entry_safe(l, tmp, &i->locks, node) {
		if (l->class != class || l->owner != owner)
			continue;
		lock_free(l);
		any = true;
	}
	if (any)
		waitq_wake_all(&i->wq, 0);
}

void locks_release_posix(struct inode *i, const void *owner)
{
	if (!list_empty(&i->locks))
		lock_release_owner(i, LOCK_CLASS_POSIX, owner);
}

void locks_release_file(struct file *f)
{
	if (list_empty(&f->inode->locks))
		return;
	lock_release_owner(f->inode, LOCK_CLASS_POSIX, f);
	lock_release_owner(f->inode, LOCK_CLASS_FLOCK, f);
}

/* struct flock to a range; fcntl_locking(2): a negative length reaches back from the start. */
static int lock_range(struct file *f, const struct linux_flock *fl, struct file_lock *ret)
{
	s64 start = fl->l_start, end;

	switch (fl->l_whence) {
	case SEEK_SET:
		break;
	case SEEK_CUR:
		if (__builtin_add_overflow(start, (s64)f->pos, &start))
			return -EOVERFLOW;
		break;
	case SEEK_END:
		if (__builtin_add_overflow(start, (s64)f->inode->size, &start))
			return -EOVERFLOW;
		break;
	default:
		return -EINVAL;
	}
	if (start < 0)
		return -EINVAL;
	if (fl->l_len > 0) {
		if (__builtin_add_overflow(start, fl->l_len - 1, &end))
			return -EOVERFLOW;
	} else if (fl->l_len < 0) {
		end = start - 1;
		start += fl->l_len;
		if (start < 0)
			return -EINVAL;
	} else {
		end = (s64)LOCK_END_MAX;
	}
	ret->start = (u64)start;
	ret->end = (u64)end;
	return 0;
}

static int lock_get(struct file *f, struct file_lock *want, struct linux_flock *fl)
{
	struct file_lock *l = lock_conflict(f->inode, want);

	if (!l) {
		fl->l_type = F_UNLCK;
		return 0;
	}
	fl->l_type = l->write ? F_WRLCK : F_RDLCK;
	fl->l_whence = SEEK_SET;
	fl->l_start = (s64)l->start;
	fl->l_len = l->end == LOCK_END_MAX ? 0 : (s64)(l->end - l->start + 1);
	fl->l_pid = l->pid;
	return 0;
}

static int lock_check_type(struct file *f, s16 type, bool set)
{
	switch (type) {
	case F_RDLCK:
		return set && !FMODE_READ(f) ? -EBADF : 0;
	case F_WRLCK:
		return set && !FMODE_WRITE(f) ? -EBADF : 0;
	case F_UNLCK:
		return 0;
	default:
		return -EINVAL;
	}
}

s64 locks_fcntl(struct file *f, int cmd, uptr_t arg)
{
	bool ofd = cmd == F_OFD_GETLK || cmd == F_OFD_SETLK || cmd == F_OFD_SETLKW;
	bool get = cmd == F_GETLK || cmd == F_OFD_GETLK,
	     wait = cmd == F_SETLKW || cmd == F_OFD_SETLKW;
	struct linux_flock fl;
	struct file_lock want = { .class = LOCK_CLASS_POSIX };
	int r = copy_from_user(&fl, arg, sizeof(fl));

	if (r < 0)
		return r;
	if (ofd && fl.l_pid)
		return -EINVAL;
	r = lock_check_type(f, fl.l_type, !get);
	if (r == 0)
		r = lock_range(f, &fl, &want);
	if (r < 0)
		return r;
	want.owner = ofd ? (const void *)f : (const void *)current->files;
	want.pid = ofd ? -1 : current->proc->pid;
	want.write = fl.l_type == F_WRLCK;
	if (get) {
		if (fl.l_type == F_UNLCK && !ofd)
			return -EINVAL;
		r = lock_get(f, &want, &fl);
		return r < 0 ? r : copy_to_user(arg, &fl, sizeof(fl));
	}
	if (fl.l_type == F_UNLCK)
		return lock_unset(f->inode, &want);
	return lock_set(f->inode, &want, wait, !ofd);
}

int locks_flock(struct file *f, int op)
{
	struct file_lock want = { .class = LOCK_CLASS_FLOCK,
				  .owner = f,
				  .pid = current->proc->pid,
				  .end = LOCK_END_MAX };
	int r;

	switch (op & ~LOCK_NB) {
	case LOCK_UN:
		return lock_unset(f->inode, &want);
	case LOCK_SH:
	case LOCK_EX:
		want.write = (op & ~LOCK_NB) == LOCK_EX;
		break;
	default:
		return -EINVAL;
	}
	/* flock(2): a conversion gives the old lock up first. */
	if (lock_conflict(f->inode, &want)) {
		if (op & LOCK_NB)
			return -EAGAIN;
		lock_unset(f->inode, &want);
	}
	r = lock_set(f->inode, &want, !(op & LOCK_NB), false);
	return r;
}
