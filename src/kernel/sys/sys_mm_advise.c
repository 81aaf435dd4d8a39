/* SPDX-License-Identifier: Apache-2.0 */
/* madvise(2), mincore(2), msync(2), process_vm_readv(2), the NUMA policy calls. */
#include "kernel/sys/syscall.h"

#include "abi/linux/capability.h"
#include "abi/linux/fcntl.h"
#include "abi/linux/mman.h"
#include "abi/linux/uio.h"
#include "kernel/fs/pcache.h"
#include "kernel/fs/vfs.h"
#include "kernel/mm/internal.h"
#include "kernel/proc/task.h"

#define MINCORE_CHUNK 256u
#define VM_COPY_CHUNK 16384u /* bytes of process_vm_readv between two looks at the other side */

/* ---- madvise ---- */

static int advise_dontneed(struct vma *v, uptr_t start, uptr_t end, int advice)
{
	struct gather g;

	if ((v->flags & VMA_F_LOCKED) && advice != MADV_DONTNEED_LOCKED)
		return -EINVAL;
	if (advice == MADV_FREE && !vma_is_anon(v))
		return -EINVAL;
	gather_init(&g, v->mm);
	mm_zap(&g, start, end);
	gather_finish(&g);
	return 0;
}

/* A hole in the file behind a shared mapping. */
static int advise_remove(struct vma *v, uptr_t start, uptr_t end)
{
	struct file *f = v->file;
	s64 r;

	if ((v->flags & VMA_F_LOCKED) || !f || !f->ops->fallocate)
		return -EINVAL;
	if (!(v->flags & VMA_F_SHARED) || !(v->flags & VMA_F_MAYWRITE))
		return -EACCES;
	file_ref(f);
	r = f->ops->fallocate(f, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			      (v->pgoff << PAGE_SHIFT) + (start - v->start), end - start);
	file_unref(f);
	return r < 0 ? (int)r : 0;
}

static int advise_flags(struct vma *v, uptr_t start, uptr_t end, u32 set, u32 clear)
{
	struct mm *mm = v->mm;
	int r;

	if ((v->flags | set) == v->flags && !(v->flags & clear))
		return 0;
	r = mm_split_at(mm, start);
	if (r == 0)
		r = mm_split_at(mm, end);
	if (r < 0)
		return r;
	v = mm_find_vma(mm, start);
	vma_set_flags(v, (v->flags | set) & ~clear);
	vma_merge(v);
	return 0;
}

static int advise_populate(struct vma *v, uptr_t start, uptr_t end, u32 access)
{
	int r;

	if (!(v->flags & VMA_F_ACCESS) || (access == RF_WRITE && !(v->flags & VMA_F_WRITE)))
		return -EINVAL;
	r = mm_populate(v->mm, start, end, access);
	return r == -EIO || r == -EACCES ? -EFAULT : r;
}

static int advise_one(struct vma *v, uptr_t start, uptr_t end, int advice)
{
	switch (advice) {
	case MADV_DONTNEED:
	case MADV_DONTNEED_LOCKED:
	case MADV_FREE:
		return advise_dontneed(v, start, end, advice);
	case MADV_REMOVE:
		return advise_remove(v, start, end);
	case MADV_DONTFORK:
		return advise_flags(v, start, end, VMA_F_DONTFORK, 0);
	case MADV_DOFORK:
		return advise_flags(v, start, end, 0, VMA_F_DONTFORK);
	case MADV_DONTDUMP:
		return advise_flags(v, start, end, VMA_F_DONTDUMP, 0);
	case MADV_DODUMP:
		return advise_flags(v, start, end, 0, VMA_F_DONTDUMP);
	case MADV_WIPEONFORK:
		if (!vma_is_anon(v) || (v->flags & VMA_F_SHARED))
			return -EINVAL;
		return advise_flags(v, start, end, VMA_F_WIPEONFORK, 0);
	case MADV_KEEPONFORK:
		return advise_flags(v, start, end, 0, VMA_F_WIPEONFORK);
	case MADV_HUGEPAGE:
		return advise_flags(v, start, end, VMA_F_HUGE, VMA_F_NOHUGE);
	case MADV_NOHUGEPAGE:
		return advise_flags(v, start, end, VMA_F_NOHUGE, VMA_F_HUGE);
	case MADV_POPULATE_READ:
		return advise_populate(v, start, end, RF_READ);
	case MADV_POPULATE_WRITE:
		return advise_populate(v, start, end, RF_WRITE);
	default:
		return 0; /* hints about what we don't do */
	}
}

static bool advice_known(int advice)
{
	return (advice >= MADV_NORMAL && advice <= MADV_DONTNEED) ||
	       (advice >= MADV_FREE && advice <= MADV_COLLAPSE);
}

static int advise_range(struct mm *mm, uptr_t start, uptr_t end, int advice)
{
	int err = 0;

	while (start < end) {
		struct vma *v = mm_find_vma(mm, start);
		uptr_t stop;
		int r;

		if (!v || v->start >= end)
			return -ENOMEM;
		if (v->start > start) {
			err = -ENOMEM; /* the mapped parts are advised all the same */
			start = v->start;
			if (advice == MADV_POPULATE_READ || advice == MADV_POPULATE_WRITE)
				return err;
		}
		stop = MIN(v->end, end);
		r = advise_one(v, start, stop, advice);
		if (r < 0)
			return r;
		start = stop;
	}
	return err;
}

sysret_t sys_madvise(const struct sysargs *a)
{
	uptr_t start = arg_ptr(a, 0);
	u64 len = ALIGN_UP(arg_u64(a, 1), PAGE_SIZE);
	int advice = arg_int(a, 2);

	if (advice == MADV_HWPOISON || advice == MADV_SOFT_OFFLINE)
		return -EPERM;
	if (!advice_known(advice) || (start & PAGE_MASK) || (arg_u64(a, 1) && !len) ||
	    start + len < start)
		return -EINVAL;
	return advise_range(current->mm, start, start + len, advice);
}

/* ---- mincore, msync ---- */

static bool page_resident(struct mm *mm, const struct vma *v, uptr_t va)
{
	uptr_t at;
	u64 off;
	u32 prot;

	if (kplat->as_next(&mm->as, va, va + PAGE_SIZE, &at, &off, &prot))
		return true;
	if (v->file && v->file->inode->pcache)
		return pcache_find(v->file->inode, v->pgoff + ((va - v->start) >> PAGE_SHIFT)) !=
		       NULL;
	return mm->parked.count && radix_get(&mm->parked, va >> PAGE_SHIFT);
}

sysret_t sys_mincore(const struct sysargs *a)
{
	uptr_t at = arg_ptr(a, 0), vec = arg_ptr(a, 2), end;
	struct mm *mm = current->mm;
	u8 out[MINCORE_CHUNK];

	if (at & PAGE_MASK)
		return -EINVAL;
	if (!user_range_ok(at, arg_u64(a, 1)))
		return -ENOMEM;
	end = ALIGN_UP(at + arg_u64(a, 1), PAGE_SIZE);
	if (!user_range_ok(vec, (end - at) >> PAGE_SHIFT))
		return -EFAULT;
	while (at < end) {
		u32 n = 0;

		for (; n < MINCORE_CHUNK && at < end; n++, at += PAGE_SIZE) {
			struct vma *v = mm_find_vma(mm, at);

			if (!v || v->start > at)
				return -ENOMEM;
			out[n] = page_resident(mm, v, at);
		}
		if (copy_to_user(vec, out, n) < 0)
			return -EFAULT;
		vec += n;
	}
	return 0;
}

static int sync_vma(struct vma *v, u32 flags)
{
	struct file *f = v->file;
	int r;

	if ((flags & MS_INVALIDATE) && (v->flags & VMA_F_LOCKED))
		return -EBUSY;
	if (!(flags & MS_SYNC) || !f || !(v->flags & VMA_F_SHARED) || !f->ops->fsync)
		return 0;
	file_ref(f);
	r = f->ops->fsync(f, true);
	file_unref(f);
	return r;
}

sysret_t sys_msync(const struct sysargs *a)
{
	uptr_t at = arg_ptr(a, 0), end = ALIGN_UP(at + arg_u64(a, 1), PAGE_SIZE);
	u32 flags = arg_u32(a, 2);
	int err = 0;

	if ((flags & ~(u32)(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) || (at & PAGE_MASK))
		return -EINVAL;
	if ((flags & (MS_ASYNC | MS_SYNC)) == (MS_ASYNC | MS_SYNC))
		return -EINVAL;
	if (end < at)
		return -ENOMEM;
	while (at < end) {
		struct vma *v = mm_find_vma(current->mm, at);
		uptr_t stop;
		int r;

		if (!v || v->start >= end)
			return -ENOMEM;
		if (v->start > at)
			err = -ENOMEM;
		stop = v->end;
		r = sync_vma(v, flags);
		if (r < 0)
			return r;
		at = stop;
	}
	return err;
}

/* ---- process_vm_readv, process_vm_writev ---- */

struct vm_cursor {
	struct linux_iovec *v;
	u64 n;
	u64 off; /* in v[0] */
};

static int cursor_import(struct vm_cursor *c, uptr_t iov, u64 n)
{
	int r;

	*c = (struct vm_cursor){ .n = n };
	if (n > UIO_MAXIOV)
		return -EINVAL;
	if (!n)
		return 0;
	c->v = kmalloc(n * sizeof(*c->v));
	if (!c->v)
		return -ENOMEM;
	r = copy_from_user(c->v, iov, n * sizeof(*c->v));
	for (u64 i = 0; r == 0 && i < n; i++)
		if ((s64)c->v[i].iov_len < 0)
			r = -EINVAL;
	return r;
}

/* Bytes at the cursor; skips what is used up. `from` counts entries. */
static u64 cursor_piece(struct vm_cursor *c, u64 *from, uptr_t *ret_addr)
{
	while (*from < c->n && c->off >= c->v[*from].iov_len) {
		++*from;
		c->off = 0;
	}
	if (*from >= c->n)
		return 0;
	*ret_addr = c->v[*from].iov_base + c->off;
	return c->v[*from].iov_len - c->off;
}

/* Bytes moved through buf, or -EFAULT. */
static s64 vm_copy_piece(struct mm *mm, uptr_t local, uptr_t remote, u8 *buf, size_t n, bool write)
{
	s64 got = write ? (s64)copy_from_user_partial(buf, local, n) : mm_read(mm, remote, buf, n);

	if (got <= 0)
		return -EFAULT;
	if (write)
		return mm_write(mm, remote, buf, (size_t)got);
	n = copy_to_user_partial(local, buf, (size_t)got);
	return n ? (s64)n : -EFAULT;
}

static s64 vm_copy(struct mm *mm, struct vm_cursor *local, struct vm_cursor *remote, bool write)
{
	u8 *buf = kmalloc(VM_COPY_CHUNK);
	u64 li = 0, ri = 0, n;
	s64 done = 0, got = 0;
	uptr_t la = 0, ra = 0;

	if (!buf)
		return -ENOMEM;
	for (;;) {
		n = cursor_piece(local, &li, &la);
		if (n)
			n = MIN(n, cursor_piece(remote, &ri, &ra));
		if (!n)
			break;
		n = MIN(n, (u64)VM_COPY_CHUNK);
		got = vm_copy_piece(mm, la, ra, buf, n, write);
		if (got <= 0)
			break;
		done += got;
		local->off += (u64)got;
		remote->off += (u64)got;
	}
	kfree(buf);
	return done ? done : got;
}

/* ptrace(2), "Ptrace access mode checking", PTRACE_MODE_ATTACH_REALCREDS */
static bool may_access(const struct task *t)
{
	const struct cred *me = current->cred, *c = t->cred;

	if (t->proc == current->proc || cred_capable(me, CAP_SYS_PTRACE))
		return true;
	return me->uid == c->euid && me->uid == c->suid && me->uid == c->uid &&
	       me->gid == c->egid && me->gid == c->sgid && me->gid == c->gid && !t->dumpable_off;
}

static s64 process_vm(const struct sysargs *a, bool write)
{
	struct vm_cursor local = { 0 }, remote = { 0 };
	struct task *t;
	struct mm *mm;
	s64 r;

	if (a->v[5])
		return -EINVAL;
	r = cursor_import(&local, arg_ptr(a, 1), arg_u64(a, 2));
	if (r == 0)
		r = cursor_import(&remote, arg_ptr(a, 3), arg_u64(a, 4));
	if (r == 0) {
		t = task_find(arg_int(a, 0));
		if (!t || !t->mm)
			r = -ESRCH;
		else if (!may_access(t))
			r = -EPERM;
	}
	if (r == 0) {
		mm = mm_ref(t->mm);
		r = vm_copy(mm, &local, &remote, write);
		mm_unref(mm);
	}
	kfree(local.v);
	kfree(remote.v);
	return r;
}

sysret_t sys_process_vm_readv(const struct sysargs *a)
{
	return process_vm(a, false);
}

sysret_t sys_process_vm_writev(const struct sysargs *a)
{
	return process_vm(a, true);
}

/* ---- NUMA: one node ---- */

#define MPOL_MODES          6u /* MPOL_DEFAULT … MPOL_PREFERRED_MANY: set_mempolicy(2) */
#define MPOL_MODE_FLAGS     0xe000u
#define MPOL_F_MEMS_ALLOWED 4u
#define NODE_BITS_MAX       4096u

sysret_t sys_get_mempolicy(const struct sysargs *a)
{
	uptr_t mode = arg_ptr(a, 0), mask = arg_ptr(a, 1);
	u64 bits = arg_u64(a, 2), node0 = arg_u32(a, 4) & MPOL_F_MEMS_ALLOWED ? 1 : 0;

	if ((arg_u32(a, 4) & ~7u) || (mask && (!bits || bits > NODE_BITS_MAX * 8)))
		return -EINVAL;
	if (mode && put_user_u32(mode, 0) < 0)
		return -EFAULT;
	if (!mask)
		return 0;
	if (clear_user(mask, ALIGN_UP(bits, 64) / 8) < 0 || put_user_u64(mask, node0) < 0)
		return -EFAULT;
	return 0;
}

static int mode_check(u32 mode)
{
	return (mode & ~MPOL_MODE_FLAGS) >= MPOL_MODES ? -EINVAL : 0;
}

/* Every policy has the same effect on one node. */
sysret_t sys_set_mempolicy(const struct sysargs *a)
{
	return mode_check(arg_u32(a, 0));
}

sysret_t sys_mbind(const struct sysargs *a)
{
	if (arg_u64(a, 0) & PAGE_MASK)
		return -EINVAL;
	return mode_check(arg_u32(a, 2));
}
