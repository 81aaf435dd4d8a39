/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lets system calls read and write the kernel's memory for it: as buffers, paths, vectors, structures, futexes, addresses of results.
 * Stopped by: every pointer is checked against the end of the program's addresses before it is used.
 * Escape-Expect: stopped: EFAULT from read
 * Escape-Expect: stopped: EFAULT from write
 * Escape-Expect: stopped: EFAULT from readv
 * Escape-Expect: stopped: EFAULT from writev
 * Escape-Expect: stopped: EFAULT from readv of a vector there
 * Escape-Expect: stopped: EFAULT from pread
 * Escape-Expect: stopped: EFAULT from open
 * Escape-Expect: stopped: EFAULT from stat
 * Escape-Expect: stopped: EFAULT from readlink
 * Escape-Expect: stopped: EFAULT from getcwd
 * Escape-Expect: stopped: EFAULT from uname
 * Escape-Expect: stopped: EFAULT from sysinfo
 * Escape-Expect: stopped: EFAULT from getrandom
 * Escape-Expect: stopped: EFAULT from clock_gettime
 * Escape-Expect: stopped: EFAULT from clock_gettime of CPU time
 * Escape-Expect: stopped: EFAULT from futex wait
 * Escape-Expect: stopped: EFAULT from futex wake-op
 * Escape-Expect: stopped: EFAULT from execve
 * Escape-Expect: stopped: EFAULT from execve's arguments
 * Escape-Expect: stopped: EFAULT from rt_sigaction
 * Escape-Expect: stopped: EFAULT from rt_sigaction, old
 * Escape-Expect: stopped: EFAULT from rt_sigprocmask
 * Escape-Expect: stopped: EFAULT from sigaltstack
 * Escape-Expect: stopped: EFAULT from getrlimit
 * Escape-Expect: stopped: EFAULT from getrusage
 * Escape-Expect: stopped: EFAULT from times
 * Escape-Expect: stopped: EFAULT from pipe
 * Escape-Expect: stopped: EFAULT from poll
 * Escape-Expect: stopped: EFAULT from epoll_ctl
 * Escape-Expect: stopped: EFAULT from getdents64
 * Escape-Expect: stopped: EFAULT from sched_getaffinity
 * Escape-Expect: stopped: EFAULT from prlimit64
 * Escape-Expect: stopped: EFAULT from socketpair
 * Escape-Expect: stopped: EFAULT from ioctl FIONREAD
 * Escape-Expect: stopped: EFAULT from splice's offset
 * Escape-Expect: stopped: EINVAL from rseq
 * Escape-Expect: stopped: EFAULT from set_robust_list
 * Escape-Expect: stopped: EFAULT from mincore
 * Escape-Expect: stopped: EFAULT from read
 * Escape-Expect: stopped: EFAULT from write
 * Escape-Expect: stopped: EFAULT from readv
 * Escape-Expect: stopped: EFAULT from writev
 * Escape-Expect: stopped: EFAULT from readv of a vector there
 * Escape-Expect: stopped: EFAULT from pread
 * Escape-Expect: stopped: EFAULT from open
 * Escape-Expect: stopped: EFAULT from stat
 * Escape-Expect: stopped: EFAULT from readlink
 * Escape-Expect: stopped: EFAULT from getcwd
 * Escape-Expect: stopped: EFAULT from uname
 * Escape-Expect: stopped: EFAULT from sysinfo
 * Escape-Expect: stopped: EFAULT from getrandom
 * Escape-Expect: stopped: EFAULT from clock_gettime
 * Escape-Expect: stopped: EFAULT from clock_gettime of CPU time
 * Escape-Expect: stopped: EFAULT from futex wait
 * Escape-Expect: stopped: EFAULT from futex wake-op
 * Escape-Expect: stopped: EFAULT from execve
 * Escape-Expect: stopped: EFAULT from execve's arguments
 * Escape-Expect: stopped: EFAULT from rt_sigaction
 * Escape-Expect: stopped: EFAULT from rt_sigaction, old
 * Escape-Expect: stopped: EFAULT from rt_sigprocmask
 * Escape-Expect: stopped: EFAULT from sigaltstack
 * Escape-Expect: stopped: EFAULT from getrlimit
 * Escape-Expect: stopped: EFAULT from getrusage
 * Escape-Expect: stopped: EFAULT from times
 * Escape-Expect: stopped: EFAULT from pipe
 * Escape-Expect: stopped: EFAULT from poll
 * Escape-Expect: stopped: EFAULT from epoll_ctl
 * Escape-Expect: stopped: EFAULT from getdents64
 * Escape-Expect: stopped: EFAULT from sched_getaffinity
 * Escape-Expect: stopped: EFAULT from prlimit64
 * Escape-Expect: stopped: EFAULT from socketpair
 * Escape-Expect: stopped: EFAULT from ioctl FIONREAD
 * Escape-Expect: stopped: EFAULT from splice's offset
 * Escape-Expect: stopped: EINVAL from rseq
 * Escape-Expect: stopped: EFAULT from set_robust_list
 * Escape-Expect: stopped: EFAULT from mincore
 * Escape-Expect: stopped: EFAULT from a buffer across the end
 * Escape-Expect: stopped: EFAULT from a length around the end
 */
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/sysinfo.h>
#include <sys/times.h>
#include <sys/uio.h>

#include "escape/escape.h"

static void try_pointers(void *p)
{
	struct iovec v = { p, 64 };
	int zero = OK(open("/dev/zero", O_RDWR)), pair[2];

	OK(pipe(pair));
	REFUSED("read", read(zero, p, 64));
	REFUSED("write", write(pair[1], p, 64));
	REFUSED("readv", readv(zero, &v, 1));
	REFUSED("writev", writev(pair[1], &v, 1));
	REFUSED("readv of a vector there", readv(zero, p, 1));
	REFUSED("pread", pread(zero, p, 64, 0));
	REFUSED("open", open(p, O_RDONLY));
	REFUSED("stat", syscall(SYS_stat, "/", p));
	REFUSED("readlink", readlink("/proc/self/exe", p, 64));
	REFUSED("getcwd", syscall(SYS_getcwd, p, 64));
	REFUSED("uname", uname(p));
	REFUSED("sysinfo", sysinfo(p));
	REFUSED("getrandom", syscall(SYS_getrandom, p, 64, 0));
	REFUSED("clock_gettime", syscall(SYS_clock_gettime, CLOCK_MONOTONIC, p));
	REFUSED("clock_gettime of CPU time",
		syscall(SYS_clock_gettime, CLOCK_THREAD_CPUTIME_ID, p));
	REFUSED("futex wait", syscall(SYS_futex, p, 0, 0, NULL, NULL, 0));
	REFUSED("futex wake-op", syscall(SYS_futex, p, 5, 1, 1, p, 0));
	REFUSED("execve", execve(p, p, NULL));
	REFUSED("execve's arguments", execve("/bin/true", p, NULL));
	REFUSED("rt_sigaction", syscall(SYS_rt_sigaction, SIGUSR1, p, NULL, 8));
	REFUSED("rt_sigaction, old", syscall(SYS_rt_sigaction, SIGUSR1, NULL, p, 8));
	REFUSED("rt_sigprocmask", syscall(SYS_rt_sigprocmask, 0, NULL, p, 8));
	REFUSED("sigaltstack", syscall(SYS_sigaltstack, p, NULL));
	REFUSED("getrlimit", syscall(SYS_getrlimit, 0, p));
	REFUSED("getrusage", syscall(SYS_getrusage, 0, p));
	REFUSED("times", syscall(SYS_times, p));
	REFUSED("pipe", syscall(SYS_pipe, p));
	REFUSED("poll", syscall(SYS_poll, p, 1, 0));
	REFUSED("epoll_ctl", syscall(SYS_epoll_ctl, OK(epoll_create1(0)), 1, pair[0], p));
	REFUSED("getdents64", syscall(SYS_getdents64, OK(open("/", O_RDONLY)), p, 4096));
	REFUSED("sched_getaffinity", syscall(SYS_sched_getaffinity, 0, 128, p));
	REFUSED("prlimit64", syscall(SYS_prlimit64, 0, 0, NULL, p));
	REFUSED("socketpair", syscall(SYS_socketpair, 1, 1, 0, p));
	REFUSED("ioctl FIONREAD", syscall(SYS_ioctl, pair[0], 0x541b, p));
	REFUSED("splice's offset", syscall(SYS_splice, zero, p, pair[1], NULL, 1, 0));
	REFUSED("rseq", syscall(SYS_rseq, p, 32, 0, 0x53053053));
	REFUSED("set_robust_list",
		syscall(SYS_set_robust_list, p, 24) ?: syscall(SYS_read, zero, p, 1));
	REFUSED("mincore", syscall(SYS_mincore, (uintptr_t)&main & ~(PAGE - 1), PAGE, p));
	close(zero);
	close(pair[0]);
	close(pair[1]);
}

void attempt(void)
{
	syscall(SYS_set_robust_list, NULL, 24);
	try_pointers((void *)(ARENA + 0x1000));
	try_pointers((void *)0xffffffff80000000);
	/* The last pages below the end are nobody's; the length leads beyond. */
	REFUSED("a buffer across the end",
		read(OK(open("/dev/zero", O_RDONLY)), (char *)USER_END - 8, 64));
	REFUSED("a length around the end",
		syscall(SYS_read, OK(open("/dev/zero", O_RDONLY)), PAGE, -PAGE));
}
