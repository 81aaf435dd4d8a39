/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors in messages to sockets in messages …: closing the last end of a long chain ends them all. */
#include <sys/socket.h>

#include "guest/guest.h"

#define DEPTH 400

static void send_fd(int over, int fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec v = { (char[]){ "x" }, 1 };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	CHECK_EQ(sendmsg(over, &m, 0), 1);
}

int main(void)
{
	int end[2], pair[2], next[2];
	char c;

	OK(pipe(end));
	OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
	send_fd(pair[0], end[1]);
	OK(close(end[1]));
	for (int i = 0; i < DEPTH; i++) {
		OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, next));
		send_fd(next[0], pair[0]);
		send_fd(next[0], pair[1]);
		OK(close(pair[0]));
		OK(close(pair[1]));
		memcpy(pair, next, sizeof(pair));
	}
	OK(close(pair[0]));
	OK(close(pair[1]));
	/* The writing end was in the innermost message. */
	CHECK_EQ(read(end[0], &c, 1), 0);
	say("all gone\n");
	return 0;
}
