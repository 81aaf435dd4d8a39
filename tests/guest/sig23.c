/* SPDX-License-Identifier: Apache-2.0 */
/* A hostile frame given to rt_sigreturn gains nothing: segments, flags, addresses. */
#include <ucontext.h>

#include "guest/guest.h"

static void (*volatile change)(greg_t *regs);

static void handler(int sig, siginfo_t *info, void *context)
{
	change(((ucontext_t *)context)->uc_mcontext.gregs);
}

static void set_flags(greg_t *regs)
{
	regs[REG_EFL] |= 0x3200; /* IOPL 3 and IF */
}

static void clear_if(greg_t *regs)
{
	regs[REG_EFL] &= ~0x200;
}

static void kernel_rip(greg_t *regs)
{
	regs[REG_RIP] = (greg_t)0xffffffff81000000;
}

static void arena_rip(greg_t *regs)
{
	regs[REG_RIP] = 0x7e0000200000;
}

static void noncanonical_rip(greg_t *regs)
{
	regs[REG_RIP] = 0x0000800000000000;
}

static int run(void *arg)
{
	change = (void (*)(greg_t *))(uintptr_t)arg;
	handle_info(SIGUSR1, handler, 0);
	raise(SIGUSR1);
	__asm__ volatile("cli"); /* must still fault */
	return 0;
}

int main(void)
{
	void (*const changes[])(greg_t *) = { set_flags, clear_if, kernel_rip, arena_rip,
					      noncanonical_rip };

	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
		say("%d\n", WTERMSIG(wait_for(spawn(run, (void *)(uintptr_t)changes[i]))));
	return 0;
}
