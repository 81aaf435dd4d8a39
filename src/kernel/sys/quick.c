/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Quick system calls: those that only read what belongs to the calling task.
 *
 * entry_syscall calls them between two SWAPGS with nothing saved, so they keep all registers but RAX. To everybody else the CPU has
 * not left user mode: in_user stays 1 and the kernel lock is not taken. That is safe because such a call
 *	- touches no user memory and no page that another CPU could take away: a TLB shootdown that waits for this CPU waits a few
 *	  instructions longer;
 *	- ends in user mode at once: the vector of a kick, held back while IF = 0, arrives right after SYSRET, as if it had come a
 *	  few instructions later;
 *	- reads only fields that the task itself writes (tid, pid, credentials: a struct cred never changes once it is shared), or a
 *	  single word that others store in one piece (ppid).
 */
#include "abi/linux/syscall_nr.h"
#include "kernel/core/cpu.h"
#include "kernel/proc/task.h"
#include "kernel/sys/syscall.h"

#define QUICK(name, value)                                                             \
	static __hot __attribute__((no_caller_saved_registers)) s64 quick_##name(void) \
	{                                                                              \
		const struct task *t = current;                                        \
                                                                                       \
		cpu_count_syscall();                                                   \
		return value;                                                          \
	}

QUICK(getpid, t->proc->pid)
QUICK(gettid, t->tid)
QUICK(getppid, READ_ONCE(t->proc->ppid))
QUICK(getuid, t->cred->uid)
QUICK(geteuid, t->cred->euid)
QUICK(getgid, t->cred->gid)
QUICK(getegid, t->cred->egid)

#define ROW(name) [NR_##name] = (quick_call_fn)quick_##name
const quick_call_fn syscall_quick[SYSCALL_QUICK_SIZE] = {
	ROW(getpid),  ROW(gettid), ROW(getppid), ROW(getuid),
	ROW(geteuid), ROW(getgid), ROW(getegid),
};
static_assert(SYSCALL_MAX <= SYSCALL_QUICK_SIZE, "every number has an entry");
