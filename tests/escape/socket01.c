/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes sockets that reach the host's network or kernel: raw, packet, netlink, vsock, alg, bluetooth, can, xdp, tipc, inet.
 * Stopped by: our kernel has AF_UNIX, and nothing else without a network.
 * Escape-Expect: stopped: EAFNOSUPPORT from inet stream
 * Escape-Expect: stopped: EAFNOSUPPORT from inet datagram
 * Escape-Expect: stopped: EAFNOSUPPORT from inet raw
 * Escape-Expect: stopped: EAFNOSUPPORT from inet ping
 * Escape-Expect: stopped: EAFNOSUPPORT from inet packet
 * Escape-Expect: stopped: EAFNOSUPPORT from inet6 stream
 * Escape-Expect: stopped: EAFNOSUPPORT from inet6 raw
 * Escape-Expect: stopped: EAFNOSUPPORT from packet raw
 * Escape-Expect: stopped: EAFNOSUPPORT from packet datagram
 * Escape-Expect: stopped: EAFNOSUPPORT from netlink route
 * Escape-Expect: stopped: EAFNOSUPPORT from netlink audit
 * Escape-Expect: stopped: EAFNOSUPPORT from netlink uevent
 * Escape-Expect: stopped: EAFNOSUPPORT from netlink netfilter
 * Escape-Expect: stopped: EAFNOSUPPORT from netlink generic
 * Escape-Expect: stopped: EAFNOSUPPORT from vsock
 * Escape-Expect: stopped: EAFNOSUPPORT from alg
 * Escape-Expect: stopped: EAFNOSUPPORT from bluetooth
 * Escape-Expect: stopped: EAFNOSUPPORT from can
 * Escape-Expect: stopped: EAFNOSUPPORT from xdp
 * Escape-Expect: stopped: EAFNOSUPPORT from tipc
 * Escape-Expect: stopped: EAFNOSUPPORT from rds
 * Escape-Expect: stopped: EAFNOSUPPORT from key
 * Escape-Expect: stopped: EAFNOSUPPORT from ax25
 * Escape-Expect: stopped: EPROTONOSUPPORT from unix raw
 * Escape-Expect: stopped: EAFNOSUPPORT from no family
 */
#include <sys/socket.h>

#include "escape/escape.h"

void attempt(void)
{
	static const struct {
		const char *name;
		int family, type, protocol;
	} kinds[] = {
		{ "inet stream", AF_INET, SOCK_STREAM, 0 },
		{ "inet datagram", AF_INET, SOCK_DGRAM, 0 },
		{ "inet raw", AF_INET, SOCK_RAW, 1 },
		{ "inet ping", AF_INET, SOCK_DGRAM, 1 },
		{ "inet packet", AF_INET, SOCK_PACKET, 0x0300 },
		{ "inet6 stream", AF_INET6, SOCK_STREAM, 0 },
		{ "inet6 raw", AF_INET6, SOCK_RAW, 58 },
		{ "packet raw", AF_PACKET, SOCK_RAW, 0x0300 },
		{ "packet datagram", AF_PACKET, SOCK_DGRAM, 0x0300 },
		{ "netlink route", AF_NETLINK, SOCK_RAW, 0 },
		{ "netlink audit", AF_NETLINK, SOCK_RAW, 9 },
		{ "netlink uevent", AF_NETLINK, SOCK_DGRAM, 15 },
		{ "netlink netfilter", AF_NETLINK, SOCK_RAW, 12 },
		{ "netlink generic", AF_NETLINK, SOCK_RAW, 16 },
		{ "vsock", 40, SOCK_STREAM, 0 },
		{ "alg", 38, SOCK_SEQPACKET, 0 },
		{ "bluetooth", 31, SOCK_RAW, 1 },
		{ "can", 29, SOCK_RAW, 1 },
		{ "xdp", 44, SOCK_RAW, 0 },
		{ "tipc", 30, SOCK_SEQPACKET, 0 },
		{ "rds", 21, SOCK_SEQPACKET, 0 },
		{ "key", 15, SOCK_RAW, 2 },
		{ "ax25", 3, SOCK_DGRAM, 0 },
		{ "unix raw", AF_UNIX, SOCK_RAW, 5 },
		{ "no family", 1000, SOCK_STREAM, 0 },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		REFUSED(kinds[i].name, socket(kinds[i].family, kinds[i].type, kinds[i].protocol));
}
