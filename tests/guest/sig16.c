/* SPDX-License-Identifier: Apache-2.0 */
/* A handler may change the context it returns to: registers, instruction pointer, mask. */
#include <ucontext.h>

#include "guest/guest.h"

extern char skip_from[], skip_to[];
static volatile int faults;

static void on_fault(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	faults++;
	if (uc->uc_mcontext.gregs[REG_RIP] == (greg_t)(uintptr_t)skip_from)
		uc->uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)skip_to;
	uc->uc_mcontext.gregs[REG_RBX] = 0x1234;
	uc->uc_mcontext.gregs[REG_R15] = 0x5678;
	sigaddset(&uc->uc_sigmask, SIGUSR2);
}

int main(void)
{
	unsigned long rbx, r15;
	sigset_t set;

	handle_info(SIGILL, on_fault, 0);
	__asm__ volatile("mov $1, %%rbx; mov $2, %%r15\n"
			 "skip_from: ud2\n"
			 "mov $3, %%rbx\n"
			 "skip_to: mov %%rbx, %0; mov %%r15, %1"
			 : "=r"(rbx), "=r"(r15)
			 :
			 : "rbx", "r15", "memory");
	OK(sigprocmask(SIG_BLOCK, NULL, &set));
	say("%d %#lx %#lx %d\n", faults, rbx, r15, sigismember(&set, SIGUSR2));
	return 0;
}
