/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The monitor's seccomp filter, in two ways: children that make the calls for real, and the filter's own instructions interpreted,
 * which tries millions of arguments in the time a child takes.
 */
#include "cage/filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/kvm.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness/test.h"

/* Beyond the last number of any kernel there is (Linux 6.18 ends at 470). */
#define NUMBERS 600
#define X32_BIT 0x40000000

/* ---- what may be called: written down a second time, so that a row added by mistake is noticed ---- */

static const int allowed[] = {
	SYS_openat2,
	SYS_close,
	SYS_read,
	SYS_write,
	SYS_writev,
	SYS_pread64,
	SYS_pwrite64,
	SYS_preadv2,
	SYS_pwritev2,
	SYS_recvfrom,
	SYS_sendto,
	SYS_lseek,
	SYS_ftruncate,
	SYS_fallocate,
	SYS_fsync,
	SYS_fdatasync,
	SYS_getdents64,
	SYS_statx,
	SYS_fstat,
	SYS_newfstatat,
	SYS_fstatfs,
	SYS_readlinkat,
	SYS_mkdirat,
	SYS_unlinkat,
	SYS_renameat2,
	SYS_renameat,
	SYS_linkat,
	SYS_symlinkat,
	SYS_mknodat,
	SYS_fchmodat,
	SYS_fchownat,
	SYS_utimensat,
	SYS_fcntl,
	SYS_poll,
	SYS_ioctl,
	SYS_epoll_wait,
	SYS_epoll_ctl,
	SYS_clock_gettime,
	SYS_clock_nanosleep,
	SYS_nanosleep,
	SYS_restart_syscall,
	SYS_pause,
	SYS_sched_yield,
	SYS_getrandom,
	SYS_futex,
	SYS_membarrier,
	SYS_getpid,
	SYS_gettid,
	SYS_exit,
	SYS_exit_group,
	SYS_rt_sigreturn,
	SYS_rt_sigprocmask,
	SYS_rt_sigaction,
	SYS_brk,
	SYS_munmap,
	SYS_mmap,
	SYS_mprotect,
	SYS_mremap,
	SYS_madvise,
	SYS_tgkill,
};

/* Not allowed with arguments that are all 0 or all ones: openat is refused with an error, for one set of arguments. */
static bool is_allowed(int nr)
{
	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++)
		if (allowed[i] == nr)
			return true;
	return false;
}

/* ---- the filter's instructions ---- */

static struct sock_filter code[4096];
static size_t code_len;

static const struct rf_platform *platform(void)
{
	return rf_platform_lookup("kvm");
}

static void code_load(void)
{
	int fd = memfd_create("filter", MFD_CLOEXEC);
	struct rf_error err = { 0 };
	ssize_t n;

	ASSERT_GE(fd, 0);
	if (filter_export(platform(), fd, false, &err) < 0)
		test_fatal("%s", err.text);
	n = pread(fd, code, sizeof(code), 0);
	close(fd);
	ASSERT_GT(n, 0);
	ASSERT_LT(n, sizeof(code));
	code_len = (size_t)n / sizeof(code[0]);
}

static bool jumps(u32 op, u32 a, u32 k)
{
	switch (op) {
	case BPF_JEQ:
		return a == k;
	case BPF_JGT:
		return a > k;
	case BPF_JGE:
		return a >= k;
	case BPF_JSET:
		return a & k;
	default:
		test_fatal("a jump that is not in the interpreter: %#x", op);
	}
}

/* What the filter says: SECCOMP_RET_*. networking/filter.rst of the kernel's documentation. */
static u32 evaluate(const struct seccomp_data *d)
{
	u32 a = 0;

	for (size_t pc = 0; pc < code_len; pc++) {
		const struct sock_filter *i = &code[pc];

		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			memcpy(&a, (const u8 *)d + i->k, sizeof(a));
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= i->k;
			break;
		case BPF_RET | BPF_K:
			return i->k;
		case BPF_JMP | BPF_JA:
			pc += i->k;
			break;
		default:
			if (BPF_CLASS(i->code) != BPF_JMP || BPF_SRC(i->code) != BPF_K)
				test_fatal("an instruction that is not in the interpreter: %#x",
					   i->code);
			pc += jumps(BPF_OP(i->code), a, i->k) ? i->jt : i->jf;
		}
	}
	test_fatal("the filter has no end");
}

static u32 verdict(u32 arch, u32 nr, const u64 args[6])
{
	struct seccomp_data d = { .nr = (int)nr, .arch = arch };

	for (int i = 0; i < 6; i++)
		d.args[i] = args[i];
	return evaluate(&d);
}

#define VERDICT(nr, ...)        verdict(AUDIT_ARCH_X86_64, nr, (const u64[6]){ __VA_ARGS__ })
#define EXPECT_KILLED(nr, ...)  EXPECT_EQ(VERDICT(nr, __VA_ARGS__), SECCOMP_RET_KILL_PROCESS)
#define EXPECT_ALLOWED(nr, ...) EXPECT_EQ(VERDICT(nr, __VA_ARGS__), SECCOMP_RET_ALLOW)

/* ---- children ---- */

/* Async-signal-safe and without a call of its own. */
static long raw(long nr, const u64 a[6])
{
	register u64 r10 __asm__("r10") = a[3];
	register u64 r8 __asm__("r8") = a[4];
	register u64 r9 __asm__("r9") = a[5];
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

/* The harness catches crashes; a child must not. */
static void crash_plainly(void)
{
	static const int signals[] = { SIGSEGV, SIGILL, SIGABRT, SIGBUS, SIGFPE };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		signal(signals[i], SIG_DFL);
}

/* The prepared instructions, which is quicker than building them again in each child. */
static void enter(void)
{
	struct sock_fprog prog = { (unsigned short)code_len, code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog))
		_exit(99);
}

static int wait_for(pid_t pid)
{
	int status = 0;

	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	return status;
}

/* The wait status of a child that makes one call under the filter and exits with 0 if that returns. */
static int call_in_child(long nr, const u64 args[6])
{
	pid_t pid = fork();

	ASSERT_GE(pid, 0);
	if (pid == 0) {
		crash_plainly();
		enter();
		raw(nr, args);
		raw(SYS_exit_group, (const u64[6]){ 0 });
	}
	return wait_for(pid);
}

/* /proc/self/fd of the child. */
static int proc_fd;

/* The wait status of a child that runs @fn under the filter as filter_install() makes it. */
static int run_in_child(int (*fn)(void))
{
	struct rf_error err = { 0 };
	pid_t pid = fork();

	ASSERT_GE(pid, 0);
	if (pid == 0) {
		crash_plainly();
		proc_fd = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
		filter_prepare();
		if (filter_install(platform(), &err) < 0)
			_exit(98);
		_exit(fn());
	}
	return wait_for(pid);
}

/* For a child that should have lived: AddressSanitizer makes a sigaltstack(2) of its own before functions that don't return, _exit() too. */
static int skip_for_sanitizer(int status)
{
#ifdef __SANITIZE_ADDRESS__
	if (filter_killed(status))
		test_skip("the sanitizer's runtime makes calls of its own");
#endif
	return status;
}

static void expect_killed(const char *what, int status)
{
	if (!filter_killed(status))
		test_note("%s: wait status %#x", what, (unsigned int)status);
	EXPECT_TRUE(filter_killed(status));
}

/*
 * uretprobe and uprobe, with which the kernel's own trampolines of user probes return: since Linux 6.14 no filter sees them
 * (kernel/seccomp.c). Called from anywhere else they do nothing but raise SIGILL or fail.
 */
static bool is_exempt(int nr)
{
	return nr == 335 || nr == 336;
}

TEST(calls_off_the_list_kill)
{
	static const u64 sets[][6] = { { 0 }, { ~0ull, ~0ull, ~0ull, ~0ull, ~0ull, ~0ull } };
	char name[32];
	u32 tried = 0;

	code_load();
	for (int nr = 0; nr < NUMBERS; nr++) {
		if (is_allowed(nr))
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
			int status = call_in_child(nr, sets[i]);

			snprintf(name, sizeof(name), "call %d, set %zu", nr, i);
			if (!is_exempt(nr))
				expect_killed(name, status);
			tried++;
		}
	}
	test_note("%u calls tried", tried);
	EXPECT_GT(tried, 1000);
}

TEST(numbers_of_other_abis_kill)
{
	code_load();
	/* x32 has numbers of its own from 512 on, and those of x86-64 below, with a bit set (arch/x86/entry/syscalls). */
	for (int nr = 0; nr < NUMBERS; nr++) {
		EXPECT_KILLED((u32)nr | X32_BIT, 0);
		EXPECT_EQ(verdict(AUDIT_ARCH_I386, (u32)nr, (const u64[6]){ 0 }),
			  SECCOMP_RET_KILL_PROCESS);
		EXPECT_EQ(verdict(AUDIT_ARCH_AARCH64, (u32)nr, (const u64[6]){ 0 }),
			  SECCOMP_RET_KILL_PROCESS);
	}
	EXPECT_KILLED(~0u, 0);
	EXPECT_KILLED(0x80000000u | SYS_read, 0);
	expect_killed("x32 read", call_in_child(SYS_read | X32_BIT, (const u64[6]){ 0 }));
	expect_killed("x32 getpid", call_in_child(SYS_getpid | X32_BIT, (const u64[6]){ 0 }));
	expect_killed("call -1", call_in_child(-1, (const u64[6]){ 0 }));
}

/* getpid and read have the numbers of other calls there: 20 is writev's, 3 is close's here. */
static int call_32bit(void)
{
	long ret = 20;

	__asm__ volatile("int $0x80" : "+a"(ret) : "b"(0), "c"(0), "d"(0) : "memory");
	return 0;
}

TEST(entry_for_32_bits_kills)
{
	int status = run_in_child(call_32bit);

	/* SIGSEGV: the host has no 32-bit entry. */
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV)
		test_skip("this host has no int 0x80");
	expect_killed("int 0x80", status);
}

TEST(random_arguments_open_nothing_else)
{
	struct test_rng rng;
	u64 args[6];

	code_load();
	test_rng_init(&rng, 1);
	for (u32 round = 0; round < 300; round++)
		for (u32 nr = 0; nr < NUMBERS; nr++) {
			u32 v;

			for (int i = 0; i < 6; i++)
				args[i] = test_rng_next(&rng) >> test_rng_below(&rng, 64);
			v = verdict(AUDIT_ARCH_X86_64, nr, args);
			if (is_allowed((int)nr) || (nr == SYS_openat && v != SECCOMP_RET_ALLOW))
				continue;
			EXPECT_EQ(v, SECCOMP_RET_KILL_PROCESS);
		}
}

/* ---- ioctl ---- */

static const u64 terminal_requests[] = { TCGETS,     TCSETS,     TCSETSW,    TCSETSF,
					 TCFLSH,     TIOCGWINSZ, TIOCOUTQ,   FIONREAD,
					 0x802c542a, 0x402c542b, 0x402c542c, 0x402c542d };

static bool request_expected(u64 request)
{
	const struct rf_host_call *call;
	size_t count = rf_platform_host_filter(platform(), &call);

	for (size_t i = 0; i < ARRAY_SIZE(terminal_requests); i++)
		if (terminal_requests[i] == request)
			return true;
	for (size_t i = 0; i < count; i++)
		if (call[i].arg1_is_ioctl && call[i].arg1 == request)
			return true;
	return false;
}

static void try_request(u64 request)
{
	u32 v = VERDICT(SYS_ioctl, 3, request);

	if (request_expected(request))
		EXPECT_EQ(v, SECCOMP_RET_ALLOW);
	else
		EXPECT_EQ(v, SECCOMP_RET_KILL_PROCESS);
}

TEST(ioctls_only_by_their_numbers)
{
	const struct rf_host_call *call;
	size_t count = rf_platform_host_filter(platform(), &call);

	code_load();
	/* Direction and size 0, as most old requests have it; then each allowed one with every bit turned, and its neighbours. */
	for (u64 request = 0; request < 0x10000; request++)
		for (u64 direction = 0; direction < 4; direction++)
			try_request(direction << 30 | request);
	for (size_t i = 0; i < count; i++) {
		if (!call[i].arg1_is_ioctl)
			continue;
		EXPECT_ALLOWED(SYS_ioctl, 3, call[i].arg1);
		for (int bit = 0; bit < 64; bit++)
			try_request(call[i].arg1 ^ 1ull << bit);
		for (u64 d = 1; d < 300; d++) {
			try_request(call[i].arg1 + d);
			try_request(call[i].arg1 - d);
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(terminal_requests); i++)
		for (int bit = 0; bit < 64; bit++)
			try_request(terminal_requests[i] ^ 1ull << bit);
}

TEST(requests_that_type_or_make_machines_kill)
{
	static const u64 never[] = {
		TIOCSTI,
		0x541c /* TIOCLINUX */,
		TIOCSCTTY,
		TIOCCONS,
		TIOCSETD,
		TIOCSPGRP,
		TIOCNOTTY,
		TIOCVHANGUP,
		TIOCSWINSZ,
		1ull << 32 | TIOCSTI,
		1ull << 32 | TCGETS,
		KVM_CREATE_VM,
		KVM_CREATE_VCPU,
		KVM_CREATE_DEVICE,
		KVM_CREATE_IRQCHIP,
		KVM_IRQFD,
		KVM_IOEVENTFD,
		KVM_ENABLE_CAP,
		KVM_SET_CPUID2,
		KVM_MEMORY_ENCRYPT_OP,
		KVM_SET_NESTED_STATE,
		KVM_SET_GUEST_DEBUG,
	};

	code_load();
	for (size_t i = 0; i < ARRAY_SIZE(never); i++) {
		EXPECT_KILLED(SYS_ioctl, 0, never[i]);
		expect_killed("ioctl", call_in_child(SYS_ioctl, (const u64[6]){ 0, never[i] }));
	}
}

/* ---- arguments ---- */

TEST(memory_is_never_made_executable)
{
	const u64 anonymous = MAP_PRIVATE | MAP_ANONYMOUS;

	code_load();
	EXPECT_ALLOWED(SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE, anonymous);
	EXPECT_ALLOWED(SYS_mmap, 0, 4096, PROT_NONE, anonymous | MAP_NORESERVE);
	EXPECT_ALLOWED(SYS_mprotect, 0, 4096, PROT_NONE);
	EXPECT_ALLOWED(SYS_mprotect, 0, 4096, PROT_READ | PROT_WRITE);
	for (u64 prot = 0; prot < 16; prot++)
		if (prot & ~(u64)(PROT_READ | PROT_WRITE)) {
			EXPECT_KILLED(SYS_mmap, 0, 4096, prot, anonymous);
			EXPECT_KILLED(SYS_mprotect, 0, 4096, prot);
		}
	for (int bit = 0; bit < 64; bit++)
		if (1ull << bit != MAP_NORESERVE)
			EXPECT_KILLED(SYS_mmap, 0, 4096, PROT_READ, anonymous ^ 1ull << bit);
	for (int bit = 2; bit < 64; bit++)
		EXPECT_KILLED(SYS_mprotect, 0, 4096, 1ull << bit);
	EXPECT_KILLED(SYS_pkey_mprotect, 0, 4096, PROT_READ, 0);
	EXPECT_KILLED(SYS_mremap, 0, 4096, 8192, MREMAP_MAYMOVE | MREMAP_FIXED);
	EXPECT_KILLED(SYS_madvise, 0, 4096, MADV_REMOVE);
	expect_killed("mmap", call_in_child(SYS_mmap, (const u64[6]){ 0, 4096, PROT_EXEC, anonymous,
								      ~0ull, 0 }));
	expect_killed("mprotect",
		      call_in_child(SYS_mprotect, (const u64[6]){ (u64)(uintptr_t)code & ~4095ull,
								  4096, PROT_READ | PROT_EXEC }));
}

static pid_t outside;

static int kill_outside(void)
{
	syscall(SYS_tgkill, outside, outside, 0);
	return 0;
}

static int kill_inside(void)
{
	return syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), 0) == 0 ? 17 : 1;
}

TEST(signals_reach_only_this_process)
{
	int status;

	outside = getpid();
	expect_killed("tgkill of another", run_in_child(kill_outside));
	status = skip_for_sanitizer(run_in_child(kill_inside));
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(WEXITSTATUS(status), 17);
	code_load();
	EXPECT_ALLOWED(SYS_tgkill, (u64)getpid(), 1, SIGKILL);
	EXPECT_KILLED(SYS_tgkill, 1ull << 32 | (u64)getpid(), 1, SIGKILL);
	EXPECT_KILLED(SYS_tgkill, ~0ull, 1, SIGKILL);
	EXPECT_KILLED(SYS_kill, (u64)getpid(), SIGKILL);
	EXPECT_KILLED(SYS_tkill, (u64)getpid(), SIGKILL);
	EXPECT_KILLED(SYS_rt_tgsigqueueinfo, (u64)getpid(), (u64)getpid(), SIGKILL);
	EXPECT_KILLED(SYS_pidfd_send_signal, 3, SIGKILL);
}

TEST(arguments_out_of_line_kill)
{
	code_load();
	EXPECT_KILLED(SYS_futex, 0, FUTEX_LOCK_PI);
	EXPECT_KILLED(SYS_futex, 0, FUTEX_REQUEUE);
	EXPECT_KILLED(SYS_futex, 0, FUTEX_CMP_REQUEUE_PI);
	EXPECT_KILLED(SYS_futex, 0, FUTEX_WAKE_OP);
	EXPECT_ALLOWED(SYS_futex, 0, FUTEX_WAKE);
	EXPECT_ALLOWED(SYS_futex, 0, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME);
	EXPECT_KILLED(SYS_fcntl, 3, F_SETFL, 0);
	EXPECT_KILLED(SYS_fcntl, 3, F_SETOWN, 1);
	EXPECT_KILLED(SYS_fcntl, 3, F_SETLEASE, 0);
	EXPECT_KILLED(SYS_fcntl, 3, F_ADD_SEALS, 0);
	EXPECT_ALLOWED(SYS_fcntl, 3, F_DUPFD_CLOEXEC, 3);
	EXPECT_KILLED(SYS_sendto, 3, 0, 0, MSG_DONTWAIT | MSG_NOSIGNAL, 1, 0);
	EXPECT_KILLED(SYS_sendto, 3, 0, 0, MSG_DONTWAIT | MSG_NOSIGNAL, 0, 16);
	EXPECT_KILLED(SYS_sendto, 3, 0, 0, MSG_OOB, 0, 0);
	EXPECT_KILLED(SYS_recvfrom, 3, 0, 0, MSG_DONTWAIT, 1, 0);
	EXPECT_ALLOWED(SYS_recvfrom, 3, 0, 0, MSG_DONTWAIT, 0, 0);
	EXPECT_KILLED(SYS_mknodat, 3, 0, S_IFCHR | 0600, 0x101);
	EXPECT_KILLED(SYS_mknodat, 3, 0, S_IFBLK | 0600, 0x800);
	EXPECT_KILLED(SYS_mknodat, 3, 0, S_IFSOCK | 0600, 0);
	EXPECT_ALLOWED(SYS_mknodat, 3, 0, S_IFIFO | 0600, 0);
	EXPECT_ALLOWED(SYS_mknodat, 3, 0, S_IFREG | 0600, 0);
	EXPECT_ALLOWED(SYS_mknodat, 3, 0, 0600, 0);
	EXPECT_KILLED(SYS_linkat, 3, 0, 3, 0, AT_EMPTY_PATH);
	EXPECT_KILLED(SYS_linkat, 3, 0, 3, 0, AT_SYMLINK_FOLLOW);
	EXPECT_KILLED(SYS_fchownat, 3, 0, 0, 0, 0);
	EXPECT_KILLED(SYS_newfstatat, 3, 0, 0, 0);
	EXPECT_KILLED(SYS_getrandom, 0, 16, 2);
	EXPECT_KILLED(SYS_membarrier, 1 /* GLOBAL */, 0);
	EXPECT_KILLED(SYS_membarrier, 16 /* REGISTER_PRIVATE_EXPEDITED */, 1);
}

TEST(openat_of_the_c_library_fails)
{
	code_load();
	EXPECT_EQ(VERDICT(SYS_openat, (u32)AT_FDCWD, 0, O_RDONLY | O_CLOEXEC),
		  SECCOMP_RET_ERRNO | EACCES);
	EXPECT_EQ(VERDICT(SYS_openat, (u64)AT_FDCWD, 0, O_RDONLY), SECCOMP_RET_ERRNO | EACCES);
	EXPECT_KILLED(SYS_openat, 3, 0, O_RDONLY | O_CLOEXEC);
	EXPECT_KILLED(SYS_openat, (u64)AT_FDCWD, 0, O_RDWR | O_CLOEXEC);
	EXPECT_KILLED(SYS_openat, (u64)AT_FDCWD, 0, O_CREAT);
}

/* ---- what the monitor needs, for real ---- */

#define CHECK(condition)                          \
	do {                                      \
		if (!(condition))                 \
			return __LINE__ % 90 + 1; \
	} while (0)

static int dir_fd, socket_fd, epoll_fd, event_fd;

static long open2(int dir, const char *name, u64 flags, u64 mode)
{
	struct open_how how = { .flags = flags, .mode = mode };

	return syscall(SYS_openat2, dir, name, &how, sizeof(how));
}

static int use_files(void)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_NOW }, { .tv_nsec = UTIME_NOW } };
	struct statx sx;
	struct stat st;
	char buf[512], name[16];
	int fd = (int)open2(dir_fd, "f", O_RDWR | O_CREAT | O_CLOEXEC, 0600), again;

	CHECK(fd >= 0);
	CHECK(pwrite(fd, "hello", 5, 0) == 5 && pread(fd, buf, sizeof(buf), 0) == 5);
	CHECK(lseek(fd, 0, SEEK_END) == 5 && write(fd, "!", 1) == 1);
	CHECK(fstat(fd, &st) == 0 && st.st_size == 6);
	CHECK(statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &sx) == 0);
	CHECK(ftruncate(fd, 3) == 0 && fallocate(fd, 0, 0, 8192) == 0);
	CHECK(fsync(fd) == 0 && fdatasync(fd) == 0);
	snprintf(name, sizeof(name), "%d", fd);
	again = (int)open2(proc_fd, name, O_RDONLY | O_CLOEXEC, 0);
	CHECK(again >= 0 && close(again) == 0);
	again = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	CHECK(again >= 0 && close(again) == 0);
	CHECK(mkdirat(dir_fd, "d", 0700) == 0 && symlinkat("f", dir_fd, "s") == 0);
	CHECK(readlinkat(dir_fd, "s", buf, sizeof(buf)) == 1);
	CHECK(linkat(dir_fd, "f", dir_fd, "l", 0) == 0 &&
	      mknodat(dir_fd, "p", S_IFIFO | 0600, 0) == 0);
	CHECK(renameat2(dir_fd, "l", dir_fd, "m", 0) == 0);
	CHECK(renameat2(dir_fd, "m", dir_fd, "l", RENAME_NOREPLACE) == 0 || errno == EINVAL);
	CHECK(fchmodat(proc_fd, name, 0640, 0) == 0);
	CHECK(fchownat(fd, "", (uid_t)-1, (gid_t)-1, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) == 0);
	CHECK(syscall(SYS_utimensat, fd, "", times, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) == 0 ||
	      errno == EINVAL);
	CHECK(syscall(SYS_getdents64, dir_fd, buf, sizeof(buf)) > 0);
	CHECK(unlinkat(dir_fd, "l", 0) == 0 || unlinkat(dir_fd, "m", 0) == 0);
	CHECK(unlinkat(dir_fd, "s", 0) == 0 && unlinkat(dir_fd, "p", 0) == 0);
	CHECK(unlinkat(dir_fd, "d", AT_REMOVEDIR) == 0 && unlinkat(dir_fd, "f", 0) == 0);
	return 80;
}

static void make_fixture(char *path)
{
	ASSERT_NOT_NULL(mkdtemp(path));
	dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ASSERT_GE(dir_fd, 0);
}

TEST(files_work)
{
	char path[] = "/tmp/filter-test-XXXXXX";
	int status;

	make_fixture(path);
	status = run_in_child(use_files);
	close(dir_fd);
	EXPECT_EQ(rmdir(path), 0);
	skip_for_sanitizer(status);
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(WEXITSTATUS(status), 80);
}

static int use_streams(void)
{
	struct epoll_event e = { .events = EPOLLIN };
	struct timespec moment = { .tv_nsec = 1 }, now;
	char buf[64];

	CHECK(send(socket_fd, "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1);
	CHECK(recv(socket_fd, buf, sizeof(buf), MSG_DONTWAIT) == -1 && errno == EAGAIN);
	CHECK(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, event_fd, &e) == 0);
	CHECK(epoll_wait(epoll_fd, &e, 1, 0) == 1);
	CHECK(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now) == 0);
	CHECK(nanosleep(&moment, NULL) == 0);
	CHECK(syscall(SYS_getrandom, buf, sizeof(buf), 0) == sizeof(buf));
	CHECK(sched_yield() == 0);
	return 80;
}

TEST(streams_events_and_clocks_work)
{
	int pair[2], status;

	ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	socket_fd = pair[0];
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	event_fd = eventfd(1, EFD_CLOEXEC);
	status = skip_for_sanitizer(run_in_child(use_streams));
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(WEXITSTATUS(status), 80);
	close(pair[0]);
	close(pair[1]);
	close(epoll_fd);
	close(event_fd);
}

/* malloc of every size, growth, and giving back. */
static int use_memory(void)
{
	char *p[64], *big;

	for (u32 round = 0; round < 3; round++) {
		for (u32 i = 0; i < 64; i++) {
			p[i] = calloc(1, 1000u << (i % 12));
			CHECK(p[i]);
		}
		for (u32 i = 0; i < 64; i++)
			free(p[i]);
	}
	big = malloc(1 << 20);
	for (u32 i = 2; big && i < 40; i += 7)
		big = realloc(big, i << 20);
	CHECK(big);
	free(big);
	return 80;
}

TEST(malloc_works)
{
	int status = skip_for_sanitizer(run_in_child(use_memory));

	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(WEXITSTATUS(status), 80);
}

/* ---- threads ---- */

static pthread_barrier_t ready, go;

/* Sets itself up, waits for the filter, uses the heap; then ends, or makes a call that kills all. */
static void *thread_main(void *hostile)
{
	pthread_barrier_wait(&ready);
	pthread_barrier_wait(&go);
	for (u32 i = 0; i < 200; i++)
		free(calloc(1, 1000 * (size_t)i));
	if (hostile)
		syscall(SYS_getppid);
	return NULL;
}

static int threads_in_child(bool hostile)
{
	pid_t pid = fork();

	ASSERT_GE(pid, 0);
	if (pid == 0) {
		pthread_t t[4];

		crash_plainly();
		filter_prepare();
		pthread_barrier_init(&ready, NULL, 5);
		pthread_barrier_init(&go, NULL, 5);
		for (u32 i = 0; i < 4; i++)
			pthread_create(&t[i], NULL, thread_main, hostile && i == 3 ? &t : NULL);
		pthread_barrier_wait(&ready);
		if (filter_install(platform(), NULL) < 0)
			_exit(98);
		pthread_barrier_wait(&go);
		for (u32 i = 0; i < 4; i++)
			pthread_join(t[i], NULL);
		_exit(80);
	}
	return wait_for(pid);
}

TEST(threads_made_before_are_under_it)
{
	int status = skip_for_sanitizer(threads_in_child(false));

	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(WEXITSTATUS(status), 80);
	expect_killed("a thread's getppid", threads_in_child(true));
}

/* ---- ends ---- */

static int end_by_abort(void)
{
	abort();
}

TEST(abort_ends_by_its_own_signal)
{
	int status = skip_for_sanitizer(run_in_child(end_by_abort));

	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(WTERMSIG(status), SIGABRT);
}

/* The C library says on standard error what it found, and aborts. */
extern void __stack_chk_fail(void) __attribute__((noreturn));

static int end_by_smashed_stack(void)
{
	close(STDERR_FILENO);
	__stack_chk_fail();
}

TEST(smashed_stack_ends_by_abort)
{
	int status = skip_for_sanitizer(run_in_child(end_by_smashed_stack));

	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(WTERMSIG(status), SIGABRT);
}

static int map_readable(void)
{
	u8 *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	*p = 0xc3; /* RET */
	((void (*)(void))(uintptr_t)p)();
	return 80;
}

TEST(readable_memory_does_not_become_executable_by_personality)
{
	int status, old = personality(0xffffffff);

	ASSERT_GE(personality((unsigned long)old | READ_IMPLIES_EXEC), 0);
	status = run_in_child(map_readable);
	personality((unsigned long)old);
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(WTERMSIG(status), SIGSEGV);
}

TEST(platform_calls_are_in)
{
	const struct rf_host_call *call;
	size_t count = rf_platform_host_filter(platform(), &call);

	code_load();
	EXPECT_GT(count, 10);
	for (size_t i = 0; i < count; i++)
		if (call[i].arg1_is_ioctl)
			EXPECT_ALLOWED((u32)call[i].nr, 3, call[i].arg1);
		else
			EXPECT_TRUE(is_allowed(call[i].nr));
	test_note("the filter has %zu instructions", code_len);
}
