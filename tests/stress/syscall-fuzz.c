/* SPDX-License-Identifier: Apache-2.0 */
/*
 * syscall-fuzz [--verbose] SEED CHILDREN [CALLS]: random system calls and instructions, inside only.
 *
 * Each child makes CALLS calls in one to three threads with arguments that are often nearly right. The supervisor kills
 * what is left of it, checks that all of it ends, and goes on with the next seed. What the calls answer doesn't matter:
 * the sandbox's kernel must survive, nothing may be left, and the memory must come back.
 */
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/time.h>

#include "guest/inside.h"
#include "stress/fuzz.h"

#define CHILD_SECONDS 1
#define KILL_SECONDS  10

struct call {
	long nr;
	const char *name, *format;
};

#define SYSCALL(nr, name, format, level) { nr, #name, format },
static const struct call calls[] = {
#include "kernel/sys/syscalls.def"
};

/* Formats where the table has none because strace prints these raw, and calls that are chosen more often. */
static const struct call often[] = {
	{ SYS_timer_create, "timer_create", "ipp" },
	{ SYS_timer_settime, "timer_settime", "dxtp" },
	{ SYS_timer_delete, "timer_delete", "d" },
	{ SYS_mlock, "mlock", "pz" },
	{ SYS_process_vm_readv, "process_vm_readv", "nVdVdx" },
	{ SYS_process_vm_writev, "process_vm_writev", "nVdVdx" },
	{ SYS_mmap, "mmap", "pzmMfl" },
	{ SYS_munmap, "munmap", "pz" },
	{ SYS_mprotect, "mprotect", "pzm" },
	{ SYS_mremap, "mremap", "pzzdp" },
	{ SYS_madvise, "madvise", "pzu" },
	{ SYS_futex, "futex", "pXdtpd" },
	{ SYS_clone, "clone", "cpppp" },
	{ SYS_clone3, "clone3", "pz" },
	{ SYS_fork, "fork", "" },
	{ SYS_sendmsg, "sendmsg", "fpx" },
	{ SYS_recvmsg, "recvmsg", "fpx" },
	{ SYS_epoll_ctl, "epoll_ctl", "fdfe" },
	{ SYS_dup2, "dup2", "ff" },
	{ SYS_rt_sigaction, "rt_sigaction", "Spp8" },
	{ SYS_rt_sigprocmask, "rt_sigprocmask", "dpp8" },
	{ SYS_rt_sigtimedwait, "rt_sigtimedwait", "ppt8" },
	{ SYS_rt_sigsuspend, "rt_sigsuspend", "p8" },
	{ SYS_execve, "execve", "svv" },
};

static bool verbose;
static unsigned call_limit = 300;
static sigset_t ordinary; /* the supervisor's signals are blocked, the children's not */

static bool is_excluded(long nr)
{
	/* They would only end or stop the thread; the rest of what ends it comes often enough by accident. */
	return nr == SYS_exit || nr == SYS_exit_group || nr == SYS_pause;
}

static long raw_call(long nr, const uint64_t *v)
{
	register uint64_t r10 __asm__("r10") = v[3];
	register uint64_t r8 __asm__("r8") = v[4];
	register uint64_t r9 __asm__("r9") = v[5];
	long value;

	__asm__ volatile("syscall"
			 : "=a"(value)
			 : "a"(nr), "D"(v[0]), "S"(v[1]), "d"(v[2]), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return value;
}

static bool forks(long nr)
{
	return nr == SYS_fork || nr == SYS_vfork || nr == SYS_clone || nr == SYS_clone3;
}

static void one_call(struct choices *c)
{
	const struct call *call = choose_below(c, 3) ? &CHOOSE_OF(c, calls) : &CHOOSE_OF(c, often);
	uint64_t v[6] = { 0 };
	long value;

	if (is_excluded(call->nr) || (forks(call->nr) && c->depth > 1))
		return;
	for (int i = 0; i < 6 && call->format[i]; i++)
		v[i] = call->format[i] == '8' ? 8 : argument_choose(c, call->format[i], call->nr);
	if (verbose)
		dprintf(2, "%d: %s(%#lx, %#lx, %#lx, %#lx, %#lx, %#lx)\n", gettid(), call->name,
			v[0], v[1], v[2], v[3], v[4], v[5]);
	value = raw_call(call->nr, v);
	if (forks(call->nr) && value == 0) {
		alarm(CHILD_SECONDS);
		c->depth++;
		c->state ^= 0x5555;
	}
}

static void *make_calls(void *choices)
{
	struct choices *c = choices;

	odd_signal_prepare();
	for (unsigned i = 0; i < call_limit; i++) {
		if (choose_below(c, 150) == 0)
			odd_thing(c);
		one_call(c);
	}
	return NULL;
}

static void limit(__rlimit_resource_t what, rlim_t value)
{
	setrlimit(what, &(struct rlimit){ value, value });
}

/* Ends calls that wait. */
static void nothing(int sig)
{
	(void)sig;
}

static void child(uint64_t seed)
{
	static const struct itimerval often_enough = { { 0, 5000 }, { 0, 5000 } };
	static struct choices choices[3];
	pthread_t thread;

	choices[0].state = seed * 1000003;
	if (!verbose)
		for (int fd = 0; fd < 3; fd++)
			dup2(open("/dev/null", O_RDWR | O_CLOEXEC), fd);
	closefrom(3);
	sigprocmask(SIG_SETMASK, &ordinary, NULL);
	setpgid(0, 0);
	limit(RLIMIT_NOFILE, 256);
	limit(RLIMIT_FSIZE, 8 << 20);
	limit(RLIMIT_AS, 256 << 20);
	limit(RLIMIT_CORE, 0);
	arguments_prepare(&choices[0]);
	handle(SIGALRM, nothing, 0);
	setitimer(ITIMER_REAL, &often_enough, NULL);
	for (uint64_t i = 1 + choose_below(&choices[0], 3); --i > 0;) {
		choices[i].state = choose(&choices[0]);
		pthread_create(&thread, NULL, make_calls, &choices[i]);
	}
	make_calls(&choices[0]);
	_exit(0);
}

/* Waits until the process @pid (0: any and all) has ended. Returns false after @seconds. */
static bool wait_ended(pid_t pid, int seconds)
{
	int64_t end = now_ns(CLOCK_MONOTONIC) + seconds * INT64_C(1000000000);

	while (now_ns(CLOCK_MONOTONIC) < end) {
		pid_t got = waitpid(pid ? pid : -1, NULL, WNOHANG | __WALL);

		if (got < 0 || got == pid)
			return true;
		if (got == 0)
			sleep_ms(1);
	}
	return false;
}

static void list_processes(void)
{
	for (int pid = 1; pid < 40000; pid++) {
		char path[64];

		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		if (process_state(pid))
			say("# left: %s", read_file(path));
	}
}

static void remove_files(void)
{
	if (chdir("/") == 0)
		nftw("/tmp/fuzz", scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void run_seed(uint64_t seed)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0)
		child(seed);
	wait_ended(pid, CHILD_SECONDS);
	/* A process that forks while it is killed may escape the first time. */
	for (int i = 0; i < 3; i++)
		kill(-1, SIGKILL);
	if (!wait_ended(0, KILL_SECONDS)) {
		list_processes();
		FAIL("seed %lu: a process survives SIGKILL", seed);
	}
	remove_files();
}

static long free_pages(void)
{
	struct sysinfo s;

	OK(sysinfo(&s));
	return (long)(s.freeram / PAGE);
}

int main(int argc, char **argv)
{
	uint64_t seed, count;
	sigset_t all;
	long before;

	inside_only();
	if (argc > 1 && strcmp(argv[1], "--verbose") == 0) {
		verbose = true;
		argv++;
		argc--;
	}
	if (argc < 3)
		return 2;
	seed = strtoul(argv[1], NULL, 0);
	count = strtoul(argv[2], NULL, 0);
	if (argc > 3)
		call_limit = (unsigned)strtoul(argv[3], NULL, 0);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &ordinary);
	run_seed(seed); /* What the first one fills stays: caches, slabs. */
	before = free_pages();
	for (uint64_t i = 1; i < count; i++) {
		say("# seed %lu\n", seed + i);
		run_seed(seed + i);
	}
	say("%lu seeds, %ld pages less free\n", count, before - free_pages());
	return 0;
}
