/* SPDX-License-Identifier: Apache-2.0 */
/* Faults arrive as the right signal with the right code and address. */
#include <setjmp.h>

#include "guest/guest.h"

static sigjmp_buf back;
static siginfo_t seen;

static void handler(int sig, siginfo_t *info, void *context)
{
	seen = *info;
	siglongjmp(back, 1);
}

static void show(const char *what)
{
	say("%s: signal %d code %d\n", what, seen.si_signo, seen.si_code);
}

#define TRY(what, code)                         \
	do {                                    \
		memset(&seen, 0, sizeof(seen)); \
		if (sigsetjmp(back, 1) == 0) {  \
			code;                   \
		}                               \
		show(what);                     \
	} while (0)

int main(void)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP };
	volatile int zero = 0, result;
	char *null = bad_address();

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		handle_info(signals[i], handler, 0);
	TRY("null write", *(volatile char *)null = 1);
	CHECK(seen.si_addr == null);
	TRY("null read", (void)*(volatile char *)null);
	TRY("kernel address", (void)*(volatile char *)0xffffffff81000000);
	TRY("non-canonical", (void)*(volatile char *)0x8000000000000000);
	TRY("divide", result = 1 / zero);
	TRY("undefined instruction", __asm__ volatile("ud2"));
	TRY("privileged instruction", __asm__ volatile("hlt"));
	TRY("cli", __asm__ volatile("cli"));
	TRY("in", __asm__ volatile("inb $0x80, %%al" ::: "rax"));
	TRY("read cr3", __asm__ volatile("mov %%cr3, %%rax" ::: "rax"));
	TRY("breakpoint", __asm__ volatile("int3"));
	TRY("jump to null", ((void (*)(void))(uintptr_t)null)());
	CHECK(seen.si_addr == null);
	TRY("jump to non-canonical",
	    __asm__ volatile("mov %%rsp, %%rbx; movabs $0x8000000000000000, %%rax; jmp *%%rax" ::
				     : "rax", "rbx"));
	(void)result;
	return 0;
}
