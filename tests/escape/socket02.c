/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connects to a TCP and a UDP port of the host, on 127.0.0.1 and ::1, where the runner listens.
 * Stopped by: there are no network sockets; the runner sees no connection.
 * Escape-Expect: stopped: EAFNOSUPPORT from TCP
 * Escape-Expect: stopped: EINVAL from TCP
 * Escape-Expect: stopped: EOPNOTSUPP from TCP
 * Escape-Expect: stopped: EAFNOSUPPORT from UDP
 * Escape-Expect: stopped: EINVAL from UDP
 * Escape-Expect: stopped: EINVAL from UDP
 * Escape-Expect: stopped: EAFNOSUPPORT from TCP by IPv6
 * Escape-Expect: stopped: EINVAL from TCP by IPv6
 * Escape-Expect: stopped: EOPNOTSUPP from TCP by IPv6
 * Escape-Expect: stopped: EAFNOSUPPORT from UDP by IPv6
 * Escape-Expect: stopped: EINVAL from UDP by IPv6
 * Escape-Expect: stopped: EINVAL from UDP by IPv6
 * Escape-Expect: stopped: ENOENT from /dev/tcp
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "escape/escape.h"

static void try_port(const char *what, int family, int type, uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons(port),
				 .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct sockaddr_in6 a6 = { .sin6_family = AF_INET6,
				   .sin6_port = htons(port),
				   .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr *address =
		family == AF_INET ? (struct sockaddr *)&a : (struct sockaddr *)&a6;
	socklen_t length = family == AF_INET ? sizeof(a) : sizeof(a6);
	int fd = socket(family, type, 0);

	if (fd < 0) {
		judge_call(what, fd);
		/* A unix socket told another family. */
		fd = OK(socket(AF_UNIX, type, 0));
	}
	REFUSED(what, connect(fd, address, length));
	REFUSED(what, sendto(fd, "x", 1, MSG_NOSIGNAL, address, length));
	close(fd);
}

void attempt(void)
{
	uint16_t tcp = (uint16_t)told_number("ESCAPE_TCP"),
		 udp = (uint16_t)told_number("ESCAPE_UDP");

	try_port("TCP", AF_INET, SOCK_STREAM, tcp);
	try_port("UDP", AF_INET, SOCK_DGRAM, udp);
	try_port("TCP by IPv6", AF_INET6, SOCK_STREAM, tcp);
	try_port("UDP by IPv6", AF_INET6, SOCK_DGRAM, udp);
	try_read("/dev/tcp", "/dev/tcp/127.0.0.1");
}
