/* SPDX-License-Identifier: Apache-2.0 */
/* poll(2), select(2), epoll(7). */
#pragma once

#include "base/types.h"

/* poll(2) events */
#define POLLIN         0x1
#define POLLPRI        0x2
#define POLLOUT        0x4
#define POLLERR        0x8
#define POLLHUP        0x10
#define POLLNVAL       0x20
#define POLLRDNORM     0x40
#define POLLRDBAND     0x80
#define POLLWRNORM     0x100
#define POLLWRBAND     0x200
#define POLLMSG        0x400
#define POLLREMOVE     0x1000
#define POLLRDHUP      0x2000
#define POLLFREE       0x4000
#define POLL_BUSY_LOOP 0x8000

struct linux_pollfd {
	s32 fd;
	s16 events;
	s16 revents;
};

static_assert(sizeof(struct linux_pollfd) == 8, "ABI");

/* epoll_create1(2), epoll_ctl(2) */
#define EPOLL_CLOEXEC 02000000
#define EPOLL_CTL_ADD 1
#define EPOLL_CTL_DEL 2
#define EPOLL_CTL_MOD 3

/* epoll events */
#define EPOLLIN        0x1
#define EPOLLPRI       0x2
#define EPOLLOUT       0x4
#define EPOLLERR       0x8
#define EPOLLHUP       0x10
#define EPOLLNVAL      0x20
#define EPOLLRDNORM    0x40
#define EPOLLRDBAND    0x80
#define EPOLLWRNORM    0x100
#define EPOLLWRBAND    0x200
#define EPOLLMSG       0x400
#define EPOLLRDHUP     0x2000
#define EPOLLEXCLUSIVE 0x10000000
#define EPOLLWAKEUP    0x20000000
#define EPOLLONESHOT   0x40000000
#define EPOLLET        0x80000000

/* Packed on x86-64, so that 32-bit and 64-bit programs share it. */
struct linux_epoll_event {
	u32 events;
	u64 data;
} __attribute__((packed));

static_assert(sizeof(struct linux_epoll_event) == 12, "ABI");

/* the largest maxevents of epoll_wait(2) */
#define EP_MAX_EVENTS (0x7fffffff / (int)sizeof(struct linux_epoll_event))

/* select(2): bit n of word n / 64 */
#define FD_SETSIZE 1024

struct linux_fd_set {
	u64 fds_bits[FD_SETSIZE / 64];
};

static_assert(sizeof(struct linux_fd_set) == 128, "ABI");

/* The sixth argument of pselect6(2). */
struct linux_sigset_argpack {
	u64 ss;
	u64 ss_len;
};
