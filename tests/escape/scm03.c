/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Passes descriptors between processes inside until the kernel has no room, and in cycles that nobody can close.
 * Stopped by: a limit on descriptors under way, and a collector of cycles.
 * Escape-Options: --memory 64M
 * Escape-Expect: stopped: cycles of descriptors were collected
 * Escape-Expect: stopped: ETOOMANYREFS from one more descriptor
 * Escape-Expect: stopped: EBADF from a descriptor that is not open
 */
#include <sys/socket.h>

#include "escape/escape.h"

static int send_fd(int over, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8))) = { 0 };
	struct iovec v = { (char[1]){ 'x' }, 1 };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	return (int)sendmsg(over, &m, MSG_DONTWAIT);
}

void attempt(void)
{
	int pair[2];
	long n = 0;

	for (int i = 0; i < 2000; i++) {
		OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
		OK(send_fd(pair[0], pair[1]));
		OK(send_fd(pair[1], pair[0]));
		close(pair[0]);
		close(pair[1]);
	}
	stopped("cycles of descriptors were collected");
	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	while (n < 1000000 && send_fd(pair[0], 1) > 0)
		n++;
	if (n == 1000000)
		escaped("any number of descriptors under way");
	REFUSED("one more descriptor", send_fd(pair[0], 1));
	errno = 0;
	REFUSED("a descriptor that is not open", send_fd(pair[1], 1000));
}
