/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals that mean a bug of ours: say where, end with a documented status.
 *
 * In residency host the kernel's bugs arrive here too; they are told apart by the instruction's address.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/checked.h"
#include "monitor/monitor.h"

#define SIGNAL_STACK_SIZE (64u << 10)

/* Of the stack of a thread of ours: as much is looked at, and so many return addresses told. */
#define OWN_STACK_MAX  (1ul << 20)
#define OWN_FRAMES_MAX 48u

static struct monitor *crash_monitor;
/* Of the thread: its CPU, and where its own stack ends; 0: not known. */
static _Thread_local u32 thread_cpu;
static _Thread_local u64 stack_end;

/* The linker's names for where our own code is. */
extern const char __executable_start, etext;

static void note_stack(void)
{
	pthread_attr_t attr;
	void *base;
	size_t size;

	if (pthread_getattr_np(pthread_self(), &attr))
		return;
	if (pthread_attr_getstack(&attr, &base, &size) == 0)
		stack_end = (u64)(uptr_t)base + size;
	pthread_attr_destroy(&attr);
}

static void registers_of(const ucontext_t *uc, struct rf_regs *ret)
{
	const greg_t *g = uc->uc_mcontext.gregs;

	*ret = (struct rf_regs){
		.r15 = (u64)g[REG_R15],
		.r14 = (u64)g[REG_R14],
		.r13 = (u64)g[REG_R13],
		.r12 = (u64)g[REG_R12],
		.rbp = (u64)g[REG_RBP],
		.rbx = (u64)g[REG_RBX],
		.r11 = (u64)g[REG_R11],
		.r10 = (u64)g[REG_R10],
		.r9 = (u64)g[REG_R9],
		.r8 = (u64)g[REG_R8],
		.rax = (u64)g[REG_RAX],
		.rcx = (u64)g[REG_RCX],
		.rdx = (u64)g[REG_RDX],
		.rsi = (u64)g[REG_RSI],
		.rdi = (u64)g[REG_RDI],
		.rip = (u64)g[REG_RIP],
		.rsp = (u64)g[REG_RSP],
		.rflags = (u64)g[REG_EFL],
		.cs = g[REG_CSGSFS] & 0xffff,
	};
}

/* Where a thread was: registers, and the kernel stack if it was on one. */
static void describe_thread(struct monitor *m, const ucontext_t *uc)
{
	struct rf_regs r;

	registers_of(uc, &r);
	monitor_dump_registers(m, &r);
	monitor_dump_address(m, "rip", r.rip);
	monitor_dump_stack(m, r.rsp);
}

/*
 * Return addresses on the stack of a thread of ours, as distances from the program's start: `addr2line -e ringfence` names them.
 */
static void describe_own_stack(struct monitor *m, u64 rip, u64 rsp)
{
	u64 start = (u64)(uptr_t)&__executable_start, size = (u64)(uptr_t)&etext - start;
	u32 left = OWN_FRAMES_MAX;

	if (rip - start < size)
		monitor_detail(m, "  own rip %#lx\n", rip - start);
	if (rsp >= stack_end || stack_end - rsp > OWN_STACK_MAX)
		return;
	for (u64 at = ALIGN_UP(rsp, 8ul); at < stack_end && left; at += 8) {
		u64 word = *(const u64 *)(uptr_t)at;

		if (word - start >= size)
			continue;
		monitor_detail(m, "  own stack %#lx\n", word - start);
		left--;
	}
}

/* The watchdog wants to know where this CPU's thread is. */
static void stuck_handler(int signo, siginfo_t *si, void *context)
{
	const ucontext_t *uc = context;
	struct monitor *m = crash_monitor;
	int saved = errno;

	monitor_detail(m, "  the thread:\n");
	describe_thread(m, uc);
	atomic_store(&m->stuck_described, 1);
	errno = saved;
}

static void crash_handler(int signo, siginfo_t *si, void *context)
{
	const ucontext_t *uc = context;
	u64 rip = (u64)uc->uc_mcontext.gregs[REG_RIP];
	struct monitor *m = crash_monitor;
	bool kernel = image_is_text(&m->image, rip);
	static volatile sig_atomic_t entered;

	if (rf_platform_fault(signo, si, context)) /* memory that the platform knows may vanish */
		return;
	if (entered++)
		_exit(MONITOR_STATUS_INTERNAL);
	monitor_headline(m, "%s: signal %d, address %p, error code %#llx",
			 kernel ? "kernel crash" : "internal failure", signo, si->si_addr,
			 (unsigned long long)uc->uc_mcontext.gregs[REG_ERR]);
	/* Only where the filter was built to raise it: seccomp(2), SECCOMP_RET_TRAP. */
	if (signo == SIGSYS)
		monitor_detail(m, "  system call %d is not one that the monitor may make",
			       si->si_syscall);
	describe_thread(m, uc);
	if (!kernel)
		describe_own_stack(m, rip, (u64)uc->uc_mcontext.gregs[REG_RSP]);
	monitor_dump_calls(m, thread_cpu);
	_exit(kernel ? MONITOR_STATUS_PANIC : MONITOR_STATUS_INTERNAL);
}

void crash_init(struct monitor *m)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS };
	struct sigaction sa = { .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };

	crash_monitor = m;
	note_stack();
	sigfillset(&sa.sa_mask);
	sa.sa_sigaction = stuck_handler;
	sigaction(SIGNAL_STUCK, &sa, NULL);
	sa.sa_sigaction = crash_handler;
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigdelset(&sa.sa_mask, signals[i]);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &sa, NULL);
}

/* A kernel stack of the arena may have no room for a signal frame, and its overflow is one of the crashes. */
int crash_thread_init(struct monitor_cpu *cpu)
{
	stack_t ss = { .ss_size = SIGNAL_STACK_SIZE };

	thread_cpu = cpu->number;
	note_stack();
	ss.ss_sp =
		mmap(NULL, ss.ss_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (ss.ss_sp == MAP_FAILED)
		return -errno;
	cpu->signal_stack = ss.ss_sp;
	return sigaltstack(&ss, NULL) < 0 ? -errno : 0;
}
