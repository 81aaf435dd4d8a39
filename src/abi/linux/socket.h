/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets: socket(2), unix(7), ip(7), socket(7), cmsg(3). */
#pragma once

#include "base/types.h"

/* address families */
#define AF_UNSPEC  0
#define AF_UNIX    1
#define AF_LOCAL   1
#define AF_INET    2
#define AF_INET6   10
#define AF_NETLINK 16
#define AF_PACKET  17
#define AF_ALG     38
#define AF_VSOCK   40

/* types */
#define SOCK_STREAM    1
#define SOCK_DGRAM     2
#define SOCK_RAW       3
#define SOCK_RDM       4
#define SOCK_SEQPACKET 5
#define SOCK_PACKET    10
#define SOCK_TYPE_MASK 0xf
#define SOCK_CLOEXEC   02000000
#define SOCK_NONBLOCK  04000

/* levels */
#define SOL_SOCKET 1
#define SOL_IP     0
#define SOL_TCP    6
#define SOL_UDP    17
#define SOL_IPV6   41

/* SOL_SOCKET options */
#define SO_DEBUG        1
#define SO_REUSEADDR    2
#define SO_TYPE         3
#define SO_ERROR        4
#define SO_DONTROUTE    5
#define SO_BROADCAST    6
#define SO_SNDBUF       7
#define SO_RCVBUF       8
#define SO_SNDBUFFORCE  32
#define SO_RCVBUFFORCE  33
#define SO_KEEPALIVE    9
#define SO_OOBINLINE    10
#define SO_PRIORITY     12
#define SO_LINGER       13
#define SO_REUSEPORT    15
#define SO_PASSCRED     16
#define SO_PEERCRED     17
#define SO_RCVLOWAT     18
#define SO_SNDLOWAT     19
#define SO_PEERNAME     28
#define SO_ACCEPTCONN   30
#define SO_PEERSEC      31
#define SO_PASSSEC      34
#define SO_MARK         36
#define SO_PROTOCOL     38
#define SO_DOMAIN       39
#define SO_RXQ_OVFL     40
#define SO_PEEK_OFF     42
#define SO_INCOMING_CPU 49
#define SO_COOKIE       57
#define SO_PEERGROUPS   59
#define SO_ZEROCOPY     60
#define SO_TXTIME       61
#define SO_TIMESTAMP    29
#define SO_RCVTIMEO     20
#define SO_SNDTIMEO     21
#define SO_PASSPIDFD    76
#define SO_PEERPIDFD    77

/* send(2), recv(2) flags */
#define MSG_OOB          0x1
#define MSG_PEEK         0x2
#define MSG_DONTROUTE    0x4
#define MSG_CTRUNC       0x8
#define MSG_PROXY        0x10
#define MSG_TRUNC        0x20
#define MSG_DONTWAIT     0x40
#define MSG_EOR          0x80
#define MSG_WAITALL      0x100
#define MSG_CONFIRM      0x800
#define MSG_ERRQUEUE     0x2000
#define MSG_NOSIGNAL     0x4000
#define MSG_MORE         0x8000
#define MSG_WAITFORONE   0x10000
#define MSG_BATCH        0x40000
#define MSG_FASTOPEN     0x20000000
#define MSG_CMSG_CLOEXEC 0x40000000
#define MSG_ZEROCOPY     0x4000000

/* control messages */
#define SCM_RIGHTS      1
#define SCM_CREDENTIALS 2
#define SCM_SECURITY    3
#define SCM_PIDFD       4
#define SCM_MAX_FD      253

/* shutdown(2) */
#define SHUT_RD   0
#define SHUT_WR   1
#define SHUT_RDWR 2
#define SOMAXCONN 4096

/* IP protocols */
#define IPPROTO_IP   0
#define IPPROTO_ICMP 1
#define IPPROTO_TCP  6
#define IPPROTO_UDP  17
#define IPPROTO_IPV6 41

/* TCP options */
#define TCP_NODELAY      1
#define TCP_MAXSEG       2
#define TCP_CORK         3
#define TCP_KEEPIDLE     4
#define TCP_KEEPINTVL    5
#define TCP_KEEPCNT      6
#define TCP_DEFER_ACCEPT 9
#define TCP_INFO         11
#define TCP_QUICKACK     12
#define TCP_USER_TIMEOUT 18

/* IP options */
#define IP_TOS        1
#define IP_TTL        2
#define IPV6_V6ONLY   26
#define UNIX_PATH_MAX 108

struct linux_sockaddr {
	u16 sa_family;
	char sa_data[14];
};

struct linux_sockaddr_storage {
	u16 ss_family;
	char ss_data[126];
} __attribute__((aligned(8)));

struct linux_sockaddr_un {
	u16 sun_family;
	char sun_path[UNIX_PATH_MAX];
};

struct linux_sockaddr_in {
	u16 sin_family;
	u16 sin_port; /* big-endian */
	u32 sin_addr; /* big-endian */
	u8 sin_zero[8];
};

struct linux_sockaddr_in6 {
	u16 sin6_family;
	u16 sin6_port; /* big-endian */
	u32 sin6_flowinfo;
	u8 sin6_addr[16];
	u32 sin6_scope_id;
};

static_assert(sizeof(struct linux_sockaddr) == 16, "ABI");
static_assert(sizeof(struct linux_sockaddr_storage) == 128, "ABI");
static_assert(sizeof(struct linux_sockaddr_un) == 110, "ABI");
static_assert(sizeof(struct linux_sockaddr_in) == 16, "ABI");
static_assert(sizeof(struct linux_sockaddr_in6) == 28, "ABI");

/* What sendmsg(2) and recvmsg(2) read: the kernel's 64-bit lengths. */
struct linux_msghdr {
	u64 msg_name;
	s32 msg_namelen;
	u64 msg_iov; /* struct linux_iovec */
	u64 msg_iovlen;
	u64 msg_control;
	u64 msg_controllen;
	u32 msg_flags;
};

static_assert(sizeof(struct linux_msghdr) == 56, "ABI");

struct linux_mmsghdr {
	struct linux_msghdr msg_hdr;
	u32 msg_len;
};

static_assert(sizeof(struct linux_mmsghdr) == 64, "ABI");

struct linux_cmsghdr {
	u64 cmsg_len; /* with this header, without padding */
	s32 cmsg_level;
	s32 cmsg_type;
};

static_assert(sizeof(struct linux_cmsghdr) == 16, "ABI");

#define CMSG_ALIGN(len) (((len) + 7UL) & ~7UL)
#define CMSG_SPACE(len) (sizeof(struct linux_cmsghdr) + CMSG_ALIGN(len))
#define CMSG_LEN(len)   (sizeof(struct linux_cmsghdr) + (len))

struct linux_ucred {
	s32 pid;
	u32 uid;
	u32 gid;
};

static_assert(sizeof(struct linux_ucred) == 12, "ABI");

struct linux_linger {
	s32 l_onoff;
	s32 l_linger;
};

static_assert(sizeof(struct linux_linger) == 8, "ABI");
