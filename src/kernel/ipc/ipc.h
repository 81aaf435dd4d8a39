/* SPDX-License-Identifier: Apache-2.0 */
/* What the special files have in common. */
#pragma once

#include "abi/linux/time.h"
#include "base/types.h"
#include "kernel/core/wait.h"
#include "kernel/fs/vfs.h"

/* One interruptible sleep; 0 = look again, -ERESTARTSYS. */
int waitq_sleep(struct waitq *wq);
/* A nameless file of mode 0600 at the lowest descriptor. On failure ops->release is called: `private` is taken in any case. */
s64 anon_fd_install(const char *name, const struct file_ops *ops, u32 flags, void *private,
		    u32 fd_flags);
/* The file of a descriptor if it has these ops: *ret = new reference; -EBADF, or -EINVAL for another kind of file. */
int fd_get_ops(int fd, const struct file_ops *ops, struct file **ret);

/*
 * Deadline (CLOCK_MONOTONIC ns) of a relative timeout that starts now; never DEADLINE_NONE, which is what no timeout is.
 * -EINVAL for a malformed one.
 */
int deadline_from_timespec(const struct linux_timespec *ts, u64 *ret);
u64 deadline_after_ns(u64 ns);
/* Time left until `deadline`, 0 when it is over. */
struct linux_timespec deadline_left(u64 deadline);

/*
 * Signal mask of ppoll(2), pselect(2), epoll_pwait(2): set before the wait; after it either put back, or left for the delivery
 * of the signal that ended the wait to put back.
 */
int sigmask_enter(uptr_t user_mask, u64 size);
void sigmask_leave(s64 result, uptr_t user_mask);
