/* SPDX-License-Identifier: Apache-2.0 */
/* The socket calls. There are unix sockets only: another family is -EAFNOSUPPORT at socket(2). */
#include "abi/linux/errno.h"
#include "abi/linux/fcntl.h"
#include "kernel/core/cpu.h"
#include "kernel/fs/internal.h"
#include "kernel/ipc/sock.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sys/syscall.h"

int sock_get(int fd, struct file **ret)
{
	int r = fd_get_io(fd, ret);

	if (r == 0 && !file_usock(*ret)) {
		file_unref(*ret);
		r = -ENOTSOCK;
	}
	return r;
}

/* ---- addresses ---- */

int sock_name_from_user(struct linux_sockaddr_un *ret, uptr_t addr, u32 len)
{
	int r;

	if (len > sizeof(*ret) || len < sizeof(ret->sun_family))
		return -EINVAL;
	*ret = (struct linux_sockaddr_un){ 0 };
	r = copy_from_user(ret, addr, len);
	if (r < 0)
		return r;
	return ret->sun_family == AF_UNIX ? 0 : -EINVAL;
}

int sock_name_to_user(const struct linux_sockaddr_un *name, u32 len, uptr_t addr, uptr_t len_addr)
{
	struct linux_sockaddr_un n = *name;
	u32 room;
	int r = get_user_u32(&room, len_addr);

	if (r < 0)
		return r;
	if ((s32)room < 0)
		return -EINVAL;
	n.sun_family = AF_UNIX;
	len = len ? len : (u32)sizeof(n.sun_family);
	if (MIN(room, len))
		r = copy_to_user(addr, &n, MIN(room, len));
	return r < 0 ? r : put_user_u32(len_addr, len);
}

/* ---- making ---- */

static int sock_check(int family, u32 type, int protocol)
{
	u32 kind = type & SOCK_TYPE_MASK;

	if (type & ~(u32)(SOCK_TYPE_MASK | SOCK_CLOEXEC | SOCK_NONBLOCK))
		return -EINVAL;
	if (family != AF_UNIX)
		return -EAFNOSUPPORT;
	if (protocol && protocol != AF_UNIX)
		return -EPROTONOSUPPORT;
	if (kind != SOCK_STREAM && kind != SOCK_DGRAM && kind != SOCK_SEQPACKET && kind != SOCK_RAW)
		return -ESOCKTNOSUPPORT;
	return 0;
}

/* unix(7): SOCK_RAW is another name of SOCK_DGRAM. */
static struct usock *sock_new(u32 type)
{
	u32 kind = type & SOCK_TYPE_MASK;

	return usock_new(kind == SOCK_RAW ? SOCK_DGRAM : (int)kind);
}

/* Takes s in any case. */
static int sock_install(struct usock *s, u32 flags)
{
	struct file *f;
	int r = unix_socket_file(s, flags, &f);

	if (r < 0)
		return r;
	r = fd_install(f, flags & SOCK_CLOEXEC ? O_CLOEXEC : 0, 0);
	if (r < 0)
		file_unref(f);
	return r;
}

sysret_t sys_socket(const struct sysargs *a)
{
	u32 type = arg_u32(a, 1);
	int r = sock_check(arg_int(a, 0), type, arg_int(a, 2));
	struct usock *s;

	if (r < 0)
		return r;
	s = sock_new(type);
	return s ? sock_install(s, type) : -ENOMEM;
}

sysret_t sys_socketpair(const struct sysargs *a)
{
	u32 type = arg_u32(a, 1);
	int r = sock_check(arg_int(a, 0), type, arg_int(a, 2));
	struct usock *s, *t;
	s32 fds[2];

	if (r < 0)
		return r;
	s = sock_new(type);
	t = sock_new(type);
	if (!s || !t) {
		usock_unref(s);
		usock_unref(t);
		return -ENOMEM;
	}
	usock_pair(s, t);
	/* Each is closed by its file, or by the failure to make one; a closed end leaves the other alone. */
	fds[0] = sock_install(s, type);
	fds[1] = sock_install(t, type);
	r = fds[0] < 0   ? fds[0]
	    : fds[1] < 0 ? fds[1]
			 : copy_to_user(arg_ptr(a, 3), fds, sizeof(fds));
	if (r < 0) {
		if (fds[0] >= 0)
			fd_close(fds[0]);
		if (fds[1] >= 0)
			fd_close(fds[1]);
	}
	return r;
}

/* ---- connections ---- */

sysret_t sys_bind(const struct sysargs *a)
{
	struct linux_sockaddr_un name;
	struct file *f;
	int r = sock_get(arg_int(a, 0), &f);

	if (r < 0)
		return r;
	r = sock_name_from_user(&name, arg_ptr(a, 1), arg_u32(a, 2));
	if (r == 0)
		r = unix_bind(file_usock(f), &name, arg_u32(a, 2));
	file_unref(f);
	return r;
}

sysret_t sys_listen(const struct sysargs *a)
{
	u32 backlog = arg_u32(a, 1);
	struct usock *s;
	struct file *f;
	int r = sock_get(arg_int(a, 0), &f);

	if (r < 0)
		return r;
	s = file_usock(f);
	if (s->type == SOCK_DGRAM) {
		r = -EOPNOTSUPP;
	} else if (s->connected || !s->name_len) {
		r = -EINVAL;
	} else {
		s->listening = true;
		s->max_backlog = MIN(backlog, (u32)UNIX_BACKLOG_MAX);
		s->cred = (struct linux_ucred){ current->proc->pid, current->cred->euid,
						current->cred->egid };
	}
	file_unref(f);
	return r;
}

static void sock_disconnect(struct usock *s)
{
	usock_unref(s->peer);
	s->peer = NULL;
	s->connected = false;
}

static int do_connect(struct file *f, uptr_t addr, u32 len)
{
	struct usock *s = file_usock(f), *to;
	struct linux_sockaddr_un name;
	u16 family = 0;
	int r = len >= sizeof(family) ? copy_from_user(&family, addr, sizeof(family)) : -EINVAL;

	if (r < 0)
		return r;
	if (family == AF_UNSPEC && s->type == SOCK_DGRAM) {
		sock_disconnect(s);
		return 0;
	}
	r = sock_name_from_user(&name, addr, len);
	if (r == 0)
		r = unix_find(&name, len, s->type, &to);
	if (r < 0)
		return r;
	r = usock_connect(s, to, f->flags & O_NONBLOCK);
	usock_unref(to);
	return r;
}

sysret_t sys_connect(const struct sysargs *a)
{
	struct file *f;
	int r = sock_get(arg_int(a, 0), &f);

	if (r < 0)
		return r;
	r = do_connect(f, arg_ptr(a, 1), arg_u32(a, 2));
	file_unref(f);
	return r;
}

static sysret_t do_accept(int listener, uptr_t addr, uptr_t len_addr, u32 flags)
{
	struct usock *s;
	struct file *f;
	int fd, r;

	if (flags & ~(u32)(SOCK_CLOEXEC | SOCK_NONBLOCK))
		return -EINVAL;
	r = sock_get(listener, &f);
	if (r < 0)
		return r;
	r = usock_accept(file_usock(f), f->flags & O_NONBLOCK, &s);
	file_unref(f);
	if (r < 0)
		return r;
	if (addr)
		r = sock_name_to_user(&s->peer->name, s->peer->name_len, addr, len_addr);
	fd = sock_install(s, flags);
	if (fd >= 0 && r < 0) {
		fd_close(fd);
		return r;
	}
	return fd;
}

sysret_t sys_accept(const struct sysargs *a)
{
	return do_accept(arg_int(a, 0), arg_ptr(a, 1), arg_ptr(a, 2), 0);
}

sysret_t sys_accept4(const struct sysargs *a)
{
	return do_accept(arg_int(a, 0), arg_ptr(a, 1), arg_ptr(a, 2), arg_u32(a, 3));
}

sysret_t sys_shutdown(const struct sysargs *a)
{
	int how = arg_int(a, 1), r;
	struct usock *s;
	struct file *f;

	if (how < SHUT_RD || how > SHUT_RDWR)
		return -EINVAL;
	r = sock_get(arg_int(a, 0), &f);
	if (r < 0)
		return r;
	s = file_usock(f);
	if (s->type != SOCK_DGRAM && !s->connected && !s->listening)
		r = -ENOTCONN;
	else
		usock_shutdown(s, how != SHUT_WR, how != SHUT_RD);
	file_unref(f);
	return r;
}

static sysret_t get_name(const struct sysargs *a, bool peer)
{
	struct usock *s;
	struct file *f;
	int r = sock_get(arg_int(a, 0), &f);

	if (r < 0)
		return r;
	s = file_usock(f);
	if (peer)
		s = s->peer;
	r = s ? sock_name_to_user(&s->name, s->name_len, arg_ptr(a, 1), arg_ptr(a, 2)) : -ENOTCONN;
	file_unref(f);
	return r;
}

sysret_t sys_getsockname(const struct sysargs *a)
{
	return get_name(a, false);
}

sysret_t sys_getpeername(const struct sysargs *a)
{
	return get_name(a, true);
}
