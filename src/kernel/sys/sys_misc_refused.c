/* SPDX-License-Identifier: Apache-2.0 */
/* What an unprivileged container is refused, and so is everybody here: the machine and other sandboxes are out of reach. */
#include "abi/linux/errno.h"
#include "kernel/sys/syscall.h"

#define REFUSED(name)                                \
	sysret_t sys_##name(const struct sysargs *a) \
	{                                            \
		(void)a;                             \
		return -EPERM;                       \
	}
REFUSED(ptrace)
REFUSED(syslog)
REFUSED(bpf)
REFUSED(perf_event_open)
REFUSED(userfaultfd)
REFUSED(reboot)
REFUSED(acct)
REFUSED(swapon)
REFUSED(swapoff)
REFUSED(iopl)
REFUSED(ioperm)
REFUSED(init_module)
REFUSED(finit_module)
REFUSED(delete_module)
REFUSED(kexec_load)
REFUSED(kexec_file_load)
REFUSED(quotactl)
REFUSED(quotactl_fd)
REFUSED(setns)
REFUSED(vhangup)
REFUSED(open_by_handle_at)
REFUSED(kcmp)
REFUSED(fanotify_init)
REFUSED(lookup_dcookie)
