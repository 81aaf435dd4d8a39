/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes the kernel write where it is not asked to at once: clear_child_tid, robust futex lists, rseq areas and altstacks in the kernel's memory, then a thread ends or a signal comes.
 * Stopped by: the same check when the time has come; the process ends or the store is left out.
 * Escape-Expect: stopped: clear_child_tid there ended with exit status 0
 * Escape-Expect: stopped: a robust list there ended with exit status 0
 * Escape-Expect: stopped: a robust list's offset to there ended with exit status 0
 * Escape-Expect: stopped: an alternate stack there ended with SIGSEGV
 * Escape-Expect: stopped: a handler there ended with SIGSEGV
 * Escape-Expect: stopped: a return from a handler to there ended with SIGSEGV
 */
#include <linux/futex.h>

#include "escape/escape.h"

static void clear_tid(void)
{
	syscall(SYS_set_tid_address, ARENA + 0x1000);
}

static void robust(void)
{
	static struct robust_list_head head;

	head.list.next = (struct robust_list *)(ARENA + 0x1000);
	head.futex_offset = 8;
	head.list_op_pending = (struct robust_list *)0xffffffff80000000;
	OK(syscall(SYS_set_robust_list, &head, sizeof(head)));
}

static void robust_offset(void)
{
	static struct robust_list_head head;
	static struct robust_list entry;

	entry.next = &head.list;
	head.list.next = &entry;
	head.futex_offset = (long)(ARENA + 0x1000 - (uintptr_t)&entry);
	OK(syscall(SYS_set_robust_list, &head, sizeof(head)));
}

static void on_signal(int sig)
{
	(void)sig;
	escaped("a handler ran on the kernel's memory");
}

static void alternate(void)
{
	stack_t stack = { .ss_sp = (void *)(ARENA + 0x100000), .ss_size = 65536 };

	if (sigaltstack(&stack, NULL) < 0)
		_exit(0);
	handle(SIGUSR1, on_signal, SA_ONSTACK);
	raise(SIGUSR1);
}

static void handler_there(void)
{
	handle(SIGUSR1, (void (*)(int))(ARENA + 0x1000), 0);
	raise(SIGUSR1);
}

static void restorer_there(void)
{
	struct {
		void (*handler)(int);
		unsigned long flags, restorer, mask;
	} a = { on_signal, 0x04000000, ARENA + 0x1000, 0 };

	a.handler = (void (*)(int))(uintptr_t)&clear_tid;
	OK(syscall(SYS_rt_sigaction, SIGUSR1, &a, NULL, 8));
	raise(SIGUSR1);
}

void attempt(void)
{
	stopped("clear_child_tid there ended with %s", ending_of(in_child(clear_tid)));
	stopped("a robust list there ended with %s", ending_of(in_child(robust)));
	stopped("a robust list's offset to there ended with %s",
		ending_of(in_child(robust_offset)));
	stopped("an alternate stack there ended with %s", ending_of(in_child(alternate)));
	stopped("a handler there ended with %s", ending_of(in_child(handler_there)));
	stopped("a return from a handler to there ended with %s",
		ending_of(in_child(restorer_there)));
}
