/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/ipc/ipc.h"

#include "abi/linux/errno.h"
#include "abi/linux/fcntl.h"
#include "kernel/core/cpu.h"
#include "kernel/core/time.h"
#include "kernel/proc/signal.h"
#include "kernel/time/timespec.h"

int waitq_sleep(struct waitq *wq)
{
	struct waiter w;
	int r;

	waitq_add(wq, &w);
	r = task_sleep(TASK_INTERRUPTIBLE, DEADLINE_NONE);
	waitq_remove(&w);
	return r == -EINTR ? -ERESTARTSYS : 0;
}

s64 anon_fd_install(const char *name, const struct file_ops *ops, u32 flags, void *private,
		    u32 fd_flags)
{
	struct file *f;
	int r = file_new_anon(name, ops, 0600, flags, private, &f);

	if (r < 0) {
		struct file dead = { .ops = ops, .private = private };

		if (ops->release)
			ops->release(&dead);
		return r;
	}
	r = fd_install(f, fd_flags, 0);
	if (r < 0)
		file_unref(f);
	return r;
}

int fd_get_ops(int fd, const struct file_ops *ops, struct file **ret)
{
	struct file *f = fd_get(fd);

	if (!f)
		return -EBADF;
	if (f->ops != ops) {
		int r = f->flags & O_PATH ? -EBADF : -EINVAL;

		file_unref(f);
		return r;
	}
	*ret = f;
	return 0;
}

u64 deadline_after_ns(u64 ns)
{
	return ktime_add(ktime_mono(), ns);
}

int deadline_from_timespec(const struct linux_timespec *ts, u64 *ret)
{
	if (!timespec_valid(ts))
		return -EINVAL;
	*ret = deadline_after_ns(timespec_to_ns(ts));
	return 0;
}

struct linux_timespec deadline_left(u64 deadline)
{
	u64 now = ktime_mono(), left = deadline > now ? deadline - now : 0;

	return ns_to_timespec(left);
}

int sigmask_enter(uptr_t user_mask, u64 size)
{
	u64 mask;
	int r;

	if (!user_mask)
		return 0;
	r = sigset_from_user(&mask, user_mask, size);
	if (r == 0)
		signal_set_temporary_mask(mask & ~SIGSET_UNBLOCKABLE);
	return r;
}

void sigmask_leave(s64 result, uptr_t user_mask)
{
	if (user_mask)
		signal_restore_mask(result == -EINTR || result == -ERESTARTNOHAND);
}
