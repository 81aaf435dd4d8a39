/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostcalls on streams: the standard streams we were started with.
 *
 * Their descriptions are shared with other processes, so O_NONBLOCK is not ours to set. Instead: sockets have
 * MSG_DONTWAIT, other things RWF_NOWAIT where the host knows it, and where it does not, poll(2) first and then no more than
 * is sure not to wait.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <termios.h>
#include <unistd.h>

#include "monitor/hostcalls.h"

#ifndef RWF_NOWAIT
#define RWF_NOWAIT 8
#endif
/* A terminal says POLLOUT with any room at all; this much it nearly always has. */
#define TTY_WRITE_MAX 512u

static struct handle *stream_get(struct hostcall *c)
{
	return handle_get(&c->m->handles, c->arg[0], HANDLE_STREAM);
}

/* poll(2) without waiting. */
static int stream_ready(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };
	int r = poll(&p, 1, 0);

	return r < 0 ? -errno : p.revents;
}

/* The host does not know RWF_NOWAIT for this kind of file. */
static bool nowait_unknown(ssize_t n)
{
	return n < 0 &&
	       (errno == EOPNOTSUPP || errno == EINVAL || errno == ESPIPE || errno == ENOSYS);
}

static ssize_t read_polled(int fd, void *buf, size_t len)
{
	int ready = stream_ready(fd, POLLIN);

	if (ready < 0)
		return ready;
	if (!(ready & (POLLIN | POLLHUP | POLLERR | POLLNVAL)))
		return -EAGAIN;
	ssize_t n = read(fd, buf, len);

	return n < 0 ? -errno : n;
}

static ssize_t stream_read(const struct handle *h, void *buf, size_t len)
{
	struct iovec iov = { buf, len };
	ssize_t n;

	if (h->stream == BOOT_STREAM_SOCKET) {
		n = recv(h->fd, buf, len, MSG_DONTWAIT);
		if (n >= 0 || errno != ENOTSOCK)
			return n < 0 ? -errno : n;
	}
	if (h->stream == BOOT_STREAM_FILE) {
		n = read(h->fd, buf, len);
		return n < 0 ? -errno : n;
	}
	if (h->stream == BOOT_STREAM_PIPE) {
		n = preadv2(h->fd, &iov, 1, -1, RWF_NOWAIT);
		if (!nowait_unknown(n))
			return n < 0 ? -errno : n;
	}
	return read_polled(h->fd, buf, len);
}

s64 hc_read(struct hostcall *c)
{
	u64 len = MIN(c->arg[2], (u64)HC_IO_MAX);
	void *buf = hc_out(c, c->arg[1], len);
	struct handle *h;
	ssize_t n;

	if (!buf)
		return -EFAULT;
	h = stream_get(c);
	if (!h)
		return -EBADF;
	n = stream_read(h, buf, len);
	handle_put(&c->m->handles, h);
	return n == -EINTR ? -EAGAIN : n;
}

static ssize_t write_polled(const struct handle *h, const void *buf, size_t len)
{
	size_t most = h->stream == BOOT_STREAM_TTY ? TTY_WRITE_MAX : PIPE_BUF;
	int ready = stream_ready(h->fd, POLLOUT);

	if (ready < 0)
		return ready;
	if (!(ready & (POLLOUT | POLLERR | POLLNVAL)))
		return ready & POLLHUP ? -EIO : -EAGAIN;
	ssize_t n = write(h->fd, buf, MIN(len, most));

	return n < 0 ? -errno : n;
}

static ssize_t stream_write(const struct handle *h, const void *buf, size_t len)
{
	struct iovec iov = { (void *)(uintptr_t)buf, len };
	ssize_t n;

	if (h->stream == BOOT_STREAM_SOCKET) {
		n = send(h->fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n >= 0 || errno != ENOTSOCK)
			return n < 0 ? -errno : n;
	}
	if (h->stream == BOOT_STREAM_FILE) {
		n = write(h->fd, buf, len);
		return n < 0 ? -errno : n;
	}
	if (h->stream == BOOT_STREAM_PIPE) {
		n = pwritev2(h->fd, &iov, 1, -1, RWF_NOWAIT);
		if (!nowait_unknown(n))
			return n < 0 ? -errno : n;
	}
	return write_polled(h, buf, len);
}

/* How much of @len the limit on file sizes leaves to a stream that is a regular file, wherever it stands. */
static u64 stream_file_room(const struct monitor *m, const struct handle *h, u64 len)
{
	struct stat st;
	off_t at;

	if (h->stream != BOOT_STREAM_FILE || m->limits.file_size == UINT64_MAX ||
	    fstat(h->fd, &st) < 0 || !S_ISREG(st.st_mode))
		return len;
	at = h->flags & HANDLE_F_APPEND ? st.st_size : lseek(h->fd, 0, SEEK_CUR);
	return at < 0 ? 0 : limits_file_size(m, (u64)at, len);
}

s64 hc_write(struct hostcall *c)
{
	u64 len = MIN(c->arg[2], (u64)HC_IO_MAX);
	const void *buf = hc_in(c, c->arg[1], len);
	struct handle *h;
	ssize_t n;
	u64 room;

	if (!buf)
		return -EFAULT;
	h = stream_get(c);
	if (!h)
		return -EBADF;
	room = stream_file_room(c->m, h, len);
	n = len && !room ? -EFBIG : limits_output(c->m, stream_write, h, buf, room);
	handle_put(&c->m->handles, h);
	return n == -EINTR ? -EAGAIN : n;
}

s64 hc_seek(struct hostcall *c)
{
	struct handle *h;
	off_t r;

	if (c->arg[2] > SEEK_HOLE)
		return -EINVAL;
	h = stream_get(c);
	if (!h)
		return -EBADF;
	r = lseek(h->fd, (off_t)c->arg[1], (int)c->arg[2]);
	r = r < 0 ? -errno : r;
	handle_put(&c->m->handles, h);
	return r;
}

s64 hc_poll(struct hostcall *c)
{
	struct handle *h = stream_get(c);
	int r;

	if (!h)
		return -EBADF;
	r = stream_ready(h->fd, (short)c->arg[1]);
	handle_put(&c->m->handles, h);
	return r;
}

s64 hc_watch(struct hostcall *c)
{
	return c->arg[1] > UINT16_MAX || c->arg[2] >= WATCH_SLOTS
		       ? -EINVAL
		       : events_watch(c->m, c->arg[0], (u32)c->arg[1], (u32)c->arg[2]);
}

/* What a sandbox may ask a host terminal, with the size of the argument. TIOCSTI and the like are not here. */
struct tty_request {
	unsigned long nr;
	u32 size;
	enum {
		TTY_OUT,
		TTY_IN,
		TTY_VALUE
	} dir; /* TTY_VALUE: a u32 in the buffer is the argument itself */
};
#define KERNEL_TERMIOS_SIZE  36u /* struct termios of <asm/termbits.h>, not libc's */
#define KERNEL_TERMIOS2_SIZE 44u
static const struct tty_request tty_requests[] = {
	{ TCGETS, KERNEL_TERMIOS_SIZE, TTY_OUT },
	{ TCSETS, KERNEL_TERMIOS_SIZE, TTY_IN },
	{ TCSETSW, KERNEL_TERMIOS_SIZE, TTY_IN },
	{ TCSETSF, KERNEL_TERMIOS_SIZE, TTY_IN },
	{ 0x802c542a /* TCGETS2 */, KERNEL_TERMIOS2_SIZE, TTY_OUT },
	{ 0x402c542b /* TCSETS2 */, KERNEL_TERMIOS2_SIZE, TTY_IN },
	{ 0x402c542c /* TCSETSW2 */, KERNEL_TERMIOS2_SIZE, TTY_IN },
	{ 0x402c542d /* TCSETSF2 */, KERNEL_TERMIOS2_SIZE, TTY_IN },
	{ TIOCGWINSZ, sizeof(struct winsize), TTY_OUT },
	{ FIONREAD, sizeof(u32), TTY_OUT },
	{ TIOCOUTQ, sizeof(u32), TTY_OUT },
	{ TCFLSH, sizeof(u32), TTY_VALUE },
};

static const struct tty_request *tty_request_find(u64 nr)
{
	for (size_t i = 0; i < ARRAY_SIZE(tty_requests); i++)
		if (tty_requests[i].nr == nr)
			return &tty_requests[i];
	return NULL;
}

/* Drivers of other devices give a terminal's numbers other meanings. */
static bool request_fits(const struct handle *h, u64 nr)
{
	if (nr == FIONREAD || nr == TIOCOUTQ)
		return h->stream != BOOT_STREAM_CHAR;
	return h->stream == BOOT_STREAM_TTY;
}

/*
 * Changes a terminal. In the background it is not ours to change: the host stops our process group, the caller's process with it, and
 * tells us by SIGTTOU, whose handler does nothing. Where that is blocked it would let us.
 */
static int tty_change(int fd, unsigned long nr, unsigned long arg)
{
	sigset_t set, old;
	int r;

	sigemptyset(&set);
	sigaddset(&set, SIGTTOU);
	pthread_sigmask(SIG_UNBLOCK, &set, &old);
	r = ioctl(fd, nr, arg) < 0 ? -errno : 0;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return r == -EINTR ? -EIO : r;
}

/* Through memory of ours: the host must not read the size of a buffer out of it while the sandbox changes it. */
static int tty_ioctl(struct monitor *m, int fd, const struct tty_request *q, void *buf)
{
	u8 copy[64] = { 0 };
	u32 value;

	if (q->dir == TTY_OUT) {
		if (ioctl(fd, q->nr, copy) < 0)
			return -errno;
		memcpy(buf, copy, q->size);
		return 0;
	}
	memcpy(copy, buf, q->size);
	memcpy(&value, copy, sizeof(value));
	if (q->dir == TTY_VALUE)
		return tty_change(fd, q->nr, value);
	if (m->terminal_touched)
		atomic_store(m->terminal_touched, 1);
	return tty_change(fd, q->nr, (unsigned long)(uintptr_t)copy);
}

s64 hc_ioctl(struct hostcall *c)
{
	const struct tty_request *q = tty_request_find(c->arg[1]);
	void *buf;
	struct handle *h;
	int r;

	if (!q)
		return -ENOTTY;
	if (c->arg[3] < q->size)
		return -EINVAL;
	buf = hc_out(c, c->arg[2], q->size);
	if (!buf)
		return -EFAULT;
	h = stream_get(c);
	if (!h)
		return -EBADF;
	r = request_fits(h, q->nr) ? tty_ioctl(c->m, h->fd, q, buf) : -ENOTTY;
	handle_put(&c->m->handles, h);
	return r;
}
