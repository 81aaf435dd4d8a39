/* SPDX-License-Identifier: Apache-2.0 */
/* Small system calls about the system and the calling thread. */
#include "abi/linux/misc.h"
#include "abi/linux/capability.h"
#include "abi/linux/errno.h"
#include "abi/linux/resource.h"
#include "abi/linux/sched.h"
#include "abi/linux/sysinfo.h"
#include "abi/linux/utsname.h"
#include "base/string.h"
#include "kernel/core/cpu.h"
#include "kernel/core/random.h"
#include "kernel/core/sched.h"
#include "kernel/fs/vfs.h"
#include "kernel/mm/page.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/proc.h"
#include "kernel/proc/signal.h"
#include "kernel/sys/syscall.h"
#include "kernel/sys/uts.h"

#define NS_PER_TICK  (NSEC_PER_SEC / USER_HZ)
#define RANDOM_CHUNK 512u
#define RANDOM_MAX   0x7ffff000ull /* bytes a call; as read(2) */

/* ---- names ---- */

static char hostname[__NEW_UTS_LEN + 1];
static char domainname[__NEW_UTS_LEN + 1] = "(none)";

const char *uts_hostname(void)
{
	if (!hostname[0]) {
		const char *s = boot_string(boot_config()->hostname);

		strlcpy(hostname, s && *s ? s : "ringfence", sizeof(hostname));
	}
	return hostname;
}

sysret_t sys_uname(const struct sysargs *a)
{
	struct linux_utsname u = { .sysname = UTS_SYSNAME,
				   .release = UTS_RELEASE,
				   .version = UTS_VERSION,
				   .machine = UTS_MACHINE };

	strlcpy(u.nodename, uts_hostname(), sizeof(u.nodename));
	strlcpy(u.domainname, domainname, sizeof(u.domainname));
	return copy_to_user(arg_ptr(a, 0), &u, sizeof(u));
}

static sysret_t set_name(char *dst, const struct sysargs *a)
{
	char name[__NEW_UTS_LEN + 1] = { 0 };
	s32 len = arg_int(a, 1);

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (len < 0 || len > __NEW_UTS_LEN)
		return -EINVAL;
	if (copy_from_user(name, arg_ptr(a, 0), (size_t)len) < 0)
		return -EFAULT;
	memcpy(dst, name, sizeof(name));
	return 0;
}

sysret_t sys_sethostname(const struct sysargs *a)
{
	return set_name(hostname, a);
}

sysret_t sys_setdomainname(const struct sysargs *a)
{
	return set_name(domainname, a);
}

/* ---- figures ---- */

sysret_t sys_sysinfo(const struct sysargs *a)
{
	struct linux_sysinfo s = { .mem_unit = 1, .procs = (u16)MIN(nr_tasks, 65535u) };
	u64 total, free;

	page_stats(&total, &free);
	s.uptime = (s64)(ktime_up() / NSEC_PER_SEC);
	s.totalram = total * PAGE_SIZE;
	s.freeram = free * PAGE_SIZE;
	return copy_to_user(arg_ptr(a, 0), &s, sizeof(s));
}

sysret_t sys_times(const struct sysargs *a)
{
	const struct process *p = current->proc;
	struct linux_tms t;
	u64 u, s;

	process_times(p, &u, &s);
	t.tms_utime = (s64)(u / NS_PER_TICK);
	t.tms_stime = (s64)(s / NS_PER_TICK);
	t.tms_cutime = (s64)(p->child_utime_ns / NS_PER_TICK);
	t.tms_cstime = (s64)(p->child_stime_ns / NS_PER_TICK);
	if (arg_ptr(a, 0) && copy_to_user(arg_ptr(a, 0), &t, sizeof(t)) < 0)
		return -EFAULT;
	return (s64)(ktime_boot() / NS_PER_TICK);
}

sysret_t sys_getrusage(const struct sysargs *a)
{
	struct linux_rusage r;

	switch (arg_int(a, 0)) {
	case RUSAGE_SELF:
		process_rusage(current->proc, &r);
		break;
	case RUSAGE_CHILDREN:
		process_rusage_children(current->proc, &r);
		break;
	case RUSAGE_THREAD:
		task_rusage(current, &r);
		break;
	default:
		return -EINVAL;
	}
	return copy_to_user(arg_ptr(a, 1), &r, sizeof(r));
}

sysret_t sys_getcpu(const struct sysargs *a)
{
	u32 cpu = (u32)this_cpu()->id;

	if (arg_ptr(a, 0) && put_user_u32(arg_ptr(a, 0), cpu) < 0)
		return -EFAULT;
	return arg_ptr(a, 1) ? put_user_u32(arg_ptr(a, 1), 0) : 0;
}

sysret_t sys_getrandom(const struct sysargs *a)
{
	uptr_t buf = arg_ptr(a, 0);
	u64 len = MIN(arg_u64(a, 1), (u64)RANDOM_MAX), done = 0;
	u32 flags = arg_u32(a, 2);
	u8 chunk[RANDOM_CHUNK];
	int r = 0;

	if (flags & ~(u32)(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE))
		return -EINVAL;
	if ((flags & GRND_RANDOM) && (flags & GRND_INSECURE))
		return -EINVAL;
	while (done < len) {
		size_t n = MIN(len - done, (u64)sizeof(chunk)), got;

		random_bytes(chunk, n);
		got = copy_to_user_partial(buf + done, chunk, n);
		done += got;
		if (got < n) {
			r = done ? 0 : -EFAULT;
			break;
		}
		if (done % PAGE_SIZE == 0 && signal_pending(current))
			break;
	}
	memset(chunk, 0, sizeof(chunk));
	return r < 0 ? r : (s64)done;
}

/* ---- threads and processes ---- */

sysret_t sys_getpid(const struct sysargs *a)
{
	(void)a;
	return current->proc->pid;
}

sysret_t sys_gettid(const struct sysargs *a)
{
	(void)a;
	return current->tid;
}

sysret_t sys_getppid(const struct sysargs *a)
{
	(void)a;
	return current->proc->ppid;
}

sysret_t sys_set_tid_address(const struct sysargs *a)
{
	current->clear_child_tid = arg_ptr(a, 0);
	return current->tid;
}

sysret_t sys_restart_syscall(const struct sysargs *a)
{
	struct task *t = current;

	(void)a;
	return t->restart ? (s64)t->restart(t) : -EINTR;
}

/* 0xffffffff only asks. */
sysret_t sys_personality(const struct sysargs *a)
{
	u32 old = current->personality;

	if (arg_u32(a, 0) != 0xffffffffu)
		current->personality = arg_u32(a, 0);
	return old;
}

/* No namespaces; what threads share by clone(2) can be taken apart. */
sysret_t sys_unshare(const struct sysargs *a)
{
	u64 flags = arg_u64(a, 0);
	const u64 alone = CLONE_THREAD | CLONE_SIGHAND | CLONE_VM,
		  plain = CLONE_FS | CLONE_FILES | CLONE_SYSVSEM;
	struct task *t = current;

	if (flags & ~(alone | plain | CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
		      CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWTIME))
		return -EINVAL;
	if (flags & ~(alone | plain))
		return -EPERM;
	if ((flags & alone) && t->proc->nr_threads > 1)
		return -EINVAL;
	if ((flags & CLONE_FS) && t->fs->refs > 1) {
		struct fs_context *fs;
		int r = fs_context_dup(t->fs, &fs);

		if (r < 0)
			return r;
		fs_context_unref(t->fs);
		t->fs = fs;
	}
	return flags & CLONE_FILES ? fdtable_unshare(&t->files) : 0;
}
