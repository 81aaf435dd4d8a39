/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/guard.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <ringfence/platform.h>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ  22
#define MADV_POPULATE_WRITE 23
#endif

struct guard_entry {
	u64 instruction, fixup;
};
/* The linker's names for the ends of section rf_guard; weak: a program may link none of the accesses. */
extern const struct guard_entry __start_rf_guard[] __attribute__((visibility("hidden"), weak));
extern const struct guard_entry __stop_rf_guard[] __attribute__((visibility("hidden"), weak));

bool rf_platform_fault(int signo, const void *info, void *context)
{
	ucontext_t *uc = context;
	u64 rip = (u64)uc->uc_mcontext.gregs[REG_RIP];

	(void)info;
	if (signo != SIGBUS)
		return false;
	for (const struct guard_entry *e = __start_rf_guard; e < __stop_rf_guard; e++) {
		if (e->instruction == rip) {
			uc->uc_mcontext.gregs[REG_RIP] = (greg_t)e->fixup;
			return true;
		}
	}
	return false;
}

static struct sigaction previous;

/* Somebody else's SIGBUS: as if we were not here. */
static void pass_on(int signo, siginfo_t *info, void *context)
{
	if (previous.sa_flags & SA_SIGINFO) {
		previous.sa_sigaction(signo, info, context);
	} else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
		previous.sa_handler(signo);
	} else {
		/* Faults come again at once, without us; a signal that was sent is sent again. */
		sigaction(signo, &previous, NULL);
		if (info->si_code <= 0)
			raise(signo);
	}
}

static void handle_sigbus(int signo, siginfo_t *info, void *context)
{
	int saved = errno;

	if (!rf_platform_fault(signo, info, context))
		pass_on(signo, info, context);
	errno = saved;
}

static int install_error;

static void install(void)
{
	struct sigaction action = { .sa_sigaction = handle_sigbus,
				    .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART };

	sigemptyset(&action.sa_mask);
	install_error = sigaction(SIGBUS, &action, &previous) ? -errno : 0;
}

int guard_init(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, install);
	return install_error;
}

/*
 * Linux before 5.14 has no MADV_POPULATE_*; there only reading can be tried, and this call reads a signal set before it looks
 * at the rest and refuses it (kernel/signal.c): EFAULT or EINVAL. It needs no more of a seccomp filter than any program does.
 */
static bool readable(const void *page)
{
	return syscall(SYS_rt_sigprocmask, ~0u, page, NULL, sizeof(u64)) < 0 && errno == EINVAL;
}

bool guard_present(const void *p, bool write)
{
	void *page = (void *)ALIGN_DOWN((uintptr_t)p, (uintptr_t)PAGE_SIZE);
	int r;

	do
		r = madvise(page, PAGE_SIZE, write ? MADV_POPULATE_WRITE : MADV_POPULATE_READ);
	while (r && errno == EINTR);
	if (!r)
		return true;
	/* EINVAL: an old kernel, or no write access to the mapping; what is not a file's is there. */
	return errno == EINVAL ? readable(page)
			       : errno != EFAULT && errno != EHWPOISON && errno != ENOMEM;
}
