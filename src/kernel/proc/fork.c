/* SPDX-License-Identifier: Apache-2.0 */
/* clone(2), clone3(2), fork(2), vfork(2). */
#include "abi/linux/capability.h"
#include "abi/linux/errno.h"
#include "abi/linux/sched.h"
#include "base/bug.h"
#include "base/string.h"
#include "kernel/core/cpu.h"
#include "kernel/core/sched.h"
#include "kernel/fs/vfs.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"
#include "kernel/platform/kplat.h"
#include "kernel/proc/proc.h"
#include "kernel/proc/rseq.h"
#include "kernel/proc/signal.h"
#include "kernel/sys/syscall.h"

#define CLONE_NEW_ANY                                                                       \
	((u64)CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | \
	 CLONE_NEWPID | CLONE_NEWNET)
#define FPU_IMAGE_MAX 16384 /* XCR0 with AMX needs 11 KiB */

/* As clone3(2)'s argument, checked and reduced to what we support. */
struct clone_request {
	u64 flags; /* without CSIGNAL */
	int exit_signal;
	uptr_t stack; /* initial RSP, 0: as the parent's */
	uptr_t tls, parent_tid, child_tid;
};

static int check_flags(u64 flags)
{
	if ((flags & CLONE_SIGHAND) && !(flags & CLONE_VM))
		return -EINVAL;
	if ((flags & CLONE_THREAD) && !(flags & CLONE_SIGHAND))
		return -EINVAL;
	if ((flags & CLONE_CLEAR_SIGHAND) && (flags & CLONE_SIGHAND))
		return -EINVAL;
	if ((flags & CLONE_NEWNS) && (flags & CLONE_FS))
		return -EINVAL;
	if (flags & CLONE_NEW_ANY)
		return -EPERM;
	/* No descriptors of processes yet. */
	if (flags & (CLONE_PIDFD | CLONE_INTO_CGROUP))
		return -EINVAL;
	return 0;
}

static int check_limits(void)
{
	const struct task *t = current;
	const struct user *u = t->cred->user;

	if (nr_tasks - 1 >= max_tasks) /* all but the reaper */
		return -EAGAIN;
	if (!u || u->uid == 0 || u->tasks < task_rlimit(t, RLIMIT_NPROC))
		return 0;
	return capable(CAP_SYS_RESOURCE) || capable(CAP_SYS_ADMIN) ? 0 : -EAGAIN;
}

static void copy_fpu(struct task *t)
{
	/* The kernel lock guards it: neither call sleeps. */
	static u8 image[FPU_IMAGE_MAX] __aligned(64);

	BUG_ON(boot_info()->xsave_size > sizeof(image));
	kplat->fpu_get(current, image);
	kplat->fpu_set(t, image);
}

static void copy_attributes(struct task *t, const struct clone_request *rq)
{
	const struct task *from = current;

	t->regs = from->regs;
	t->regs.rax = 0;
	t->regs.orig_rax = ~0ull;
	if (rq->stack)
		t->regs.rsp = rq->stack;
	if (rq->flags & CLONE_SETTLS)
		t->regs.fs_base = rq->tls;
	memcpy(t->comm, from->comm, sizeof(t->comm));
	t->cpu_mask = from->cpu_mask;
	t->blocked = from->blocked;
	t->personality = from->personality;
	t->sched_policy = from->sched_policy & ~(u32)SCHED_RESET_ON_FORK;
	t->sched_priority = from->sched_priority;
	t->nice = from->nice;
	if (from->sched_policy & SCHED_RESET_ON_FORK) {
		t->sched_policy = SCHED_NORMAL;
		t->sched_priority = 0;
		t->nice = MAX(from->nice, 0);
	}
	t->no_new_privs = from->no_new_privs;
	t->dumpable_off = from->dumpable_off;
	t->timer_slack_ns = from->timer_slack_ns;
	t->altstack = (struct linux_stack){ .ss_flags = SS_DISABLE };
	if ((rq->flags & (CLONE_VM | CLONE_VFORK)) != CLONE_VM)
		t->altstack = from->altstack;
	rseq_fork(t, from, rq->flags);
	t->clear_child_tid = rq->flags & CLONE_CHILD_CLEARTID ? rq->child_tid : 0;
	t->set_child_tid = rq->flags & CLONE_CHILD_SETTID ? rq->child_tid : 0;
}

static int copy_sighand(struct task *t, u64 flags)
{
	if (flags & CLONE_SIGHAND) {
		t->sighand = current->sighand;
		t->sighand->refs++;
		return 0;
	}
	t->sighand = sighand_copy(current->sighand);
	if (!t->sighand)
		return -ENOMEM;
	if (flags & CLONE_CLEAR_SIGHAND)
		for (unsigned i = 0; i < _NSIG; i++)
			if (t->sighand->action[i].sa_handler != SIG_IGN)
				t->sighand->action[i] = (struct linux_sigaction){ 0 };
	return 0;
}

static int copy_files(struct task *t, u64 flags)
{
	if (flags & CLONE_FILES) {
		t->files = fdtable_ref(current->files);
		return 0;
	}
	return fdtable_dup(current->files, &t->files);
}

static int copy_fs(struct task *t, u64 flags)
{
	if (flags & CLONE_FS) {
		t->fs = fs_context_ref(current->fs);
		return 0;
	}
	return fs_context_dup(current->fs, &t->fs);
}

static int copy_mm(struct task *t, u64 flags)
{
	if (flags & CLONE_VM) {
		t->mm = mm_ref(current->mm);
		return 0;
	}
	return mm_fork(current->mm, &t->mm);
}

static int copy_process(struct task *t, u64 flags)
{
	t->proc = flags & CLONE_THREAD ? process_ref(current->proc) : process_new(current->proc);
	return t->proc ? 0 : -ENOMEM;
}

/* Undoes what was copied into a task that is in no table. */
static void discard(struct task *t)
{
	struct mm *mm = t->mm;

	t->mm = NULL;
	if (mm)
		mm_unref(mm);
	if (t->files)
		fdtable_unref(t->files);
	if (t->fs)
		fs_context_unref(t->fs);
	task_unref(t);
}

static int copy_task(const struct clone_request *rq, struct task **ret)
{
	struct task *t = task_alloc();
	int r;

	if (!t)
		return -ENOMEM;
	copy_attributes(t, rq);
	t->cred = cred_ref(current->cred);
	r = copy_process(t, rq->flags);
	if (r == 0)
		r = copy_sighand(t, rq->flags);
	if (r == 0)
		r = copy_fs(t, rq->flags);
	if (r == 0)
		r = copy_files(t, rq->flags);
	if (r == 0)
		r = copy_mm(t, rq->flags);
	if (r < 0) {
		discard(t);
		return r;
	}
	copy_fpu(t);
	*ret = t;
	return 0;
}

/* Links the new task everywhere. Copying may have slept, so limits and signals are looked at again. */
static int publish(struct task *t, const struct clone_request *rq)
{
	struct process *self = current->proc;
	int tid, r = check_limits();

	if (r < 0)
		return r;
	if (rq->flags & CLONE_THREAD ? task_must_die(current) : signal_pending(current)) {
		current->sigpending_flag = true;
		return -ERESTARTNOINTR;
	}
	tid = pid_alloc();
	if (tid < 0)
		return tid;
	t->tid = tid;
	t->exit_signal = rq->exit_signal;
	if (!(rq->flags & CLONE_THREAD)) {
		if (rq->flags & CLONE_PARENT)
			t->exit_signal = self->leader->exit_signal;
		r = process_link(t->proc, tid, rq->flags & CLONE_PARENT ? self->parent : self);
		if (r < 0) {
			pid_drop(tid);
			return r;
		}
		t->proc->leader = t;
	}
	task_link(t);
	return 0;
}

/* The child's first code: what must be written into its own memory. */
static void child_start(struct task *t)
{
	if (t->set_child_tid && put_user_u32(t->set_child_tid, (u32)t->tid) < 0)
		t->set_child_tid = 0;
}

/* Until the child executes another program or ends. A parent killed meanwhile leaves. */
static void vfork_wait(struct task *child)
{
	struct waitq wq = WAITQ_INIT(wq);
	struct waiter w;

	child->vfork_done = &wq;
	waitq_add(&wq, &w);
	while (child->vfork_done)
		if (task_sleep(TASK_KILLABLE, DEADLINE_NONE) < 0)
			break;
	waitq_remove(&w);
	child->vfork_done = NULL;
}

/* A bad address is no error any more once the child exists (Linux does the same). */
static void write_parent_tid(const struct clone_request *rq, int tid)
{
	if ((rq->flags & CLONE_PARENT_SETTID) && put_user_u32(rq->parent_tid, (u32)tid) < 0)
		return;
}

static sysret_t do_clone(const struct clone_request *rq)
{
	struct task *t = NULL;
	int tid, r = check_flags(rq->flags);

	task_reap_dead();
	if (r == 0)
		r = check_limits();
	if (r == 0)
		r = copy_task(rq, &t);
	if (r < 0)
		return r;
	r = publish(t, rq);
	if (r < 0) {
		discard(t);
		return r;
	}
	tid = t->tid;
	write_parent_tid(rq, tid);
	task_ref(t);
	if (rq->flags & CLONE_VFORK)
		t->vfork_child = true;
	sched_start_fn(t, child_start);
	if (rq->flags & CLONE_VFORK)
		vfork_wait(t);
	task_unref(t);
	return tid;
}

sysret_t sys_clone(const struct sysargs *a)
{
	u64 flags = (u32)arg_u64(a, 0);
	struct clone_request rq = {
		.flags = flags & ~(u64)CSIGNAL & ~(u64)CLONE_DETACHED,
		.exit_signal = flags & CLONE_THREAD ? -1 : (int)(flags & CSIGNAL),
		.stack = arg_ptr(a, 1),
		.parent_tid = arg_ptr(a, 2),
		.child_tid = arg_ptr(a, 3),
		.tls = arg_u64(a, 4),
	};

	if (rq.exit_signal > _NSIG)
		return -EINVAL;
	return do_clone(&rq);
}

sysret_t sys_fork(const struct sysargs *a)
{
	struct clone_request rq = { .exit_signal = SIGCHLD };

	(void)a;
	return do_clone(&rq);
}

sysret_t sys_vfork(const struct sysargs *a)
{
	struct clone_request rq = { .flags = CLONE_VFORK | CLONE_VM, .exit_signal = SIGCHLD };

	(void)a;
	return do_clone(&rq);
}

/* A struct that may be shorter or longer than ours; what is beyond must be zero: clone3(2), "extensible". */
static int clone_args_from_user(struct linux_clone_args *ret, uptr_t addr, u64 size)
{
	u8 c;

	*ret = (struct linux_clone_args){ 0 };
	if (size > PAGE_SIZE)
		return -E2BIG;
	if (size < CLONE_ARGS_SIZE_VER0)
		return -EINVAL;
	for (u64 off = sizeof(*ret); off < size; off++) {
		if (copy_from_user(&c, addr + off, 1) < 0)
			return -EFAULT;
		if (c)
			return -E2BIG;
	}
	return copy_from_user(ret, addr, MIN(size, (u64)sizeof(*ret)));
}

static int check_clone3(const struct linux_clone_args *c)
{
	if (c->flags & ~0x3ffffffffull ||
	    (c->flags & (CLONE_DETACHED | (CSIGNAL & ~CLONE_NEWTIME))))
		return -EINVAL;
	if (c->exit_signal > _NSIG)
		return -EINVAL;
	if ((c->flags & (CLONE_THREAD | CLONE_PARENT)) && c->exit_signal)
		return -EINVAL;
	if (!c->stack != !c->stack_size || (c->stack && !user_range_ok(c->stack, c->stack_size)))
		return -EINVAL;
	if (c->set_tid || c->set_tid_size)
		return -EINVAL;
	return c->flags & CLONE_NEWTIME ? -EPERM : 0;
}

sysret_t sys_clone3(const struct sysargs *a)
{
	struct linux_clone_args c;
	struct clone_request rq;
	int r = clone_args_from_user(&c, arg_ptr(a, 0), arg_u64(a, 1));

	if (r == 0)
		r = check_clone3(&c);
	if (r < 0)
		return r;
	rq = (struct clone_request){
		.flags = c.flags,
		.exit_signal = c.flags & CLONE_THREAD ? -1 : (int)c.exit_signal,
		.stack = c.stack ? c.stack + c.stack_size : 0,
		.tls = c.tls,
		.parent_tid = c.parent_tid,
		.child_tid = c.child_tid,
	};
	return do_clone(&rq);
}
