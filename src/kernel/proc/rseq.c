/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/proc/rseq.h"

#include "abi/linux/errno.h"
#include "abi/linux/misc.h"
#include "abi/linux/sched.h"
#include "abi/linux/signal.h"
#include "kernel/core/cpu.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sys/syscall.h"

/* What resume looks at, in one piece. */
struct rseq_head {
	u32 cpu_id_start, cpu_id;
	u64 rseq_cs;
};
static_assert(offsetof(struct linux_rseq, rseq_cs) == offsetof(struct rseq_head, rseq_cs), "ABI");

#define RSEQ_FIELD(t, field) ((t)->rseq + offsetof(struct linux_rseq, field))

static int write_cpu_ids(const struct task *t, u32 start, u32 id)
{
	const u32 ids[2] = { start, id };

	return copy_to_user(RSEQ_FIELD(t, cpu_id_start), ids, sizeof(ids));
}

static bool section_plausible(const struct linux_rseq_cs *cs)
{
	const u64 end = cs->start_ip + cs->post_commit_offset;

	return cs->version == 0 && cs->start_ip < RF_MAX_USER_ADDRESS &&
	       end < RF_MAX_USER_ADDRESS && end >= cs->start_ip &&
	       cs->abort_ip < RF_MAX_USER_ADDRESS &&
	       cs->abort_ip - cs->start_ip >= cs->post_commit_offset;
}

/* The descriptor at addr, checked as Linux does, the signature in front of its abort handler included. */
static int section_read(const struct task *t, uptr_t addr, struct linux_rseq_cs *ret)
{
	u32 sig;

	if (addr >= RF_MAX_USER_ADDRESS)
		return -EINVAL;
	if (copy_from_user(ret, addr, sizeof(*ret)) < 0)
		return -EFAULT;
	if (!section_plausible(ret))
		return -EINVAL;
	if (get_user_u32(&sig, ret->abort_ip - sizeof(sig)) < 0)
		return -EFAULT;
	return sig == t->rseq_sig ? 0 : -EINVAL;
}

/* Flags once asked not to restart; since Linux 6.1 any of them is an error. */
static int flags_check(const struct task *t, const struct linux_rseq_cs *cs)
{
	u32 flags;

	if (get_user_u32(&flags, RSEQ_FIELD(t, flags)) < 0)
		return -EFAULT;
	return flags || cs->flags ? -EINVAL : 0;
}

/* A section that user code is not in is only forgotten; one that it is in goes on at its abort handler. */
static int section_leave(struct task *t, uptr_t addr, bool restart)
{
	struct linux_rseq_cs cs;
	int r = section_read(t, addr, &cs);
	bool inside = r == 0 && t->regs.rip - cs.start_ip < cs.post_commit_offset;

	if (inside)
		r = flags_check(t, &cs);
	if (r < 0 || (inside && !restart))
		return r;
	r = put_user_u64(RSEQ_FIELD(t, rseq_cs), 0);
	if (r == 0 && inside)
		t->regs.rip = cs.abort_ip;
	return r;
}

/* Leaves the area alone where it says already what it must: true of most switches. */
static int resume(struct task *t, bool restart)
{
	struct rseq_head head;
	u32 id;

	if (copy_from_user(&head, t->rseq, sizeof(head)) < 0)
		return -EFAULT;
	if (head.rseq_cs && section_leave(t, head.rseq_cs, restart) < 0)
		return -EFAULT;
	/* Should the copy sleep and wake elsewhere, rseq_due is set again. */
	id = (u32)this_cpu()->id;
	return head.cpu_id == id && head.cpu_id_start == id ? 0 : write_cpu_ids(t, id, id);
}

void rseq_resume(struct task *t)
{
	u8 due = t->rseq_due;

	t->rseq_due = 0;
	if (t->rseq && resume(t, due & RSEQ_DUE_RESTART) < 0)
		signal_force(SIGSEGV);
}

void rseq_signal(struct task *t, int sig)
{
	t->rseq_due = 0;
	if (!t->rseq || resume(t, true) == 0)
		return;
	if (sig != SIGSEGV) {
		signal_force(SIGSEGV);
		return;
	}
	/* The handler runs once, with the signal blocked; the one that waits behind it is the end. */
	t->sighand->action[SIGSEGV - 1].sa_handler = SIG_DFL;
	t->blocked |= SIGSET_BIT(SIGSEGV);
	signal_send_task(t, SIGSEGV, NULL);
}

void rseq_fork(struct task *child, const struct task *parent, u64 flags)
{
	if (flags & CLONE_VM)
		return;
	child->rseq = parent->rseq;
	child->rseq_sig = parent->rseq_sig;
	rseq_note(child);
}

void rseq_exec(struct task *t)
{
	t->rseq = 0;
	t->rseq_sig = 0;
	t->rseq_due = 0;
}

static sysret_t rseq_unregister(struct task *t, uptr_t addr, u32 len, u32 sig)
{
	if (!t->rseq || t->rseq != addr || len != sizeof(struct linux_rseq))
		return -EINVAL;
	if (t->rseq_sig != sig)
		return -EPERM;
	if (write_cpu_ids(t, 0, RSEQ_CPU_ID_UNINITIALIZED) < 0)
		return -EFAULT;
	rseq_exec(t);
	return 0;
}

static sysret_t rseq_register_again(const struct task *t, uptr_t addr, u32 len, u32 sig)
{
	if (t->rseq != addr || len != sizeof(struct linux_rseq))
		return -EINVAL;
	return t->rseq_sig != sig ? -EPERM : -EBUSY;
}

sysret_t sys_rseq(const struct sysargs *a)
{
	struct task *t = current;
	uptr_t addr = arg_ptr(a, 0);
	u32 len = arg_u32(a, 1), flags = arg_u32(a, 2), sig = arg_u32(a, 3);

	if (flags == RSEQ_FLAG_UNREGISTER)
		return rseq_unregister(t, addr, len, sig);
	if (flags)
		return -EINVAL;
	if (t->rseq)
		return rseq_register_again(t, addr, len, sig);
	if (!IS_ALIGNED(addr, _Alignof(struct linux_rseq)) || len != sizeof(struct linux_rseq))
		return -EINVAL;
	if (!user_range_ok(addr, len))
		return -EFAULT;
	t->rseq = addr;
	t->rseq_sig = sig;
	t->rseq_due = RSEQ_DUE_UPDATE;
	return 0;
}
