/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the processes of one sandbox: messages of one fixed size over a pair of sockets (SOCK_SEQPACKET, so that each is whole,
 * and the end of the other process is the end of the file). A descriptor sent along is dropped by the host, as nobody asks for it.
 */
#pragma once

#include "base/types.h"

enum channel_type {
	/* caller -> monitor */
	CHANNEL_SIGNAL = 1, /* value: signal for the program's terminal session or process */
	CHANNEL_CONTINUED,  /* the answer to CHANNEL_STOP: stopped, and continued since */
	CHANNEL_END,        /* value: the signal that ends the sandbox */
	/* monitor -> caller */
	CHANNEL_STARTED, /* once: the program runs from now on */
	CHANNEL_STOP,    /* the program was stopped by job control */
	/* guardian -> caller */
	CHANNEL_MAPS_WANTED, /* value: the new user namespace the guardian is in; the answer is CHANNEL_MAPS_WRITTEN */
	CHANNEL_ENDED, /* value: the monitor's wait status */
	/* caller -> guardian */
	CHANNEL_MAPS_WRITTEN, /* value: 0, or the errno for which the guardian is to map its own id */
	CHANNEL_SIGNAL_MONITOR, /* value: SIGSTOP, SIGCONT or SIGKILL */
	CHANNEL_RESTORED,       /* the terminal is as before; nothing is left to do */
};

struct channel_message {
	u32 type; /* enum channel_type */
	u32 value;
};

/* Two connected descriptors, close-on-exec, above the standard streams. 0 or -errno. */
int channel_pair(int ret[2]) __must_check;
/* Never waits: -EAGAIN when the other side does not read, -EPIPE when it is gone. */
int channel_send(int fd, enum channel_type type, u32 value);
/* Never waits. 1: a message; 0: the other side is gone; -EAGAIN: none yet; -EPROTO: not a message. */
int channel_receive(int fd, struct channel_message *ret) __must_check;
/* A descriptor above the standard streams, close-on-exec, in the place of @fd, which is closed; -errno with @fd closed. */
int channel_raise(int fd) __must_check;
