/* SPDX-License-Identifier: Apache-2.0 */
/* send(2), recv(2) and control messages: unix(7), cmsg(3). */
#include "abi/linux/capability.h"
#include "abi/linux/errno.h"
#include "abi/linux/fcntl.h"
#include "kernel/core/cpu.h"
#include "kernel/fs/internal.h"
#include "kernel/ipc/sock.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sys/syscall.h"

#define CONTROL_MAX 20480u /* bytes of control data a call, as /proc/sys/net/core/optmem_max */
#define SEND_FLAGS \
	((u32)(MSG_DONTWAIT | MSG_NOSIGNAL | MSG_MORE | MSG_EOR | MSG_CONFIRM | MSG_DONTROUTE))

static bool call_nonblock(const struct file *f, u32 flags)
{
	return (f->flags & O_NONBLOCK) || (flags & MSG_DONTWAIT);
}

static void files_put(struct file **files, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		file_unref(files[i]);
	kfree(files);
}

/* ---- control messages to send ---- */

static int control_rights(const struct linux_cmsghdr *c, struct umsg_info *info)
{
	unsigned n = (unsigned)((c->cmsg_len - sizeof(*c)) / sizeof(s32));
	const s32 *fds = (const s32 *)(c + 1);

	if (!n)
		return 0;
	if (info->nr_files || n > SCM_MAX_FD)
		return -EINVAL;
	info->files = kcalloc(n, sizeof(*info->files));
	if (!info->files)
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++) {
		info->files[i] = fd_get(fds[i]);
		if (!info->files[i])
			return -EBADF; /* the caller drops those before it */
		info->nr_files = i + 1;
	}
	return 0;
}

/* Credentials one claims: one's own, or anything with the capabilities. unix(7), SCM_CREDENTIALS. */
static int control_credentials(const struct linux_cmsghdr *c)
{
	const struct linux_ucred *u = (const struct linux_ucred *)(c + 1);
	const struct cred *me = current->cred;

	if (c->cmsg_len != CMSG_LEN(sizeof(*u)))
		return -EINVAL;
	if (u->pid != current->proc->pid && !cred_capable(me, CAP_SYS_ADMIN))
		return -EPERM;
	if (u->uid != me->uid && u->uid != me->euid && u->uid != me->suid &&
	    !cred_capable(me, CAP_SETUID))
		return -EPERM;
	if (u->gid != me->gid && u->gid != me->egid && u->gid != me->sgid &&
	    !cred_capable(me, CAP_SETGID))
		return -EPERM;
	return 0;
}

static int control_parse(const u8 *buf, u64 len, struct umsg_info *info)
{
	u64 at = 0;
	int r = 0;

	while (r == 0 && len - at >= sizeof(struct linux_cmsghdr)) {
		const struct linux_cmsghdr *c = (const void *)(buf + at);

		if (c->cmsg_len < sizeof(*c) || c->cmsg_len > len - at)
			return -EINVAL;
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
			r = control_rights(c, info);
		else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS)
			r = control_credentials(c);
		else if (c->cmsg_level == SOL_SOCKET)
			r = -EINVAL;
		at += MIN(CMSG_ALIGN(c->cmsg_len), len - at);
	}
	return r;
}

static int control_from_user(const struct linux_msghdr *m, struct umsg_info *info)
{
	u8 *buf;
	int r;

	if (!m->msg_control || !m->msg_controllen)
		return 0;
	if (m->msg_controllen > CONTROL_MAX)
		return -ENOBUFS;
	buf = kmalloc(m->msg_controllen);
	if (!buf)
		return -ENOMEM;
	r = copy_from_user(buf, m->msg_control, m->msg_controllen);
	if (r == 0)
		r = control_parse(buf, m->msg_controllen, info);
	kfree(buf);
	return r;
}

/* ---- control messages received ---- */

/* Where they go in the caller's buffer. */
struct control_out {
	uptr_t addr;
	u64 room, used;
	u32 flags; /* MSG_CTRUNC */
};

static int control_put(struct control_out *o, int type, const void *data, u64 len)
{
	struct linux_cmsghdr c = { .cmsg_len = CMSG_LEN(len),
				   .cmsg_level = SOL_SOCKET,
				   .cmsg_type = type };
	u64 space = MIN(CMSG_SPACE(len), o->room - o->used);
	int r;

	if (o->room - o->used < CMSG_LEN(len)) {
		o->flags |= MSG_CTRUNC;
		return 0;
	}
	r = copy_to_user(o->addr + o->used, &c, sizeof(c));
	if (r == 0)
		r = copy_to_user(o->addr + o->used + sizeof(c), data, len);
	o->used += space;
	return r;
}

/* Installs as many descriptors as there is room for; the others are closed. */
static int control_put_files(struct control_out *o, struct umsg_info *info, bool cloexec)
{
	u64 left = o->room - o->used,
	    room = left > sizeof(struct linux_cmsghdr)
			   ? (left - sizeof(struct linux_cmsghdr)) / sizeof(s32)
			   : 0;
	s32 fds[SCM_MAX_FD];
	unsigned n = 0;

	for (unsigned i = 0; i < info->nr_files; i++) {
		int fd = n < room && n == i ? fd_install(info->files[i], cloexec ? O_CLOEXEC : 0, 0)
					    : -EMFILE;

		if (fd < 0) {
			file_unref(info->files[i]);
			o->flags |= MSG_CTRUNC;
			continue;
		}
		fds[n++] = fd;
	}
	kfree(info->files);
	info->files = NULL;
	info->nr_files = 0;
	return n ? control_put(o, SCM_RIGHTS, fds, n * sizeof(s32)) : 0;
}

/* ---- send ---- */

static s64 do_send(struct file *f, struct uio *u, uptr_t addr, u32 len, struct umsg_info *info,
		   u32 flags)
{
	struct usock *s = file_usock(f), *to = NULL;
	struct linux_sockaddr_un name;
	s64 r = 0;

	if (flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (flags & ~SEND_FLAGS)
		return -EINVAL;
	if (addr && len) {
		if (s->type != SOCK_DGRAM)
			return s->connected ? -EISCONN : -EOPNOTSUPP;
		r = sock_name_from_user(&name, addr, len);
		if (r == 0)
			r = unix_find(&name, len, s->type, &to);
	}
	if (r < 0)
		return r;
	r = usock_send(s, to, u, info, flags, call_nonblock(f, flags));
	usock_unref(to);
	return r;
}

sysret_t sys_sendto(const struct sysargs *a)
{
	struct umsg_info info = { 0 };
	struct file *f;
	struct uio u;
	s64 r = sock_get(arg_int(a, 0), &f);

	if (r < 0)
		return r;
	uio_user(&u, arg_ptr(a, 1), MIN(arg_u64(a, 2), (u64)MAX_RW_COUNT));
	if (user_range_ok(arg_ptr(a, 1), u.resid))
		r = do_send(f, &u, arg_ptr(a, 4), arg_u32(a, 5), &info, arg_u32(a, 3));
	else
		r = -EFAULT;
	file_unref(f);
	return r;
}

static s64 send_message(struct file *f, const struct linux_msghdr *m, u32 flags)
{
	struct linux_iovec fast[UIO_FAST], *alloc = NULL;
	struct umsg_info info = { 0 };
	struct uio u;
	s64 r;

	if (m->msg_iovlen > UIO_MAXIOV)
		return -EMSGSIZE;
	r = uio_import(&u, m->msg_iov, m->msg_iovlen, fast, &alloc);
	if (r < 0)
		return r;
	r = control_from_user(m, &info);
	if (r == 0)
		r = do_send(f, &u, m->msg_name, (u32)m->msg_namelen, &info, flags);
	files_put(info.files, info.nr_files);
	kfree(alloc);
	return r;
}

sysret_t sys_sendmsg(const struct sysargs *a)
{
	struct linux_msghdr m;
	struct file *f;
	s64 r = sock_get(arg_int(a, 0), &f);

	if (r < 0)
		return r;
	r = copy_from_user(&m, arg_ptr(a, 1), sizeof(m));
	if (r == 0)
		r = send_message(f, &m, arg_u32(a, 2));
	file_unref(f);
	return r;
}

/* ---- receive ---- */

static s64 do_recv(struct file *f, struct uio *u, struct umsg_info *info, u32 flags)
{
	if (flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (flags & MSG_ERRQUEUE)
		return -EAGAIN;
	return usock_recv(file_usock(f), u, info, flags, call_nonblock(f, flags));
}

static int put_sender(const struct umsg_info *info, uptr_t addr, uptr_t len_addr)
{
	if (!addr || !len_addr)
		return 0;
	return info->from_len ? sock_name_to_user(&info->from, info->from_len, addr, len_addr)
			      : put_user_u32(len_addr, 0);
}

sysret_t sys_recvfrom(const struct sysargs *a)
{
	struct umsg_info info = { 0 };
	struct file *f;
	struct uio u;
	s64 r = sock_get(arg_int(a, 0), &f);

	if (r < 0)
		return r;
	uio_user(&u, arg_ptr(a, 1), MIN(arg_u64(a, 2), (u64)MAX_RW_COUNT));
	r = user_range_ok(arg_ptr(a, 1), u.resid) ? do_recv(f, &u, &info, arg_u32(a, 3)) : -EFAULT;
	files_put(info.files, info.nr_files); /* no place for them in this call */
	if (r >= 0) {
		int e = put_sender(&info, arg_ptr(a, 4), arg_ptr(a, 5));

		r = e < 0 ? e : r;
	}
	file_unref(f);
	return r;
}

/* The parts of the header that a receive changes. */
static int recv_header(struct file *f, struct linux_msghdr *m, struct umsg_info *info, u32 flags)
{
	struct control_out o = { .addr = m->msg_control,
				 .room = m->msg_control ? m->msg_controllen : 0 };
	int r = 0;

	if (file_usock(f)->passcred)
		r = control_put(&o, SCM_CREDENTIALS, &info->cred, sizeof(info->cred));
	if (info->nr_files) {
		int e = control_put_files(&o, info, flags & MSG_CMSG_CLOEXEC);

		r = r < 0 ? r : e;
	}
	m->msg_controllen = o.used;
	m->msg_flags = o.flags | info->flags | (flags & MSG_CMSG_CLOEXEC);
	if (r == 0 && m->msg_name) {
		u32 n = m->msg_namelen > 0 ? MIN((u32)m->msg_namelen, info->from_len) : 0;

		r = n ? copy_to_user(m->msg_name, &info->from, n) : 0;
		m->msg_namelen = (s32)info->from_len;
	}
	return r;
}

static s64 recv_message(struct file *f, struct linux_msghdr *m, u32 flags)
{
	struct linux_iovec fast[UIO_FAST], *alloc = NULL;
	struct umsg_info info = { 0 };
	struct uio u;
	s64 r;

	if (m->msg_iovlen > UIO_MAXIOV)
		return -EMSGSIZE;
	r = uio_import(&u, m->msg_iov, m->msg_iovlen, fast, &alloc);
	if (r < 0)
		return r;
	r = do_recv(f, &u, &info, flags);
	if (r >= 0) {
		int e = recv_header(f, m, &info, flags);

		r = e < 0 ? e : r;
	} else {
		files_put(info.files, info.nr_files);
	}
	kfree(alloc);
	return r;
}

sysret_t sys_recvmsg(const struct sysargs *a)
{
	struct linux_msghdr m;
	struct file *f;
	s64 r = sock_get(arg_int(a, 0), &f);

	if (r < 0)
		return r;
	r = copy_from_user(&m, arg_ptr(a, 1), sizeof(m));
	if (r == 0)
		r = recv_message(f, &m, arg_u32(a, 2));
	if (r >= 0 && copy_to_user(arg_ptr(a, 1), &m, sizeof(m)) < 0)
		r = -EFAULT;
	file_unref(f);
	return r;
}
