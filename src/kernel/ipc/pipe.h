/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pipes and FIFOs: a ring of bytes over page frames. `head` and `tail` count bytes for ever and are taken modulo the size.
 * A copy to or from user memory may sleep, so at most one reader and one writer copy at a time (`reading`, `writing`), each
 * moving only its own end.
 */
#pragma once

#include "base/types.h"
#include "kernel/core/wait.h"
#include "kernel/fs/vfs.h"

#define PIPE_PAGES_TOTAL_SOFT \
	16384u /* pages of all pipes' sizes, beyond which new pipes are small */
#define PIPE_PAGES_SMALL 2u

struct pipe {
	u32 refs;             /* open files, and opens that wait */
	u32 readers, writers; /* open files by access */
	u32 r_opens, w_opens; /* ever: a FIFO's open waits for a change */
	u32 nr_pages;         /* a power of two */
	bool reading, writing;
	u64 head, tail;      /* written, read */
	struct page **pages; /* allocated when first written */
	struct waitq rd, wr; /* wait for data / room */
	struct inode *inode; /* borrowed: the files hold it; its `pipe` points here */
};

static inline u64 pipe_used(const struct pipe *p)
{
	return p->head - p->tail;
}
static inline u64 pipe_size(const struct pipe *p)
{
	return (u64)p->nr_pages << PAGE_SHIFT;
}
extern const struct file_ops pipe_fops;
/* The pipe of a file, NULL: it is none. */
struct pipe *file_pipe(const struct file *f);
/* Both with the ops' semantics; nonblock in place of the file's flag. */
s64 pipe_read_flags(struct file *f, struct uio *u, bool nonblock);
s64 pipe_write_flags(struct file *f, struct uio *u, bool nonblock);
/* Sleeps until there is data (0), or the end of it (-EPIPE); -EAGAIN, -ERESTARTSYS. */
int pipe_wait_data(struct pipe *p, bool nonblock);
/* Drops n bytes from the read end. */
void pipe_consume(struct pipe *p, u64 n);
/* Appends up to n bytes of u; the caller has seen that there is room. */
s64 pipe_append(struct pipe *p, struct uio *u, u64 n);
/* Sleeps until there is room; SIGPIPE and -EPIPE without readers. */
int pipe_wait_room(struct pipe *p, bool nonblock);
/* Copies up to n bytes from the read end's position `skip` on, without taking them. */
size_t pipe_peek(struct pipe *p, u64 skip, void *buf, size_t n);
