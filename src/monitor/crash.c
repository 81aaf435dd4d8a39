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
#include "base/format.h"
#include "monitor/monitor.h"

/* Exit statuses of the command line (cli/exit_codes.h), which a signal handler cannot ask. */
#define EXIT_STATUS_INTERNAL 206
#define EXIT_STATUS_PANIC    207
#define SIGNAL_STACK_SIZE    (64u << 10)

static struct monitor *crash_monitor;

static __printf(2, 3) void crash_print(int fd, const char *format, ...)
{
	char text[256];
	va_list args;
	int n;

	va_start(args, format);
	n = fmt_vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (n > 0)
		monitor_write_text(fd, text, MIN((size_t)n, sizeof(text) - 1));
}

void monitor_dump_address(struct monitor *m, int fd, const char *name, u64 addr)
{
	u64 distance = 0;
	const char *symbol =
		image_is_text(&m->image, addr) ? image_symbol(&m->image, addr, &distance) : NULL;

	if (symbol)
		crash_print(fd, "  %s %016lx %s+%#lx\n", name, addr, symbol, distance);
	else
		crash_print(fd, "  %s %016lx\n", name, addr);
}

/* A stack that ran over stands in its slot's guard page, which cannot be read. */
static u64 stack_skip_guard(struct monitor *m, u64 sp)
{
	u64 offset = sp - RF_ARENA_BASE;

	if (sp < RF_ARENA_BASE || offset < m->stacks_start || offset >= m->arena.size)
		return sp;
	return MAX(sp, ALIGN_DOWN(sp, (u64)KSTACK_SLOT) + PAGE_SIZE);
}

void monitor_dump_stack(struct monitor *m, int fd, u64 sp, u32 max)
{
	u64 start = stack_skip_guard(m, ALIGN_UP(sp, 8ul));
	u64 end = ALIGN_DOWN(start, (u64)KSTACK_SLOT) + KSTACK_SLOT;

	if (start - sp >= 8)
		crash_print(fd, "  the kernel stack ran over\n");
	if (!arena_range_ok(&m->arena, start, end - start, KERNEL_IMAGE_OFF))
		return;
	for (; start < end && max; start += 8) {
		u64 word = *(const u64 *)(uintptr_t)start;

		if (!image_is_text(&m->image, word))
			continue;
		monitor_dump_address(m, fd, "stack", word);
		max--;
	}
}

static void crash_registers(struct monitor *m, const ucontext_t *uc)
{
	u64 rip = (u64)uc->uc_mcontext.gregs[REG_RIP], rsp = (u64)uc->uc_mcontext.gregs[REG_RSP];

	monitor_dump_address(m, m->log_fd, "rip", rip);
	crash_print(m->log_fd, "  rax %016llx rbx %016llx rcx %016llx rdx %016llx\n",
		    uc->uc_mcontext.gregs[REG_RAX], uc->uc_mcontext.gregs[REG_RBX],
		    uc->uc_mcontext.gregs[REG_RCX], uc->uc_mcontext.gregs[REG_RDX]);
	crash_print(m->log_fd, "  rsi %016llx rdi %016llx rbp %016llx rsp %016lx\n",
		    uc->uc_mcontext.gregs[REG_RSI], uc->uc_mcontext.gregs[REG_RDI],
		    uc->uc_mcontext.gregs[REG_RBP], rsp);
	crash_print(m->log_fd, "  r8  %016llx r9  %016llx r10 %016llx r11 %016llx\n",
		    uc->uc_mcontext.gregs[REG_R8], uc->uc_mcontext.gregs[REG_R9],
		    uc->uc_mcontext.gregs[REG_R10], uc->uc_mcontext.gregs[REG_R11]);
	crash_print(m->log_fd, "  r12 %016llx r13 %016llx r14 %016llx r15 %016llx\n",
		    uc->uc_mcontext.gregs[REG_R12], uc->uc_mcontext.gregs[REG_R13],
		    uc->uc_mcontext.gregs[REG_R14], uc->uc_mcontext.gregs[REG_R15]);
}

/* The watchdog wants to know where this CPU's thread is. */
static void stuck_handler(int signo, siginfo_t *si, void *context)
{
	const ucontext_t *uc = context;
	struct monitor *m = crash_monitor;
	int saved = errno;

	crash_print(m->log_fd, "  the thread:\n");
	crash_registers(m, uc);
	monitor_dump_stack(m, m->log_fd, (u64)uc->uc_mcontext.gregs[REG_RSP], 24);
	atomic_store(&m->stuck_described, 1);
	errno = saved;
}

static void crash_handler(int signo, siginfo_t *si, void *context)
{
	const ucontext_t *uc = context;
	u64 rip = (u64)uc->uc_mcontext.gregs[REG_RIP], rsp = (u64)uc->uc_mcontext.gregs[REG_RSP];
	struct monitor *m = crash_monitor;
	bool kernel = image_is_text(&m->image, rip);
	static volatile sig_atomic_t entered;

	if (rf_platform_fault(signo, si, context)) /* memory that the platform knows may vanish */
		return;
	if (entered++)
		_exit(EXIT_STATUS_INTERNAL);
	crash_print(m->log_fd, "ringfence: %s: signal %d, address %p, error code %#llx\n",
		    kernel ? "kernel crash" : "internal failure", signo, si->si_addr,
		    (unsigned long long)uc->uc_mcontext.gregs[REG_ERR]);
	/* Only where the filter was built to raise it: seccomp(2), SECCOMP_RET_TRAP. */
	if (signo == SIGSYS)
		crash_print(m->log_fd, "  system call %d is not one that the monitor may make\n",
			    si->si_syscall);
	crash_registers(m, uc);
	if (!kernel)
		crash_print(m->log_fd, "  monitor_serve at %p\n", (void *)(uintptr_t)monitor_serve);
	monitor_dump_stack(m, m->log_fd, rsp, 24);
	_exit(kernel ? EXIT_STATUS_PANIC : EXIT_STATUS_INTERNAL);
}

void crash_init(struct monitor *m)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS };
	struct sigaction sa = { .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };

	crash_monitor = m;
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

	ss.ss_sp =
		mmap(NULL, ss.ss_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (ss.ss_sp == MAP_FAILED)
		return -errno;
	cpu->signal_stack = ss.ss_sp;
	return sigaltstack(&ss, NULL) < 0 ? -errno : 0;
}
