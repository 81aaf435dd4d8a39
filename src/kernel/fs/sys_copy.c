/* SPDX-License-Identifier: Apache-2.0 */
/* sendfile(2), copy_file_range(2), splice(2): copies through one kernel buffer. */
#include "kernel/fs/internal.h"

#include "abi/linux/misc.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sys/syscall.h"

#define COPY_BUFFER 65536u

/* One buffer's worth. What was read and could not be written is given back by the position. */
static s64 copy_piece(struct file *in, u64 *in_pos, struct file *out, u64 *out_pos, u8 *buf,
		      size_t n)
{
	u64 start = *in_pos;
	struct uio u;
	s64 got, put;

	uio_kernel(&u, buf, n);
	got = file_read(in, &u, in_pos);
	if (got <= 0)
		return got;
	uio_kernel(&u, buf, (size_t)got);
	put = file_write(out, &u, out_pos);
	if (put < got)
		*in_pos = start + (u64)MAX(put, (s64)0);
	return put;
}

static s64 copy_file(struct file *in, u64 *in_pos, struct file *out, u64 *out_pos, u64 n)
{
	u8 *buf = kmalloc(COPY_BUFFER);
	u64 done = 0;
	s64 r = 0;

	if (!buf)
		return -ENOMEM;
	while (done < n) {
		u64 want = MIN(n - done, (u64)COPY_BUFFER);

		r = copy_piece(in, in_pos, out, out_pos, buf, want);
		if (r <= 0)
			break;
		done += (u64)r;
		if ((u64)r < want || signal_pending(current))
			break;
	}
	kfree(buf);
	return done ? (s64)done : r;
}

/* A position argument: the user's, or the file's own where addr is 0. */
static int pos_get(struct file *f, uptr_t addr, u64 *ret)
{
	int r;

	if (!addr) {
		*ret = f->pos;
		return 0;
	}
	r = get_user_u64(ret, addr);
	if (r < 0)
		return r;
	if (!f->ops->llseek)
		return -ESPIPE;
	return (s64)*ret < 0 ? -EINVAL : 0;
}

static int pos_put(struct file *f, uptr_t addr, u64 pos)
{
	if (addr)
		return put_user_u64(addr, pos);
	f->pos = pos;
	return 0;
}

static int get_two(int a, int b, struct file **ret_a, struct file **ret_b)
{
	int r = fd_get_io(a, ret_a);

	if (r < 0)
		return r;
	r = fd_get_io(b, ret_b);
	if (r < 0)
		file_unref(*ret_a);
	return r;
}

static s64 copy_positions(struct file *in, uptr_t in_addr, struct file *out, uptr_t out_addr, u64 n)
{
	u64 in_pos, out_pos;
	s64 r = pos_get(in, in_addr, &in_pos);

	if (r == 0)
		r = pos_get(out, out_addr, &out_pos);
	if (r < 0)
		return r;
	r = copy_file(in, &in_pos, out, &out_pos, MIN(n, (u64)MAX_RW_COUNT));
	if (r > 0) {
		int e = pos_put(in, in_addr, in_pos);

		if (e == 0)
			e = pos_put(out, out_addr, out_pos);
		if (e < 0)
			return e;
	}
	return r;
}

sysret_t sys_sendfile(const struct sysargs *a)
{
	struct file *in, *out;
	s64 r = get_two(arg_int(a, 1), arg_int(a, 0), &in, &out);

	if (r < 0)
		return r;
	if (!FMODE_READ(in) || !FMODE_WRITE(out))
		r = -EBADF;
	else if (!in->ops->llseek || !S_ISREG(in->inode->mode) || (out->flags & O_APPEND))
		r = -EINVAL;
	else
		r = copy_positions(in, arg_ptr(a, 2), out, 0, arg_u64(a, 3));
	file_unref(in);
	file_unref(out);
	return r;
}

static int copy_range_check(struct file *in, struct file *out, const struct sysargs *a)
{
	if (arg_u32(a, 5))
		return -EINVAL;
	if (S_ISDIR(in->inode->mode) || S_ISDIR(out->inode->mode))
		return -EISDIR;
	if (!S_ISREG(in->inode->mode) || !S_ISREG(out->inode->mode))
		return -EINVAL;
	if (!FMODE_READ(in) || !FMODE_WRITE(out) || (out->flags & O_APPEND))
		return -EBADF;
	return 0;
}

/* copy_file_range(2), EINVAL: ranges of one file that overlap. */
static bool ranges_overlap(u64 p, u64 q, u64 n)
{
	return p < q ? q - p < n : p - q < n;
}

sysret_t sys_copy_file_range(const struct sysargs *a)
{
	struct file *in, *out;
	u64 in_pos, out_pos;
	s64 r = get_two(arg_int(a, 0), arg_int(a, 2), &in, &out);

	if (r < 0)
		return r;
	r = copy_range_check(in, out, a);
	if (r == 0 && in->inode == out->inode) {
		r = pos_get(in, arg_ptr(a, 1), &in_pos);
		if (r == 0)
			r = pos_get(out, arg_ptr(a, 3), &out_pos);
		if (r == 0 && ranges_overlap(in_pos, out_pos, arg_u64(a, 4)))
			r = -EINVAL;
	}
	if (r == 0)
		r = copy_positions(in, arg_ptr(a, 1), out, arg_ptr(a, 3), arg_u64(a, 4));
	file_unref(in);
	file_unref(out);
	return r;
}
