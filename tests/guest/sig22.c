/* SPDX-License-Identifier: Apache-2.0 */
/* An ignored or blocked fault signal still kills; a broken frame address too. */
#include <ucontext.h>

#include "guest/guest.h"

static int ignored(void *arg)
{
	signal(SIGSEGV, SIG_IGN);
	*(volatile int *)bad_address() = 1;
	return 0;
}

static int blocked(void *arg)
{
	block(SIGSEGV);
	*(volatile int *)bad_address() = 1;
	return 0;
}

static void handler(int sig)
{
}

static int no_stack(void *arg)
{
	handle(SIGUSR1, handler, 0);
	handle(SIGSEGV, handler, 0);
	__asm__ volatile("mov $8, %%rsp; syscall; ud2" ::"a"((long)SYS_kill), "D"((long)getpid()),
			 "S"((long)SIGUSR1));
	return 0;
}

static int bad_return(void *arg)
{
	__asm__ volatile("mov $4096, %%rsp; syscall; ud2" ::"a"((long)SYS_rt_sigreturn));
	return 0;
}

int main(void)
{
	say("%d\n", WTERMSIG(wait_for(spawn(ignored, NULL))));
	say("%d\n", WTERMSIG(wait_for(spawn(blocked, NULL))));
	say("%d\n", WTERMSIG(wait_for(spawn(no_stack, NULL))));
	say("%d\n", WTERMSIG(wait_for(spawn(bad_return, NULL))));
	return 0;
}
