/* SPDX-License-Identifier: Apache-2.0 */
/* setsockopt(2), getsockopt(2): socket(7). */
#include "abi/linux/errno.h"
#include "abi/linux/time.h"
#include "kernel/core/time.h"
#include "kernel/ipc/sock.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sys/syscall.h"

static int set_timeout(u64 *ns, uptr_t addr, u32 len)
{
	struct linux_timeval tv;
	int r = len < sizeof(tv) ? -EINVAL : copy_from_user(&tv, addr, sizeof(tv));

	if (r < 0)
		return r;
	if (tv.tv_usec < 0 || tv.tv_usec >= 1000000)
		return -EDOM;
	*ns = tv.tv_sec < 0
		      ? 0
		      : (u64)MIN(tv.tv_sec, (s64)INT32_MAX) * NSEC_PER_SEC + (u64)tv.tv_usec * 1000;
	return 0;
}

static int set_option(struct usock *s, int option, uptr_t addr, u32 len)
{
	u32 v;
	int r;

	if (option == SO_RCVTIMEO || option == SO_SNDTIMEO)
		return set_timeout(option == SO_RCVTIMEO ? &s->rcv_timeo : &s->snd_timeo, addr,
				   len);
	if (len < sizeof(v))
		return -EINVAL;
	r = get_user_u32(&v, addr);
	if (r < 0)
		return r;
	switch (option) {
	case SO_PASSCRED:
		s->passcred = v != 0;
		return 0;
	case SO_SNDBUF: /* our queues have one size; the others mean nothing to a unix socket */
	case SO_RCVBUF:
	case SO_REUSEADDR:
	case SO_KEEPALIVE:
	case SO_BROADCAST:
	case SO_LINGER:
	case SO_PRIORITY:
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

sysret_t sys_setsockopt(const struct sysargs *a)
{
	u32 len = arg_u32(a, 4);
	struct file *f;
	int r = sock_get(arg_int(a, 0), &f);

	if (r < 0)
		return r;
	if ((s32)len < 0)
		r = -EINVAL;
	else if (arg_int(a, 1) != SOL_SOCKET)
		r = -EOPNOTSUPP;
	else
		r = set_option(file_usock(f), arg_int(a, 2), arg_ptr(a, 3), len);
	file_unref(f);
	return r;
}

union option_value {
	u32 v;
	struct linux_ucred cred;
	struct linux_timeval tv;
};

static struct linux_timeval timeval_of(u64 ns)
{
	return (struct linux_timeval){ (s64)(ns / NSEC_PER_SEC), (s64)(ns % NSEC_PER_SEC / 1000) };
}

/* Size of the value or -errno. */
static int get_option(struct usock *s, int option, union option_value *ret)
{
	switch (option) {
	case SO_TYPE:
		ret->v = (u32)s->type;
		break;
	case SO_DOMAIN:
		ret->v = AF_UNIX;
		break;
	case SO_ERROR:
		ret->v = (u32)s->error;
		s->error = 0;
		break;
	case SO_ACCEPTCONN:
		ret->v = s->listening;
		break;
	case SO_PASSCRED:
		ret->v = s->passcred;
		break;
	case SO_SNDBUF:
	case SO_RCVBUF:
		ret->v = UNIX_QUEUE_MAX;
		break;
	case SO_PROTOCOL:
	case SO_REUSEADDR:
	case SO_KEEPALIVE:
	case SO_BROADCAST:
	case SO_PRIORITY:
		ret->v = 0;
		break;
	case SO_PEERCRED:
		ret->cred = s->connected ? s->peer_cred : (struct linux_ucred){ 0, ~0u, ~0u };
		return sizeof(ret->cred);
	case SO_RCVTIMEO:
		ret->tv = timeval_of(s->rcv_timeo);
		return sizeof(ret->tv);
	case SO_SNDTIMEO:
		ret->tv = timeval_of(s->snd_timeo);
		return sizeof(ret->tv);
	default:
		return -ENOPROTOOPT;
	}
	return sizeof(ret->v);
}

sysret_t sys_getsockopt(const struct sysargs *a)
{
	union option_value v = { 0 };
	struct file *f;
	u32 room;
	int n, r = sock_get(arg_int(a, 0), &f);

	if (r < 0)
		return r;
	n = arg_int(a, 1) == SOL_SOCKET ? get_option(file_usock(f), arg_int(a, 2), &v)
					: -EOPNOTSUPP;
	file_unref(f);
	r = n < 0 ? n : get_user_u32(&room, arg_ptr(a, 4));
	if (r < 0)
		return r;
	if ((s32)room < 0)
		return -EINVAL;
	room = MIN(room, (u32)n);
	r = room ? copy_to_user(arg_ptr(a, 3), &v, room) : 0;
	return r < 0 ? r : put_user_u32(arg_ptr(a, 4), room);
}
