/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIRST_DESCRIPTOR 3

int channel_raise(int fd)
{
	int high, error;

	if (fd >= FIRST_DESCRIPTOR || fd < 0)
		return fd;
	high = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_DESCRIPTOR);
	error = errno;
	close(fd);
	return high < 0 ? -error : high;
}

int channel_pair(int ret[2])
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	pair[0] = channel_raise(pair[0]);
	pair[1] = channel_raise(pair[1]);
	if (pair[0] >= 0 && pair[1] >= 0) {
		ret[0] = pair[0];
		ret[1] = pair[1];
		return 0;
	}
	for (int i = 0; i < 2; i++)
		if (pair[i] >= 0)
			close(pair[i]);
	return pair[0] < 0 ? pair[0] : pair[1];
}

int channel_send(int fd, enum channel_type type, u32 value)
{
	struct channel_message message = { type, value };
	ssize_t n;

	do
		n = send(fd, &message, sizeof(message), MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

int channel_receive(int fd, struct channel_message *ret)
{
	struct channel_message message;
	ssize_t n;

	do
		n = recv(fd, &message, sizeof(message), MSG_DONTWAIT | MSG_TRUNC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == ECONNRESET ? 0 : -errno;
	if (n == 0)
		return 0;
	if (n != sizeof(message))
		return -EPROTO;
	*ret = message;
	return 1;
}
