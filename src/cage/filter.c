/* SPDX-License-Identifier: Apache-2.0 */
#include "cage/filter.h"

#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/platform.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ  22
#define MADV_POPULATE_WRITE 23
#endif

/*
 * The rules. A call without conditions is allowed whatever its arguments; several rows of one call are alternatives. Conditions
 * look at all 64 bits of an argument: bits above those that the host's kernel reads must be 0, as compilers leave them.
 *
 * What is not here on purpose: open and openat (openat2 does all of it; a filter cannot see openat2's flags, which are in memory, so
 * a monitor that was taken over may open what its mounts and Landlock leave it, in any way they leave it), every call that makes
 * a process, thread, socket, namespace, memory file or executable mapping, that looks at another process or sends it a signal,
 * and prctl: what the cage has set stays so.
 */
struct rule {
	int nr;
	unsigned int conditions;
	struct scmp_arg_cmp condition[3];
};

#define ANY(call)                    \
	{                            \
		.nr = SCMP_SYS(call) \
	}
#define WHEN(call, ...)                                                        \
	{                                                                      \
		.nr = SCMP_SYS(call),                                          \
		.conditions = sizeof((struct scmp_arg_cmp[]){ __VA_ARGS__ }) / \
			      sizeof(struct scmp_arg_cmp),                     \
		.condition = { __VA_ARGS__ },                                  \
	}
#define IS(n, value)                                                   \
	{                                                              \
		.arg = (n), .op = SCMP_CMP_EQ, .datum_a = (u64)(value) \
	}
/* No bit is set that is not in @bits. */
#define ONLY(n, bits)                                                                       \
	{                                                                                   \
		.arg = (n), .op = SCMP_CMP_MASKED_EQ, .datum_a = ~(u64)(bits), .datum_b = 0 \
	}
/* @value, with any of @bits. */
#define IS_BUT_FOR(n, value, bits)                                             \
	{                                                                      \
		.arg = (n), .op = SCMP_CMP_MASKED_EQ, .datum_a = ~(u64)(bits), \
		.datum_b = (u64)(value)                                        \
	}

#define FUTEX_FLAGS (FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME)

/* clang-format off */
static const struct rule rules[] = {
	/* ---- files, streams: src/monitor/hc_files.c, hc_paths.c, hc_streams.c ---- */
	ANY(openat2), /* every path below a view; reopening through /proc/self/fd */
	ANY(close), /* handles */
	ANY(read), /* streams, eventfd */
	ANY(write), /* streams, the log, eventfd */
	ANY(writev), /* the C library's last words: free(): invalid pointer */
	ANY(pread64), /* files; KVM's statistics */
	ANY(pwrite64), /* files */
	ANY(preadv2), /* streams, with RWF_NOWAIT */
	ANY(pwritev2), /* the same */
	/* Streams that are sockets. Without an address these are read and write that don't wait. */
	WHEN(recvfrom, IS(3, MSG_DONTWAIT), IS(4, 0), IS(5, 0)),
	/* Messages of the caller's process: monitor/channel.c. */
	WHEN(recvfrom, IS(3, MSG_DONTWAIT | MSG_TRUNC), IS(4, 0), IS(5, 0)),
	WHEN(sendto, IS(3, MSG_DONTWAIT | MSG_NOSIGNAL), IS(4, 0), IS(5, 0)),
	ANY(lseek), /* streams that are files; a directory from its start */
	ANY(ftruncate), /* HC_TRUNCATE, HC_SETATTR */
	ANY(fallocate), /* files; memory given back from the arena */
	ANY(fsync), /* HC_FSYNC */
	ANY(fdatasync), /* the same */
	ANY(getdents64), /* HC_GETDENTS */
	ANY(statx), /* HC_STAT, HC_FSTAT */
	ANY(fstat), /* what kind of file is to be opened or changed */
	WHEN(newfstatat, IS(3, AT_EMPTY_PATH)), /* fstat() of glibc 2.33 and later */
	ANY(fstatfs), /* HC_STATFS */
	ANY(readlinkat), /* HC_READLINK */
	/* HC_MKDIR, HC_UNLINK, HC_RENAME, HC_LINK, HC_SYMLINK, HC_MKNOD: names in a directory that was opened beneath a view. */
	ANY(mkdirat),
	WHEN(unlinkat, ONLY(2, AT_REMOVEDIR)),
	ANY(renameat2),
	ANY(renameat), /* renameat2() of glibc without flags */
	WHEN(linkat, IS(4, 0)),
	ANY(symlinkat),
	/* Never a device or a socket. */
	WHEN(mknodat, IS_BUT_FOR(2, S_IFREG, 07777)),
	WHEN(mknodat, IS_BUT_FOR(2, S_IFIFO, 07777)),
	WHEN(mknodat, ONLY(2, 07777)),
	/* HC_SETATTR; the mode of what a descriptor names through /proc/self/fd. */
	ANY(fchmodat),
	WHEN(fchownat, IS(4, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)),
	WHEN(utimensat, IS(3, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)),
	WHEN(fcntl, IS(1, F_DUPFD_CLOEXEC)), /* a root's own descriptor, for the empty path */
	ANY(poll), /* streams, without waiting */

	/* ---- terminals: tty_requests in hc_streams.c ---- */
	WHEN(ioctl, IS(1, TCGETS)),
	WHEN(ioctl, IS(1, TCSETS)),
	WHEN(ioctl, IS(1, TCSETSW)),
	WHEN(ioctl, IS(1, TCSETSF)),
	WHEN(ioctl, IS(1, TCGETS2)),
	WHEN(ioctl, IS(1, TCSETS2)),
	WHEN(ioctl, IS(1, TCSETSW2)),
	WHEN(ioctl, IS(1, TCSETSF2)),
	WHEN(ioctl, IS(1, TCFLSH)),
	WHEN(ioctl, IS(1, TIOCGWINSZ)),
	WHEN(ioctl, IS(1, TIOCOUTQ)),
	WHEN(ioctl, IS(1, FIONREAD)),

	/* ---- events and time: events.c, clock.c, watchdog.c, inject.c ---- */
	ANY(epoll_wait), /* the event loop */
	ANY(epoll_ctl), /* HC_WATCH */
	/* Where the vDSO cannot answer, and for CPU times of threads. */
	ANY(clock_gettime),
	ANY(clock_nanosleep), /* the watchdog, while a thread describes itself; injected events */
	ANY(nanosleep), /* nanosleep() of glibc before 2.31 */
	ANY(restart_syscall), /* a sleep or wait that SIGSTOP and SIGCONT came into */
	ANY(pause), /* CPU threads after the end */
	ANY(sched_yield), /* HC_YIELD; waiting for a vCPU to come out */
	WHEN(getrandom, IS(2, 0)), /* the sandbox's random numbers */

	/* ---- threads: mutexes, condition variables and semaphores of the C library, HC_IDLE; not PI, not requeueing ---- */
	WHEN(futex, IS_BUT_FOR(1, FUTEX_WAIT_BITSET, FUTEX_FLAGS)),
	WHEN(futex, IS_BUT_FOR(1, FUTEX_WAKE, FUTEX_FLAGS)),
	WHEN(futex, IS_BUT_FOR(1, FUTEX_WAIT, FUTEX_FLAGS)),
	/* The platform's global memory barrier. */
	WHEN(membarrier, IS(0, MEMBARRIER_CMD_PRIVATE_EXPEDITED), IS(1, 0)),
	WHEN(membarrier, IS(0, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED), IS(1, 0)),
	ANY(getpid), /* tgkill's first argument */
	ANY(gettid), /* a thread's first switch to user code; raise */
	ANY(exit), /* a CPU thread that has left the kernel */
	ANY(exit_group), /* the end */

	/* ---- signals; tgkill is added below, to this process only ---- */
	ANY(rt_sigreturn), /* kicks, SIGBUS, crash dumps */
	ANY(rt_sigprocmask), /* pthread_sigmask, raise, abort; asking whether memory is there (platform/guard.c) */
	ANY(rt_sigaction), /* abort; handing on a SIGBUS that is not ours */

	/* ---- memory: malloc, a thread's end, the arena. Nothing executable, no files, nothing at a given address ---- */
	ANY(brk), /* malloc */
	ANY(munmap), /* malloc; a thread's end */
	/* malloc; the C library's message when it aborts */
	WHEN(mmap, ONLY(2, PROT_READ | PROT_WRITE),
	     IS_BUT_FOR(3, MAP_PRIVATE | MAP_ANONYMOUS, MAP_NORESERVE)),
	WHEN(mprotect, ONLY(2, PROT_READ | PROT_WRITE)), /* HC_GUARD; malloc */
	WHEN(mremap, IS(3, MREMAP_MAYMOVE)), /* realloc */
	WHEN(madvise, IS(2, MADV_DONTNEED)), /* free; shadow pages dropped; a thread's stack */
	WHEN(madvise, IS(2, MADV_POPULATE_WRITE)), /* HC_POPULATE; asking whether memory is there */
	WHEN(madvise, IS(2, MADV_POPULATE_READ)),
	WHEN(madvise, IS(2, MADV_HUGEPAGE)), /* malloc with glibc.malloc.hugetlb set */
};
/* clang-format on */

/*
 * Refused with an error instead: malloc may ask for /proc/sys/vm/overcommit_memory when it gives memory back, and takes a
 * failure as an answer.
 */
static const struct rule refused[] = {
	WHEN(openat, IS_BUT_FOR(0, (u32)AT_FDCWD, 0xffffffff00000000), ONLY(2, O_CLOEXEC)),
};

#ifdef FILTER_TRAP
/* For developers: SIGSYS, whose handler (monitor/crash.c) names the call. It could be caught and ignored by an attacker. */
#define VIOLATION SCMP_ACT_TRAP
#else
#define VIOLATION SCMP_ACT_KILL_PROCESS
#endif

void filter_prepare(void)
{
	/*
	 * One heap for all threads. Another thread's first malloc() would ask for the number of CPUs (sched_getaffinity, or a file), and
	 * the monitor allocates too seldom to gain from more than one.
	 */
	mallopt(M_ARENA_MAX, 1);
}

static int set_attribute(scmp_filter_ctx ctx, enum scmp_filter_attr name, u32 value)
{
	return seccomp_attr_set(ctx, name, value);
}

static int add_rules(scmp_filter_ctx ctx, u32 action, const struct rule *r, size_t count)
{
	int e = 0;

	for (size_t i = 0; e == 0 && i < count; i++)
		e = seccomp_rule_add_array(ctx, action, r[i].nr, r[i].conditions, r[i].condition);
	return e;
}

/* @nr if argument @n is @value. */
static int add_equal(scmp_filter_ctx ctx, int nr, u32 n, u64 value)
{
	const struct scmp_arg_cmp equal = IS(n, value);

	return seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, nr, 1, &equal);
}

static bool in_base_set(int nr)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (rules[i].nr == nr)
			return true;
	return nr == SCMP_SYS(tgkill);
}

/* Its ioctls by number. A call that the base set has too stays bound to the conditions there. */
static int add_platform(scmp_filter_ctx ctx, const struct rf_platform *p)
{
	const struct rf_host_call *call;
	size_t count = rf_platform_host_filter(p, &call);
	int e = 0;

	for (size_t i = 0; e == 0 && i < count; i++) {
		if (call[i].arg1_is_ioctl)
			e = add_equal(ctx, SCMP_SYS(ioctl), 1, call[i].arg1);
		else if (!in_base_set(call[i].nr))
			e = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, call[i].nr, 0);
		if (e == -EEXIST) /* it is in the base set too */
			e = 0;
	}
	return e;
}

static int fill(scmp_filter_ctx ctx, const struct rf_platform *p)
{
	int e = set_attribute(ctx, SCMP_FLTATR_ACT_BADARCH, VIOLATION);

	if (e == 0)
		e = set_attribute(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
	/* What KVM_RUN and HC_IDLE cost is looked up first: see docs/security.md for what a filter costs. */
	if (e == 0)
		e = seccomp_syscall_priority(ctx, SCMP_SYS(ioctl), 255);
	if (e == 0)
		e = seccomp_syscall_priority(ctx, SCMP_SYS(futex), 254);
	if (e == 0)
		e = add_rules(ctx, SCMP_ACT_ALLOW, rules, ARRAY_SIZE(rules));
	if (e == 0)
		e = add_rules(ctx, SCMP_ACT_ERRNO(EACCES), refused, ARRAY_SIZE(refused));
	if (e == 0)
		e = add_equal(ctx, SCMP_SYS(tgkill), 0, (u64)getpid());
	return e ? e : add_platform(ctx, p);
}

static scmp_filter_ctx make(const struct rf_platform *p, struct rf_error *err)
{
	scmp_filter_ctx ctx = seccomp_init(VIOLATION);
	int e = ctx ? fill(ctx, p) : -ENOMEM;

	if (e == 0)
		return ctx;
	rf_error_set(err, e, "cannot build the system call filter: %s", strerror(-e));
	seccomp_release(ctx);
	return NULL;
}

int filter_available(struct rf_error *err)
{
	u32 action = SECCOMP_RET_KILL_PROCESS;

	if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0)
		return 0;
	return rf_error_set(
		err, -EOPNOTSUPP,
		"this host has no system call filters that end a process: Linux 4.14 or newer with CONFIG_SECCOMP_FILTER");
}

bool filter_killed(int wait_status)
{
	return WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGSYS;
}

/* With it every readable mapping would be executable too (personality(2)). */
static int drop_read_implies_exec(void)
{
	int now = personality(0xffffffff);

	if (now < 0 || !(now & READ_IMPLIES_EXEC))
		return 0;
	return personality((unsigned long)now & ~(unsigned long)READ_IMPLIES_EXEC) < 0 ? -errno : 0;
}

int filter_install(const struct rf_platform *p, struct rf_error *err)
{
	scmp_filter_ctx ctx;
	int e = filter_available(err);

	if (e)
		return e;
	ctx = make(p, err);
	if (!ctx)
		return err ? err->code : -EINVAL;
	e = drop_read_implies_exec();
	if (e == 0)
		e = seccomp_load(ctx);
	seccomp_release(ctx);
	return e ? rf_error_set(err, e, "cannot install the system call filter: %s", strerror(-e))
		 : 0;
}

int filter_export(const struct rf_platform *p, int fd, bool text, struct rf_error *err)
{
	scmp_filter_ctx ctx = make(p, err);
	int e;

	if (!ctx)
		return err ? err->code : -EINVAL;
	e = text ? seccomp_export_pfc(ctx, fd) : seccomp_export_bpf(ctx, fd);
	seccomp_release(ctx);
	return e ? rf_error_set(err, e, "cannot write the system call filter: %s", strerror(-e))
		 : 0;
}
