/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets sent through themselves and round rings: what is still open keeps what its messages carry, the rest is closed. */
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "guest/guest.h"

static void send_fd(int socket, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = "";
	struct iovec part = { control, 1 };
	struct msghdr m = { .msg_iov = &part,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	*c = (struct cmsghdr){ CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	OK(sendmsg(socket, &m, 0));
}

static int receive_fd(int socket)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec part = { &byte, 1 };
	struct msghdr m = { .msg_iov = &part,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	int fd;

	OK(recvmsg(socket, &m, 0));
	CHECK(CMSG_FIRSTHDR(&m));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
	return fd;
}

/* A pipe's writing end inside of an unreachable ring: its reader sees the end. */
static void ring_is_closed(void)
{
	int a[2], b[2], pair[2];
	char byte;

	OK(pipe(pair));
	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, a));
	OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, b));
	send_fd(a[1], pair[1]); /* waits in a[0] */
	send_fd(b[1], a[0]);    /* waits in b[0] */
	send_fd(b[1], a[1]);
	send_fd(a[1], b[0]); /* the ring is closed */
	send_fd(a[1], b[1]);
	for (int i = 0; i < 2; i++)
		close(a[i]), close(b[i]);
	close(pair[1]);
	/* Something must close a socket for the collector to look. */
	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, a));
	close(a[0]);
	close(a[1]);
	CHECK_EQ(OK(poll(&(struct pollfd){ .fd = pair[0], .events = POLLIN }, 1, 20000)), 1);
	CHECK_EQ(OK(read(pair[0], &byte, 1)), 0);
	close(pair[0]);
}

/* The same with one descriptor left open: everything is still there, at the end of the chain too. */
static void held_ring_stays(void)
{
	int a[2], b[2], c[2], got, inner;
	char byte = 0;

	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, a));
	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, b));
	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, c));
	send_fd(a[1], b[0]); /* a[0] holds b[0] */
	send_fd(b[1], a[1]); /* which holds a[1] */
	send_fd(b[1], c[0]); /* and c[0] */
	OK(write(c[1], "z", 1));
	send_fd(c[1], b[1]); /* which holds b[1] */
	close(a[1]), close(b[0]), close(b[1]), close(c[0]);
	for (int i = 0; i < 3; i++) {
		int d[2];

		OK(socketpair(AF_UNIX, SOCK_STREAM, 0, d));
		close(d[0]), close(d[1]);
	}
	got = receive_fd(a[0]);
	close(receive_fd(got));
	inner = receive_fd(got);
	OK(read(inner, &byte, 1));
	CHECK_EQ(byte, 'z');
	close(receive_fd(inner));
	close(inner), close(got), close(a[0]), close(c[1]);
}

/* A connection that nobody has accepted holds what was sent over it. */
static void backlog_holds(void)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int listener = OK(socket(AF_UNIX, SOCK_STREAM, 0)), client, server, pair[2], got;
	char byte;

	snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1, "rights02.%d", getpid());
	OK(bind(listener, (void *)&name, sizeof(name)));
	OK(listen(listener, 1));
	client = OK(socket(AF_UNIX, SOCK_STREAM, 0));
	OK(connect(client, (void *)&name, sizeof(name)));
	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	send_fd(client, pair[0]);
	OK(write(pair[1], "y", 1));
	close(pair[0]);
	close(OK(socket(AF_UNIX, SOCK_STREAM, 0)));
	server = OK(accept(listener, NULL, NULL));
	got = receive_fd(server);
	OK(read(got, &byte, 1));
	CHECK_EQ(byte, 'y');
	close(got), close(server), close(client), close(listener), close(pair[1]);
}

int main(void)
{
	for (int i = 0; i < 20; i++) {
		ring_is_closed();
		held_ring_stays();
		backlog_holds();
	}
	say("ok\n");
	return 0;
}
