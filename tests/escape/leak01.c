/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks for bytes of kernel memory in what system calls return: padding of structures, the ends of buffers, names in directories, signal frames.
 * Stopped by: structures are cleared before they are filled. A known kernel address would start with 0x7e.
 * Escape-Expect: stopped: no kernel address in stat
 * Escape-Expect: stopped: no kernel address in statx
 * Escape-Expect: stopped: no kernel address in statfs
 * Escape-Expect: stopped: no kernel address in uname
 * Escape-Expect: stopped: no kernel address in sysinfo
 * Escape-Expect: stopped: no kernel address in getrusage
 * Escape-Expect: stopped: no kernel address in times
 * Escape-Expect: stopped: no kernel address in getdents64
 * Escape-Expect: stopped: no kernel address in getdents
 * Escape-Expect: stopped: no kernel address in rt_sigaction
 * Escape-Expect: stopped: no kernel address in sigaltstack
 * Escape-Expect: stopped: no kernel address in timer_create
 * Escape-Expect: stopped: no kernel address in sched_getattr
 * Escape-Expect: stopped: no kernel address in prlimit64
 * Escape-Expect: stopped: no kernel address in adjtimex
 * Escape-Expect: stopped: no kernel address in getsockname
 * Escape-Expect: stopped: no kernel address in epoll_wait
 * Escape-Expect: stopped: no kernel address in siginfo and the signal frame
 * Escape-Expect: stopped: no kernel address in waitid
 * Escape-Expect: stopped: no kernel address in /proc/self/stat
 */
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>
#include <ucontext.h>

#include "escape/escape.h"

static uint8_t buffer[65536] __attribute__((aligned(64)));

/* Any aligned word that is an address of the arena. */
static void check_words(const char *what, const void *data, size_t size)
{
	const uint8_t *p = data;

	for (size_t i = 0; i + 8 <= size; i += 4) {
		uint64_t word;

		memcpy(&word, p + i, sizeof(word));
		if (word >= ARENA && word < ARENA + (1ul << 39))
			escaped("%s has the kernel's address %#" PRIx64 " at %zu", what, word, i);
	}
}

static void try_call(const char *what, long r, size_t size)
{
	CHECK(r >= 0);
	check_words(what, buffer, size);
	stopped("no kernel address in %s", what);
	memset(buffer, 0, sizeof(buffer));
}

static void on_signal(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	check_words("siginfo", info, sizeof(*info));
	check_words("the signal frame", context, 512 + 832);
}

void attempt(void)
{
	int fd = OK(open("/", O_RDONLY)), epoll = OK(epoll_create1(0)), pair[2];
	struct sigaction sa = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };
	struct epoll_event e = { .events = EPOLLOUT };
	union sigval value = { 0 };

	try_call("stat", syscall(SYS_stat, "/", buffer), 144);
	try_call("statx", syscall(SYS_statx, AT_FDCWD, "/", 0, 0xfff, buffer), 256);
	try_call("statfs", syscall(SYS_statfs, "/", buffer), sizeof(struct statfs));
	try_call("uname", syscall(SYS_uname, buffer), 390);
	try_call("sysinfo", syscall(SYS_sysinfo, buffer), 112);
	try_call("getrusage", syscall(SYS_getrusage, 0, buffer), sizeof(struct rusage));
	try_call("times", syscall(SYS_times, buffer), 32);
	try_call("getdents64", syscall(SYS_getdents64, fd, buffer, sizeof(buffer)), sizeof(buffer));
	OK(lseek(fd, 0, SEEK_SET));
	try_call("getdents", syscall(SYS_getdents, fd, buffer, sizeof(buffer)), sizeof(buffer));
	try_call("rt_sigaction", syscall(SYS_rt_sigaction, SIGUSR1, NULL, buffer, 8), 32);
	try_call("sigaltstack", syscall(SYS_sigaltstack, NULL, buffer), 24);
	try_call("timer_create", syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, buffer), 64);
	try_call("sched_getattr", syscall(SYS_sched_getattr, 0, buffer, 56, 0), 56);
	try_call("prlimit64", syscall(SYS_prlimit64, 0, 7, NULL, buffer), 16);
	try_call("adjtimex", syscall(SYS_adjtimex, buffer), 208);
	try_call("getsockname",
		 syscall(SYS_getsockname, OK(syscall(SYS_socket, 1, 1, 0)), buffer, &(int){ 128 }),
		 128);
	OK(pipe(pair));
	OK(epoll_ctl(epoll, EPOLL_CTL_ADD, pair[1], &e));
	try_call("epoll_wait", syscall(SYS_epoll_wait, epoll, buffer, 16, 0), 192);
	OK(sigaction(SIGRTMIN, &sa, NULL));
	OK(sigqueue(getpid(), SIGRTMIN, value));
	stopped("no kernel address in siginfo and the signal frame");
	if (fork() == 0)
		_exit(0);
	try_call("waitid", syscall(SYS_waitid, 0, 0, buffer, WEXITED, buffer + 256), 512);
	try_call("/proc/self/stat",
		 read(OK(open("/proc/self/stat", O_RDONLY)), buffer, sizeof(buffer)),
		 sizeof(buffer));
}
