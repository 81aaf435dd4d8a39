/* SPDX-License-Identifier: Apache-2.0 */
/* EFAULT: calls with pointers to nowhere, to kernel memory, and across the end of a mapping. */
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/uio.h>
#include <sys/utsname.h>

#include "guest/guest.h"

static const char *what;

static void expect(long result, long error)
{
	long got = result == -1 ? errno : 0;

	if (got != error)
		FAIL("%s: result %ld", what, result);
}

static void try_all(const char *kind, void *bad)
{
	int zero = OK(open("/dev/zero", O_RDWR)), ends[2];
	long p = (long)bad;

	what = kind;
	OK(pipe(ends));
	expect(syscall(SYS_read, zero, p, 100), EFAULT);
	expect(syscall(SYS_write, ends[1], p, 100), EFAULT);
	expect(syscall(SYS_open, p, 0), EFAULT);
	expect(syscall(SYS_stat, "/", p), EFAULT);
	expect(syscall(SYS_stat, p, p), EFAULT);
	expect(syscall(SYS_fstat, zero, p), EFAULT);
	expect(syscall(SYS_lstat, "/", p), EFAULT);
	expect(syscall(SYS_poll, p, 2, 0), EFAULT);
	expect(syscall(SYS_rt_sigaction, SIGUSR1, p, 0, 8), EFAULT);
	expect(syscall(SYS_rt_sigaction, SIGUSR1, 0, p, 8), EFAULT);
	expect(syscall(SYS_rt_sigprocmask, SIG_BLOCK, p, 0, 8), EFAULT);
	expect(syscall(SYS_rt_sigprocmask, SIG_BLOCK, 0, p, 8), EFAULT);
	expect(syscall(SYS_rt_sigpending, p, 8), EFAULT);
	expect(syscall(SYS_rt_sigsuspend, p, 8), EFAULT);
	expect(syscall(SYS_sigaltstack, p, 0), EFAULT);
	expect(syscall(SYS_readv, zero, p, 2), EFAULT);
	expect(syscall(SYS_writev, zero, p, 2), EFAULT);
	expect(syscall(SYS_access, p, 0), EFAULT);
	expect(syscall(SYS_pipe, p), EFAULT);
	expect(syscall(SYS_select, 5, p, 0, 0, 0), EFAULT);
	expect(syscall(SYS_nanosleep, p, 0), EFAULT);
	expect(syscall(SYS_getitimer, ITIMER_REAL, p), EFAULT);
	expect(syscall(SYS_uname, p), EFAULT);
	expect(syscall(SYS_getcwd, p, 100), EFAULT);
	expect(syscall(SYS_chdir, p), EFAULT);
	expect(syscall(SYS_rename, p, "x"), EFAULT);
	expect(syscall(SYS_mkdir, p, 0), EFAULT);
	expect(syscall(SYS_unlink, p), EFAULT);
	expect(syscall(SYS_readlink, "/proc/self/exe", p, 100), EFAULT);
	expect(syscall(SYS_gettimeofday, p, 0), EFAULT);
	expect(syscall(SYS_getrlimit, RLIMIT_NOFILE, p), EFAULT);
	expect(syscall(SYS_getrusage, RUSAGE_SELF, p), EFAULT);
	expect(syscall(SYS_sysinfo, p), EFAULT);
	expect(syscall(SYS_times, p), EFAULT);
	expect(syscall(SYS_statfs, "/", p), EFAULT);
	expect(syscall(SYS_execve, p, 0, 0), EFAULT);
	expect(syscall(SYS_clock_gettime, CLOCK_REALTIME, p), EFAULT);
	expect(syscall(SYS_clock_nanosleep, CLOCK_REALTIME, 0, p, 0), EFAULT);
	expect(syscall(SYS_getrandom, p, 100, 0), EFAULT);
	expect(syscall(SYS_statx, AT_FDCWD, "/", 0, STATX_ALL, p), EFAULT);
	expect(syscall(SYS_pipe2, p, 0), EFAULT);
	expect(syscall(SYS_getdents64, OK(open("/", O_RDONLY)), p, 4096), EFAULT);
	expect(syscall(SYS_set_robust_list, p, 3), EINVAL);
	expect(syscall(SYS_memfd_create, p, 0), EFAULT);
	expect(syscall(SYS_openat2, AT_FDCWD, "/", p, 24), EFAULT);
	expect(syscall(SYS_clone3, p, 88), EFAULT);
}

int main(void)
{
	char *end = map_pages(2, PROT_READ | PROT_WRITE);

	OK(munmap(end + PAGE, PAGE));
	try_all("low", bad_address());
	try_all("kernel half", (void *)0xffffffff81000000);
	try_all("non-canonical", (void *)0x8000000000000000);
	try_all("end of user space", (void *)0x7ffffffff000);
	try_all("no access", map_pages(16, PROT_NONE));
	FAILS(syscall(SYS_stat, "/", end + PAGE - 8), EFAULT);
	FAILS(syscall(SYS_uname, end + PAGE - 8), EFAULT);
	say("ok\n");
	return 0;
}
