/* SPDX-License-Identifier: Apache-2.0 */
/* prctl(2), arch_prctl(2). */
#include "abi/linux/prctl.h"

#include "abi/linux/capability.h"
#include "abi/linux/errno.h"
#include "abi/linux/signal.h"
#include "base/string.h"
#include "kernel/core/cpu.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/proc.h"
#include "kernel/sys/syscall.h"

#define TIMER_SLACK_DEFAULT         50000
#define ANON_NAME_MAX               80
#define SECBIT_KEEP_CAPS            (1u << 4)
#define SECBITS_ALL                 0xffu
#define SECBITS_LOCKED              0xaau
#define SECBIT_NO_CAP_AMBIENT_RAISE (1u << 6)

static sysret_t set_name(uptr_t addr)
{
	char name[TASK_COMM_LEN] = { 0 };
	s64 n = strncpy_from_user(name, addr, sizeof(name));

	/* Too long a name is cut. */
	if (n == -ENAMETOOLONG)
		n = copy_from_user(name, addr, sizeof(name) - 1);
	if (n < 0)
		return -EFAULT;
	name[sizeof(name) - 1] = 0;
	memcpy(current->comm, name, sizeof(name));
	return 0;
}

static sysret_t drop_bounding(u64 cap)
{
	struct cred *c;

	if (!capable(CAP_SETPCAP))
		return -EPERM;
	if (cap > CAP_LAST_CAP)
		return -EINVAL;
	c = cred_copy(current->cred);
	if (!c)
		return -ENOMEM;
	c->cap_bounding &= ~(1ull << cap);
	cred_commit(c);
	return 0;
}

static sysret_t set_securebits(u64 bits)
{
	u32 old = current->cred->securebits;
	struct cred *c;

	if (bits & ~(u64)SECBITS_ALL)
		return -EPERM;
	/* A lock bit stays, and so does the bit below it. */
	if ((old & SECBITS_LOCKED & ~bits) || (((old & SECBITS_LOCKED) >> 1) & (old ^ bits)) ||
	    !capable(CAP_SETPCAP))
		return -EPERM;
	c = cred_copy(current->cred);
	if (!c)
		return -ENOMEM;
	c->securebits = (u32)bits;
	cred_commit(c);
	return 0;
}

static sysret_t cap_ambient(u64 op, u64 cap)
{
	const struct cred *old = current->cred;
	u64 bit = cap <= CAP_LAST_CAP ? 1ull << cap : 0;
	struct cred *c;

	if (op == PR_CAP_AMBIENT_CLEAR_ALL ? cap != 0 : !bit)
		return -EINVAL;
	if (op == PR_CAP_AMBIENT_IS_SET)
		return !!(old->cap_ambient & bit);
	if (op != PR_CAP_AMBIENT_RAISE && op != PR_CAP_AMBIENT_LOWER &&
	    op != PR_CAP_AMBIENT_CLEAR_ALL)
		return -EINVAL;
	if (op == PR_CAP_AMBIENT_RAISE && (!(old->cap_permitted & old->cap_inheritable & bit) ||
					   (old->securebits & SECBIT_NO_CAP_AMBIENT_RAISE)))
		return -EPERM;
	c = cred_copy(old);
	if (!c)
		return -ENOMEM;
	if (op == PR_CAP_AMBIENT_RAISE)
		c->cap_ambient |= bit;
	else
		c->cap_ambient &= op == PR_CAP_AMBIENT_LOWER ? ~bit : 0;
	cred_commit(c);
	return 0;
}

static sysret_t prctl_capabilities(int op, u64 a2, u64 a3, u64 a4, u64 a5)
{
	struct process *p = current->proc;

	switch (op) {
	case PR_GET_KEEPCAPS:
		return p->keep_caps;
	case PR_SET_KEEPCAPS:
		if (a2 > 1)
			return -EINVAL;
		p->keep_caps = a2;
		return 0;
	case PR_CAPBSET_READ:
		return a2 > CAP_LAST_CAP ? -EINVAL : (s64)(current->cred->cap_bounding >> a2 & 1);
	case PR_CAPBSET_DROP:
		return drop_bounding(a2);
	case PR_GET_SECUREBITS:
		return current->cred->securebits | (p->keep_caps ? SECBIT_KEEP_CAPS : 0);
	case PR_SET_SECUREBITS:
		return set_securebits(a2);
	default: /* PR_CAP_AMBIENT */
		return a4 || a5 ? -EINVAL : cap_ambient(a2, a3);
	}
}

static sysret_t prctl_thread(int op, u64 a2, u64 a3, u64 a4, u64 a5)
{
	struct task *t = current;

	switch (op) {
	case PR_SET_PDEATHSIG:
		if (a2 > _NSIG)
			return -EINVAL;
		t->pdeath_signal = (int)a2;
		return 0;
	case PR_GET_PDEATHSIG:
		return put_user_u32(a2, (u32)t->pdeath_signal);
	case PR_SET_NAME:
		return set_name(a2);
	case PR_GET_NAME:
		return copy_to_user(a2, t->comm, sizeof(t->comm));
	case PR_GET_DUMPABLE:
		return !t->dumpable_off;
	case PR_SET_DUMPABLE:
		if (a2 > 1)
			return -EINVAL;
		t->dumpable_off = !a2;
		return 0;
	case PR_SET_NO_NEW_PRIVS:
		if (a2 != 1 || a3 || a4 || a5)
			return -EINVAL;
		t->no_new_privs = true;
		return 0;
	case PR_GET_NO_NEW_PRIVS:
		return a2 || a3 || a4 || a5 ? -EINVAL : t->no_new_privs;
	case PR_SET_TIMERSLACK:
		t->timer_slack_ns = (s64)a2 <= 0 ? TIMER_SLACK_DEFAULT : a2;
		return 0;
	case PR_GET_TIMERSLACK:
		return (s64)t->timer_slack_ns;
	default: /* PR_GET_TID_ADDRESS */
		return put_user_u64(a2, t->clear_child_tid);
	}
}

/* The name is checked and then of no use: nothing shows it yet. */
static sysret_t set_vma_name(u64 sub, u64 addr, u64 len, uptr_t name)
{
	char buf[ANON_NAME_MAX];
	s64 n;

	if (sub != PR_SET_VMA_ANON_NAME || addr % PAGE_SIZE || !user_range_ok(addr, len))
		return -EINVAL;
	if (!name)
		return 0;
	n = strncpy_from_user(buf, name, sizeof(buf));
	if (n < 0)
		return n == -ENAMETOOLONG ? -EINVAL : n;
	for (; n > 0; n--)
		if (buf[n - 1] < 0x20 || buf[n - 1] > 0x7e || strchr("\\`$[]", buf[n - 1]))
			return -EINVAL;
	return 0;
}

/*
 * What speculates does so, and no task can change it: one sandbox is one domain of trust (docs/speculation.md). PR_SPEC_PRCTL is not
 * set, which says that PR_SET is refused (prctl(2)).
 */
static sysret_t prctl_speculation(bool set, u64 which, u64 value, u64 a4, u64 a5)
{
	if (a4 || a5 || (!set && value))
		return -EINVAL;
	switch (which) {
	case PR_SPEC_STORE_BYPASS:
	case PR_SPEC_INDIRECT_BRANCH:
		return set ? -ENXIO : PR_SPEC_ENABLE;
	case PR_SPEC_L1D_FLUSH: /* no flush is ever made */
		return set ? -EPERM : PR_SPEC_FORCE_DISABLE;
	default:
		return -ENODEV;
	}
}

sysret_t sys_prctl(const struct sysargs *a)
{
	int op = arg_int(a, 0);
	u64 a2 = arg_u64(a, 1), a3 = arg_u64(a, 2), a4 = arg_u64(a, 3), a5 = arg_u64(a, 4);

	switch (op) {
	case PR_SET_PDEATHSIG:
	case PR_GET_PDEATHSIG:
	case PR_SET_NAME:
	case PR_GET_NAME:
	case PR_GET_DUMPABLE:
	case PR_SET_DUMPABLE:
	case PR_SET_NO_NEW_PRIVS:
	case PR_GET_NO_NEW_PRIVS:
	case PR_SET_TIMERSLACK:
	case PR_GET_TIMERSLACK:
	case PR_GET_TID_ADDRESS:
		return prctl_thread(op, a2, a3, a4, a5);
	case PR_GET_KEEPCAPS:
	case PR_SET_KEEPCAPS:
	case PR_CAPBSET_READ:
	case PR_CAPBSET_DROP:
	case PR_GET_SECUREBITS:
	case PR_SET_SECUREBITS:
	case PR_CAP_AMBIENT:
		return prctl_capabilities(op, a2, a3, a4, a5);
	case PR_SET_CHILD_SUBREAPER:
		current->proc->child_subreaper = a2;
		return 0;
	case PR_GET_CHILD_SUBREAPER:
		return put_user_u32(a2, current->proc->child_subreaper);
	case PR_GET_TSC:
		return put_user_u32(a2, PR_TSC_ENABLE);
	case PR_SET_TSC:
		return a2 == PR_TSC_ENABLE ? 0 : -EINVAL;
	case PR_GET_TIMING:
	case PR_GET_THP_DISABLE:
	case PR_GET_SECCOMP:
		return 0;
	case PR_SET_TIMING:
		return a2 ? -EINVAL : 0;
	case PR_SET_THP_DISABLE:
		return a3 || a4 || a5 ? -EINVAL : 0;
	case PR_SET_VMA:
		return set_vma_name(a2, a3, a4, a5);
	case PR_GET_SPECULATION_CTRL:
		return prctl_speculation(false, a2, a3, a4, a5);
	case PR_SET_SPECULATION_CTRL:
		return prctl_speculation(true, a2, a3, a4, a5);
	case PR_SET_MM:
		return capable(CAP_SYS_RESOURCE) ? -EINVAL : -EPERM;
	default:
		return -EINVAL;
	}
}

sysret_t sys_arch_prctl(const struct sysargs *a)
{
	struct rf_regs *regs = &current->regs;
	u64 v = arg_u64(a, 1);

	switch (arg_int(a, 0)) {
	case ARCH_SET_FS:
	case ARCH_SET_GS:
		if (v >= RF_MAX_USER_ADDRESS)
			return -EPERM;
		*(arg_int(a, 0) == ARCH_SET_FS ? &regs->fs_base : &regs->gs_base) = v;
		return 0;
	case ARCH_GET_FS:
		return put_user_u64(v, regs->fs_base);
	case ARCH_GET_GS:
		return put_user_u64(v, regs->gs_base);
	case ARCH_GET_CPUID:
		return 1;
	case ARCH_SET_CPUID:
		return v ? 0 : -ENODEV;
	default:
		return -EINVAL;
	}
}
