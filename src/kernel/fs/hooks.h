/* SPDX-License-Identifier: Apache-2.0 */
/* What the VFS calls in other parts of the kernel. */
#pragma once

#include "base/types.h"

struct file;
struct inode;

/* FIFO opened by name: sets f->ops and f->private; waits for the other end as fifo(7) says. ipc/pipe.c */
int fifo_open(struct inode *i, struct file *f);
/* F_SETPIPE_SZ, F_GETPIPE_SZ. -EBADF if f is no pipe. ipc/pipe.c */
int pipe_fcntl(struct file *f, int cmd, u64 arg);
/* The last reference to a file with epoll registrations goes away. ipc/epoll.c */
void epoll_file_released(struct file *f);
