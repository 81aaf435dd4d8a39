/* SPDX-License-Identifier: Apache-2.0 */
/*
 * futex(2). A waiter hangs in a hash bucket by its key: (mm, address), or (inode, byte offset) for shared file mappings, so that
 * processes meet. Under the kernel lock the test of the word and the enqueueing are one step: a waker needs the lock too.
 */
#include "abi/linux/futex.h"
#include "abi/linux/errno.h"
#include "base/hash.h"
#include "base/list.h"
#include "kernel/core/cpu.h"
#include "kernel/core/wait.h"
#include "kernel/fs/vfs.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/proc.h"
#include "kernel/sys/syscall.h"
#include "kernel/time/timespec.h"

#define FUTEX_BUCKETS 256u

struct futex_key {
	const void *object; /* struct mm or struct inode */
	u64 offset;
};

struct futex_waiter {
	struct list node;
	struct futex_key key;
	struct inode *inode; /* reference that keeps a shared key's object alive, or NULL */
	struct task *task;
	u32 bitset;
	bool pi; /* waits for a priority-inheriting lock */
	bool woken;
};

static struct list buckets[FUTEX_BUCKETS];

void futex_init(void)
{
	for (unsigned i = 0; i < FUTEX_BUCKETS; i++)
		list_init(&buckets[i]);
}

static struct list *bucket_of(const struct futex_key *k)
{
	return &buckets[hash_u64((u64)k->object ^ (k->offset * 0x9e3779b97f4a7c15ul)) %
			FUTEX_BUCKETS];
}

static bool key_equal(const struct futex_key *a, const struct futex_key *b)
{
	return a->object == b->object && a->offset == b->offset;
}

/* The key of a word of current's memory. */
static int key_get(uptr_t addr, bool private, struct futex_key *ret, struct inode **ret_inode)
{
	struct mm *mm = current->mm;
	const struct vma *v;

	if (addr & 3)
		return -EINVAL;
	if (!user_range_ok(addr, sizeof(u32)))
		return -EFAULT;
	*ret_inode = NULL;
	*ret = (struct futex_key){ mm, addr };
	if (private)
		return 0;
	v = mm_find_vma(mm, addr);
	if (!v || v->start > addr)
		return -EFAULT;
	if (v->file && (v->flags & VMA_F_SHARED)) {
		*ret_inode = v->file->inode;
		*ret = (struct futex_key){ v->file->inode,
					   v->pgoff * PAGE_SIZE + (addr - v->start) };
	}
	return 0;
}

static void waiter_enqueue(struct futex_waiter *w, const struct futex_key *key, struct inode *inode)
{
	w->key = *key;
	w->inode = inode ? inode_ref(inode) : NULL;
	list_add_tail(&w->node, bucket_of(key));
}

static void waiter_dequeue(struct futex_waiter *w)
{
	list_del(&w->node);
	if (w->inode)
		inode_unref(w->inode);
	w->inode = NULL;
}

static void waiter_wake(struct futex_waiter *w)
{
	waiter_dequeue(w);
	w->woken = true;
	task_wake(w->task);
}

/* Sleeps until woken; leaves w dequeued. 0, -ETIMEDOUT or -EINTR. */
static int waiter_sleep(struct futex_waiter *w, u64 deadline)
{
	int r = 0;

	while (!w->woken && r == 0)
		r = task_sleep(TASK_INTERRUPTIBLE, deadline);
	if (w->woken)
		return 0;
	waiter_dequeue(w);
	return r;
}

/* ---- wait and wake ---- */

static s64 futex_wait(uptr_t addr, bool private, u32 val, u64 deadline, u32 bitset)
{
	struct futex_waiter w = { .task = current, .bitset = bitset };
	struct futex_key key;
	struct inode *inode;
	u32 now;
	int r;

	if (!bitset)
		return -EINVAL;
	if (get_user_u32(&now, addr))
		return addr & 3 ? -EINVAL : -EFAULT;
	r = key_get(addr, private, &key, &inode);
	if (r < 0)
		return r;
	if (now != val)
		return -EAGAIN;
	waiter_enqueue(&w, &key, inode);
	r = waiter_sleep(&w, deadline);
	if (r != -EINTR)
		return r;
	return deadline == DEADLINE_NONE ? -ERESTARTSYS : -ERESTART_RESTARTBLOCK;
}

static u64 futex_wait_restart(struct task *t)
{
	const u64 *a = t->restart_arg;

	return (u64)futex_wait(a[0], a[1], (u32)a[2], a[3], (u32)a[4]);
}

static s64 futex_wait_restartable(uptr_t addr, bool private, u32 val, u64 deadline, u32 bitset)
{
	struct task *t = current;

	t->restart = futex_wait_restart;
	t->restart_arg[0] = addr;
	t->restart_arg[1] = private;
	t->restart_arg[2] = val;
	t->restart_arg[3] = deadline;
	t->restart_arg[4] = bitset;
	return futex_wait(addr, private, val, deadline, bitset);
}

static unsigned wake_key(const struct futex_key *key, unsigned n, u32 bitset)
{
	struct list *b = bucket_of(key);
	struct futex_waiter *w, *next;
	unsigned woken = 0;

	list_for_each_entry_safe(w, next, b, node) {
		if (woken >= n)
			break;
		if (!key_equal(&w->key, key) || !(w->bitset & bitset) || w->pi)
			continue;
		waiter_wake(w);
		woken++;
	}
	return woken;
}

static s64 futex_wake(uptr_t addr, bool private, s32 n, u32 bitset)
{
	struct futex_key key;
	struct inode *inode;
	int r;

	if (!bitset)
		return -EINVAL;
	r = key_get(addr, private, &key, &inode);
	if (r < 0)
		return r;
	/* Linux wakes one even for n <= 0. */
	return wake_key(&key, n > 0 ? (unsigned)n : 1, bitset);
}

int futex_wake_address(uptr_t addr, unsigned n)
{
	return (int)futex_wake(addr, false, (s32)n, FUTEX_BITSET_MATCH_ANY);
}

/* ---- requeue ---- */

static s64 futex_requeue(uptr_t from, uptr_t to, bool private, s32 nr_wake, s32 nr_requeue,
			 const u32 *expected)
{
	struct futex_key k1, k2;
	struct inode *i1, *i2;
	struct futex_waiter *w, *next;
	s64 woken, moved = 0;
	u32 now;
	int r;

	if (nr_wake < 0 || nr_requeue < 0)
		return -EINVAL;
	if (expected && get_user_u32(&now, from))
		return -EFAULT;
	r = key_get(from, private, &k1, &i1);
	if (r == 0)
		r = key_get(to, private, &k2, &i2);
	if (r < 0)
		return r;
	if (expected && now != *expected)
		return -EAGAIN;
	woken = wake_key(&k1, (unsigned)nr_wake, FUTEX_BITSET_MATCH_ANY);
	list_for_each_entry_safe(w, next, bucket_of(&k1), node) {
		if (moved >= nr_requeue)
			break;
		if (!key_equal(&w->key, &k1) || w->pi)
			continue;
		moved++;
		if (key_equal(&k1, &k2))
			continue;
		waiter_dequeue(w);
		waiter_enqueue(w, &k2, i2);
	}
	return woken + moved;
}

/* ---- FUTEX_WAKE_OP ---- */

static bool op_apply(u32 op, u32 old, u32 arg, u32 *ret)
{
	switch (op) {
	case FUTEX_OP_SET:
		*ret = arg;
		return true;
	case FUTEX_OP_ADD:
		*ret = old + arg;
		return true;
	case FUTEX_OP_OR:
		*ret = old | arg;
		return true;
	case FUTEX_OP_ANDN:
		*ret = old & ~arg;
		return true;
	case FUTEX_OP_XOR:
		*ret = old ^ arg;
		return true;
	default:
		return false;
	}
}

static int op_compare(u32 cmp, s32 old, s32 arg)
{
	switch (cmp) {
	case FUTEX_OP_CMP_EQ:
		return old == arg;
	case FUTEX_OP_CMP_NE:
		return old != arg;
	case FUTEX_OP_CMP_LT:
		return old < arg;
	case FUTEX_OP_CMP_LE:
		return old <= arg;
	case FUTEX_OP_CMP_GT:
		return old > arg;
	case FUTEX_OP_CMP_GE:
		return old >= arg;
	default:
		return -ENOSYS;
	}
}

static s32 sign_extend12(u32 v)
{
	return (s32)(v << 20) >> 20;
}

/* Changes the word at addr as the encoded operation says; 1 or 0 = result of its comparison with the old value. */
static int futex_op(uptr_t addr, u32 encoded)
{
	u32 op = (encoded >> 28) & 7, old, new, seen;
	s32 arg = sign_extend12((encoded >> 12) & 0xfff);

	if ((encoded >> 28) & FUTEX_OP_OPARG_SHIFT)
		arg = (s32)(1u << (arg & 31));
	if (get_user_u32(&old, addr))
		return -EFAULT;
	for (;;) {
		if (!op_apply(op, old, (u32)arg, &new))
			return -ENOSYS;
		if (user_cmpxchg_u32(addr, old, new, &seen))
			return -EFAULT;
		if (seen == old)
			break;
		old = seen;
	}
	return op_compare((encoded >> 24) & 0xf, (s32)old, sign_extend12(encoded & 0xfff));
}

static s64 futex_wake_op(uptr_t addr, uptr_t addr2, bool private, s32 n, s32 n2, u32 encoded)
{
	struct futex_key k1, k2;
	struct inode *i1, *i2;
	s64 woken;
	int r, second;

	r = key_get(addr, private, &k1, &i1);
	if (r == 0)
		r = key_get(addr2, private, &k2, &i2);
	if (r < 0)
		return r;
	second = futex_op(addr2, encoded);
	if (second < 0)
		return second;
	woken = wake_key(&k1, n > 0 ? (unsigned)n : 1, FUTEX_BITSET_MATCH_ANY);
	if (second)
		woken += wake_key(&k2, n2 > 0 ? (unsigned)n2 : 1, FUTEX_BITSET_MATCH_ANY);
	return woken;
}

/* ---- locks with an owner (FUTEX_LOCK_PI): hand-over in FIFO order; priorities are not inherited ---- */

static struct futex_waiter *pi_first(const struct futex_key *key, bool *ret_more)
{
	struct futex_waiter *w, *first = NULL;

	*ret_more = false;
	list_for_each_entry(w, bucket_of(key), node) {
		if (!w->pi || !key_equal(&w->key, key))
			continue;
		if (first) {
			*ret_more = true;
			break;
		}
		first = w;
	}
	return first;
}

/* Takes the lock, or marks it as waited for. 0 = taken, 1 = wait, -EDEADLK, -ESRCH, -EFAULT, -EAGAIN (trylock). */
static int pi_try(uptr_t addr, bool try_only)
{
	u32 tid = (u32)current->tid, old, new, seen;

	if (get_user_u32(&old, addr))
		return -EFAULT;
	for (;;) {
		if ((old & FUTEX_TID_MASK) == tid)
			return -EDEADLK;
		if (!(old & FUTEX_TID_MASK)) {
			new = (old & (FUTEX_OWNER_DIED | FUTEX_WAITERS)) | tid;
		} else {
			if (try_only)
				return -EAGAIN;
			if (!task_find((int)(old & FUTEX_TID_MASK)))
				return -ESRCH;
			new = old | FUTEX_WAITERS;
		}
		if (new == old)
			return 1;
		if (user_cmpxchg_u32(addr, old, new, &seen))
			return -EFAULT;
		if (seen == old)
			return (new &FUTEX_TID_MASK) == tid ? 0 : 1;
		old = seen;
	}
}

static s64 futex_lock_pi(uptr_t addr, bool private, u64 deadline, bool try_only)
{
	struct futex_waiter w = { .task = current, .bitset = FUTEX_BITSET_MATCH_ANY, .pi = true };
	struct futex_key key;
	struct inode *inode;
	int r;

	r = key_get(addr, private, &key, &inode);
	if (r < 0)
		return r;
	r = pi_try(addr, try_only);
	if (r <= 0)
		return r;
	waiter_enqueue(&w, &key, inode);
	r = waiter_sleep(&w, deadline);
	return r == -EINTR ? -ERESTARTNOINTR : r;
}

/* Gives the lock, whose word is *old, to the first waiter or frees it. */
static int pi_hand_over(uptr_t addr, const struct futex_key *key, u32 old, u32 keep)
{
	struct futex_waiter *w;
	u32 new, seen;
	bool more;

	for (;;) {
		w = pi_first(key, &more);
		new = (w ? (u32)w->task->tid : 0) | (more ? FUTEX_WAITERS : 0) | keep;
		if (user_cmpxchg_u32(addr, old, new, &seen))
			return -EFAULT;
		if (seen == old)
			break;
		old = seen;
	}
	/* user_cmpxchg_u32() may have slept: the waiter may be gone. */
	if (w && w == pi_first(key, &more))
		waiter_wake(w);
	return 0;
}

static s64 futex_unlock_pi(uptr_t addr, bool private)
{
	struct futex_key key;
	struct inode *inode;
	u32 old;
	int r;

	if (get_user_u32(&old, addr))
		return -EFAULT;
	if ((old & FUTEX_TID_MASK) != (u32)current->tid)
		return -EPERM;
	r = key_get(addr, private, &key, &inode);
	return r < 0 ? r : pi_hand_over(addr, &key, old, 0);
}

/* ---- robust lists: set_robust_list(2), Linux Documentation/locking/robust-futexes ---- */

/* The lock at addr is given up if the ending thread t (current) held it. */
static void robust_release(struct task *t, uptr_t addr, bool pi)
{
	struct futex_key key;
	struct inode *inode;
	u32 old, seen;

	if ((addr & 3) || get_user_u32(&old, addr))
		return;
	while ((old & FUTEX_TID_MASK) == (u32)t->tid) {
		if (pi && (old & FUTEX_WAITERS) && key_get(addr, false, &key, &inode) == 0) {
			(void)pi_hand_over(addr, &key, old, FUTEX_OWNER_DIED);
			return;
		}
		if (user_cmpxchg_u32(addr, old, (old & FUTEX_WAITERS) | FUTEX_OWNER_DIED, &seen))
			return;
		if (seen == old) {
			if (old & FUTEX_WAITERS)
				(void)futex_wake_address(addr, 1);
			return;
		}
		old = seen;
	}
}

void futex_exit_robust(struct task *t)
{
	uptr_t head = t->robust_list, entry, next;
	struct linux_robust_list_head h;

	if (!head || copy_from_user(&h, head, sizeof(h)))
		return;
	entry = h.list.next;
	for (unsigned n = 0; n < ROBUST_LIST_LIMIT && (entry & ~1ul) != head; n++) {
		/* Read the link first: the waiter may free the lock. */
		bool bad = get_user_u64(&next, entry & ~1ul);

		if (entry != h.list_op_pending)
			robust_release(t, (entry & ~1ul) + (u64)h.futex_offset, entry & 1);
		if (bad)
			break;
		entry = next;
	}
	if (h.list_op_pending)
		robust_release(t, (h.list_op_pending & ~1ul) + (u64)h.futex_offset,
			       h.list_op_pending & 1);
}

sysret_t sys_set_robust_list(const struct sysargs *a)
{
	if (arg_u64(a, 1) != sizeof(struct linux_robust_list_head))
		return -EINVAL;
	current->robust_list = arg_ptr(a, 0);
	return 0;
}

sysret_t sys_get_robust_list(const struct sysargs *a)
{
	struct task *t = arg_int(a, 0) ? task_find(arg_int(a, 0)) : current;
	uptr_t head;

	if (!t)
		return -ESRCH;
	if (t->proc != current->proc && t->cred->uid != current->cred->euid && current->cred->euid)
		return -EPERM;
	head = t->robust_list;
	if (put_user_u64(arg_ptr(a, 2), sizeof(struct linux_robust_list_head)) ||
	    put_user_u64(arg_ptr(a, 1), head))
		return -EFAULT;
	return 0;
}

/* ---- futex(2) ---- */

/* The deadline of a waiting operation; DEADLINE_NONE without a timeout. */
static int futex_deadline(u32 op, u32 cmd, uptr_t addr, u64 *ret)
{
	struct linux_timespec ts;
	u64 ns;

	*ret = DEADLINE_NONE;
	if (!addr)
		return 0;
	if (copy_from_user(&ts, addr, sizeof(ts)))
		return -EFAULT;
	if (!timespec_valid(&ts))
		return -EINVAL;
	ns = timespec_to_ns(&ts);
	if (cmd == FUTEX_WAIT)
		*ret = ktime_add(ktime_mono(), ns);
	else if ((op & FUTEX_CLOCK_REALTIME) || cmd == FUTEX_LOCK_PI)
		*ret = ktime_from_clock(ns, ktime_real());
	else
		*ret = ns ? ns : 1;
	return 0;
}

static bool cmd_waits(u32 cmd)
{
	return cmd == FUTEX_WAIT || cmd == FUTEX_WAIT_BITSET || cmd == FUTEX_LOCK_PI ||
	       cmd == FUTEX_LOCK_PI2;
}

sysret_t sys_futex(const struct sysargs *a)
{
	u32 op = arg_u32(a, 1), cmd = op & (u32)FUTEX_CMD_MASK, val = arg_u32(a, 2),
	    val3 = arg_u32(a, 5);
	bool private = op & FUTEX_PRIVATE_FLAG;
	uptr_t addr = arg_ptr(a, 0), addr2 = arg_ptr(a, 4);
	s32 val2 = (s32)arg_u32(a, 3);
	u64 deadline = DEADLINE_NONE;
	int r;

	if ((op & FUTEX_CLOCK_REALTIME) && cmd != FUTEX_WAIT_BITSET && cmd != FUTEX_LOCK_PI2 &&
	    cmd != FUTEX_WAIT)
		return -ENOSYS;
	if (cmd_waits(cmd)) {
		r = futex_deadline(op, cmd, arg_ptr(a, 3), &deadline);
		if (r < 0)
			return r;
	}
	switch (cmd) {
	case FUTEX_WAIT:
		return futex_wait_restartable(addr, private, val, deadline, FUTEX_BITSET_MATCH_ANY);
	case FUTEX_WAIT_BITSET:
		return futex_wait_restartable(addr, private, val, deadline, val3);
	case FUTEX_WAKE:
		return futex_wake(addr, private, (s32)val, FUTEX_BITSET_MATCH_ANY);
	case FUTEX_WAKE_BITSET:
		return futex_wake(addr, private, (s32)val, val3);
	case FUTEX_REQUEUE:
		return futex_requeue(addr, addr2, private, (s32)val, val2, NULL);
	case FUTEX_CMP_REQUEUE:
		return futex_requeue(addr, addr2, private, (s32)val, val2, &val3);
	case FUTEX_WAKE_OP:
		return futex_wake_op(addr, addr2, private, (s32)val, val2, val3);
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2:
		return futex_lock_pi(addr, private, deadline, false);
	case FUTEX_TRYLOCK_PI:
		return futex_lock_pi(addr, private, DEADLINE_NONE, true);
	case FUTEX_UNLOCK_PI:
		return futex_unlock_pi(addr, private);
	default:
		return -ENOSYS;
	}
}
