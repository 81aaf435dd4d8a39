/* SPDX-License-Identifier: Apache-2.0 */
/* splice(2), tee(2), vmsplice(2): the data is copied through one kernel buffer. */
#include "abi/linux/errno.h"
#include "abi/linux/fcntl.h"
#include "abi/linux/misc.h"
#include "base/string.h"
#include "kernel/core/cpu.h"
#include "kernel/fs/internal.h"
#include "kernel/ipc/pipe.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sys/syscall.h"

#define SPLICE_BUFFER 65536u
#define SPLICE_FLAGS  ((u32)(SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT))

struct splice {
	struct file *in, *out;
	u64 in_pos, out_pos;
	u64 len; /* at most a buffer */
	bool nonblock;
	u8 *buf;
};

/* From a pipe to a file that is none. The data leaves the pipe when it has been written. */
static s64 splice_from_pipe(struct splice *s)
{
	struct pipe *p = s->in->private;
	struct uio u;
	size_t n;
	s64 r = pipe_wait_data(p, s->nonblock);

	if (r < 0)
		return r == -EPIPE ? 0 : r;
	p->reading = true;
	n = pipe_peek(p, 0, s->buf, s->len);
	uio_kernel(&u, s->buf, n);
	r = file_write(s->out, &u, &s->out_pos);
	p->reading = false;
	pipe_consume(p, r > 0 ? (u64)r : 0);
	return r;
}

static s64 splice_to_pipe(struct splice *s)
{
	struct pipe *p = s->out->private;
	struct uio u;
	s64 r = pipe_wait_room(p, s->nonblock);

	if (r < 0)
		return r;
	/* Nobody may take the room while the read sleeps. */
	p->writing = true;
	uio_kernel(&u, s->buf, MIN(s->len, pipe_size(p) - pipe_used(p)));
	r = file_read(s->in, &u, &s->in_pos);
	p->writing = false;
	if (r > 0) {
		uio_kernel(&u, s->buf, (size_t)r);
		r = pipe_append(p, &u, (u64)r);
	}
	/* Whoever found us writing. */
	waitq_wake(&p->wr, 0);
	return r;
}

static s64 splice_pipes(struct splice *s, bool keep)
{
	struct pipe *in = s->in->private, *out = s->out->private;
	struct uio u;
	u64 n;
	s64 r;

	/* A wait for one may change the other. */
	do {
		r = pipe_wait_data(in, s->nonblock);
		if (r == 0)
			r = pipe_wait_room(out, s->nonblock);
		if (r < 0)
			return r == -EPIPE && out->readers ? 0 : r;
	} while (in->reading || in->head == in->tail);
	n = MIN(s->len, pipe_size(out) - pipe_used(out));
	n = pipe_peek(in, 0, s->buf, n);
	uio_kernel(&u, s->buf, n);
	r = pipe_append(out, &u, n);
	if (r > 0 && !keep)
		pipe_consume(in, (u64)r);
	return r;
}

/* Offset arguments: -ESPIPE for a pipe. */
static int splice_pos(struct file *f, uptr_t addr, u64 *ret)
{
	*ret = f->pos;
	if (!addr)
		return 0;
	if (file_pipe(f))
		return -ESPIPE;
	if (!f->ops->llseek)
		return -EINVAL;
	return get_user_u64(ret, addr);
}

static int splice_pos_put(struct file *f, uptr_t addr, u64 pos)
{
	if (addr)
		return put_user_u64(addr, pos);
	if (!file_pipe(f))
		f->pos = pos;
	return 0;
}

static s64 splice_run(struct splice *s)
{
	struct pipe *in = file_pipe(s->in), *out = file_pipe(s->out);

	if (!FMODE_READ(s->in) || !FMODE_WRITE(s->out))
		return -EBADF;
	if ((!in && !out) || in == out)
		return -EINVAL;
	if (in && !out && (s->out->flags & O_APPEND))
		return -EINVAL;
	if (in && out)
		return splice_pipes(s, false);
	return in ? splice_from_pipe(s) : splice_to_pipe(s);
}

static int splice_get(struct splice *s, int in, int out, u32 flags, u64 len)
{
	int r = fd_get_io(in, &s->in);

	if (r < 0)
		return r;
	r = fd_get_io(out, &s->out);
	if (r < 0) {
		file_unref(s->in);
		return r;
	}
	s->len = MIN(len, (u64)SPLICE_BUFFER);
	s->nonblock =
		(flags & SPLICE_F_NONBLOCK) || (file_pipe(s->in) && file_pipe(s->out) &&
						((s->in->flags | s->out->flags) & O_NONBLOCK));
	s->buf = kmalloc(SPLICE_BUFFER);
	if (s->buf)
		return 0;
	file_unref(s->in);
	file_unref(s->out);
	return -ENOMEM;
}

static void splice_put(struct splice *s)
{
	kfree(s->buf);
	file_unref(s->in);
	file_unref(s->out);
}

sysret_t sys_splice(const struct sysargs *a)
{
	struct splice s;
	s64 r;

	if (arg_u32(a, 5) & ~SPLICE_FLAGS)
		return -EINVAL;
	if (!arg_u64(a, 4))
		return 0;
	r = splice_get(&s, arg_int(a, 0), arg_int(a, 2), arg_u32(a, 5), arg_u64(a, 4));
	if (r < 0)
		return r;
	r = splice_pos(s.in, arg_ptr(a, 1), &s.in_pos);
	if (r == 0)
		r = splice_pos(s.out, arg_ptr(a, 3), &s.out_pos);
	if (r == 0)
		r = splice_run(&s);
	if (r > 0) {
		int e = splice_pos_put(s.in, arg_ptr(a, 1), s.in_pos);

		if (e == 0)
			e = splice_pos_put(s.out, arg_ptr(a, 3), s.out_pos);
		r = e < 0 ? e : r;
	}
	splice_put(&s);
	return r;
}

sysret_t sys_tee(const struct sysargs *a)
{
	struct splice s;
	s64 r;

	if (arg_u32(a, 3) & ~SPLICE_FLAGS)
		return -EINVAL;
	if (!arg_u64(a, 2))
		return 0;
	r = splice_get(&s, arg_int(a, 0), arg_int(a, 1), arg_u32(a, 3), arg_u64(a, 2));
	if (r < 0)
		return r;
	if (!file_pipe(s.in) || !file_pipe(s.out) || s.in->private == s.out->private)
		r = -EINVAL;
	else
		r = FMODE_READ(s.in) && FMODE_WRITE(s.out) ? splice_pipes(&s, true) : -EBADF;
	splice_put(&s);
	return r;
}

sysret_t sys_vmsplice(const struct sysargs *a)
{
	struct linux_iovec fast[UIO_FAST], *alloc = NULL;
	u32 flags = arg_u32(a, 3);
	struct file *f;
	struct uio u;
	s64 r;

	if (flags & ~SPLICE_FLAGS)
		return -EINVAL;
	r = fd_get_io(arg_int(a, 0), &f);
	if (r < 0)
		return r;
	r = file_pipe(f) ? uio_import(&u, arg_ptr(a, 1), arg_u64(a, 2), fast, &alloc) : -EBADF;
	if (r == 0) {
		bool nonblock = (flags & SPLICE_F_NONBLOCK) || (f->flags & O_NONBLOCK);

		r = FMODE_WRITE(f) ? pipe_write_flags(f, &u, nonblock)
				   : pipe_read_flags(f, &u, nonblock);
	}
	kfree(alloc);
	file_unref(f);
	return r;
}
