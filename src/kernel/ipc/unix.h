/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets of the sandbox among itself: unix(7), types SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET. A message waits in the queue of the
 * socket that will receive it. A connected socket holds a reference to its peer, which may have been closed (`dead`).
 */
#pragma once

#include "abi/linux/socket.h"
#include "base/list.h"
#include "base/types.h"
#include "kernel/core/wait.h"
#include "kernel/fs/vfs.h"

#define UNIX_QUEUE_MAX    212992u /* bytes waiting in one socket; /proc/sys/net/core/wmem_default */
#define UNIX_STREAM_PIECE 32768u  /* of a stream, in one message */
#define UNIX_DGRAM_QUEUE  10u     /* messages: /proc/sys/net/unix/max_dgram_qlen */
#define UNIX_BACKLOG_MAX  4096
#define UNIX_INFLIGHT_MAX 16384u /* descriptors in messages, of the sandbox */

struct umsg {
	struct list node;
	size_t len, off; /* off: taken by readers of a stream */
	unsigned nr_files;
	struct file **files; /* SCM_RIGHTS, references */
	struct usock *to;    /* in whose queue it is; borrowed */
	struct list flight;  /* messages with files (unix_gc.c) */
	struct linux_ucred cred;
	struct linux_sockaddr_un from;
	u32 from_len;
	u8 data[];
};

struct usock {
	u32 refs;
	int type;
	bool dead, connected, listening;
	bool shut_rd, shut_wr;
	bool passcred;
	int error;          /* for the next call: SO_ERROR */
	struct usock *peer; /* reference */
	struct list queue;  /* struct umsg */
	size_t bytes;       /* waiting */
	unsigned messages;
	struct waitq rd, wr; /* data or a connection / room in our queue */
	struct list backlog; /* listening: struct usock.node of sockets to accept */
	unsigned nr_backlog, max_backlog;
	struct list node;
	struct linux_ucred cred, peer_cred;
	u64 rcv_timeo, snd_timeo; /* ns, 0: none */
	struct linux_sockaddr_un name;
	u32 name_len;           /* 0: none */
	struct inode *inode;    /* reference: bound to a path */
	struct list bound;      /* on the list of bound sockets */
	struct usock *listener; /* in whose backlog it is; borrowed */
	unsigned gc_refs;       /* unix_gc.c: in how many messages its file is, */
	bool gc_live;           /* whether it can be received from, */
	struct list gc_node;    /* and what is still to be looked at */
};

/* What goes with a message beside its data. */
struct umsg_info {
	struct file **files; /* send: taken on success; receive: the caller's */
	unsigned nr_files;
	struct linux_ucred cred;
	struct linux_sockaddr_un from;
	u32 from_len;
	u32 flags; /* receive: MSG_TRUNC */
};

extern const struct file_ops unix_fops;
struct usock *file_usock(const struct file *f); /* NULL: no socket */
struct usock *usock_new(int type);
void usock_unref(struct usock *s);
int unix_socket_file(struct usock *s, u32 flags, struct file **ret); /* takes s */
void usock_pair(struct usock *a, struct usock *b);
/* `to` for an unconnected datagram, else NULL. */
s64 usock_send(struct usock *s, struct usock *to, struct uio *u, struct umsg_info *info, u32 flags,
	       bool nonblock);
s64 usock_recv(struct usock *s, struct uio *u, struct umsg_info *info, u32 flags, bool nonblock);
int usock_connect(struct usock *s, struct usock *to, bool nonblock);
int usock_accept(struct usock *s, bool nonblock, struct usock **ret);
void usock_shutdown(struct usock *s, bool rd, bool wr);

/* unix_gc.c: files in messages. A message departs when it is queued and lands when it leaves the queue, files and all. */
void umsg_depart(struct umsg *m, struct usock *to);
void umsg_land(struct umsg *m);
bool unix_flight_full(unsigned more);
/* Moves messages that nobody can ever receive to `ret_dead`, to be freed; false: there are none. */
bool unix_gc(struct list *ret_dead);
bool unix_gc_due(void); /* asked at each close */

/* unix_name.c: addresses */
int unix_bind(struct usock *s, const struct linux_sockaddr_un *name, u32 len);
void unix_unbind(struct usock *s);
int unix_find(const struct linux_sockaddr_un *name, u32 len, int type,
	      struct usock **ret); /* new reference */
