/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recurses until the stack is used up, moves the stack pointer to the kernel's addresses and lets a signal come.
 * Stopped by: the stack's limit; a frame that cannot be written ends the process.
 * Escape-Expect: stopped: recursion ended with SIGSEGV
 * Escape-Expect: stopped: a signal on the arena ended with SIGSEGV
 * Escape-Expect: stopped: a signal on the upper half ended with SIGSEGV
 * Escape-Expect: stopped: a signal on no address ended with SIGSEGV
 * Escape-Expect: stopped: a signal across the end ended with SIGSEGV
 */
#include "escape/escape.h"

static volatile int depth;

static __attribute__((noinline)) int recurse(int n)
{
	volatile char room[4096];

	room[0] = (char)n;
	depth = n;
	return n < 0 ? 0 : recurse(n + 1) + room[0];
}

static void overflow(void)
{
	recurse(1);
}

static void on_signal(int sig)
{
	(void)sig;
	escaped("a handler ran on the kernel's memory");
}

static void signal_at(uintptr_t stack)
{
	handle(SIGALRM, on_signal, 0);
	handle(SIGSEGV, SIG_DFL, 0);
	__asm__ volatile("mov %0, %%rsp\n"
			 "mov $14, %%esi\n" /* SIGALRM */
			 "mov %1, %%edi\n"
			 "mov $62, %%eax\n" /* kill */
			 "syscall\n"
			 "mov $231, %%eax\n" /* exit_group */
			 "xor %%edi, %%edi\n"
			 "syscall\n"
			 :
			 : "r"(stack), "r"(getpid())
			 : "rax", "rdi", "rsi", "rcx", "r11", "memory");
}

static void at_arena(void)
{
	signal_at(ARENA + 0x100000);
}

static void at_upper_half(void)
{
	signal_at(0xffffffff80000000);
}

static void at_no_address(void)
{
	signal_at(0x8000000000000000);
}

static void at_end(void)
{
	signal_at(USER_END + 512);
}

void attempt(void)
{
	stopped("recursion ended with %s", ending_of(in_child(overflow)));
	stopped("a signal on the arena ended with %s", ending_of(in_child(at_arena)));
	stopped("a signal on the upper half ended with %s", ending_of(in_child(at_upper_half)));
	stopped("a signal on no address ended with %s", ending_of(in_child(at_no_address)));
	stopped("a signal across the end ended with %s", ending_of(in_child(at_end)));
}
