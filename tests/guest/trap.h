/* SPDX-License-Identifier: Apache-2.0 */
/* trap.h: run a few bytes of machine code and learn which signal they end in. */
#pragma once

#include <setjmp.h>
#include <ucontext.h>

#include "guest/guest.h"

struct trap {
	int sig, code;      /* sig 0: the code ran to its end */
	long rip;           /* from the start of the code */
	long trapno, error; /* of the signal frame */
	uintptr_t addr;     /* si_addr */
	uintptr_t at;       /* the saved RIP itself */
};

static volatile struct trap trap_seen;
static sigjmp_buf trap_back;
static uint8_t *trap_page;

/* Keeps registers, flags and the SSE state sane for C code whatever the snippet left behind. */
static void trap_handler(int sig, siginfo_t *info, void *context)
{
	const greg_t *g;

	__builtin_ia32_writeeflags_u64(0x202);
	g = ((ucontext_t *)context)->uc_mcontext.gregs;
	trap_seen.sig = sig;
	trap_seen.code = info->si_code;
	trap_seen.addr = (uintptr_t)info->si_addr;
	trap_seen.at = (uintptr_t)g[REG_RIP];
	trap_seen.rip = (long)((uintptr_t)g[REG_RIP] - (uintptr_t)trap_page);
	trap_seen.trapno = g[REG_TRAPNO];
	trap_seen.error = g[REG_ERR];
	siglongjmp(trap_back, 1);
}

static inline void trap_init(void)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP };
	stack_t alt = { .ss_sp = map_pages(16, PROT_READ | PROT_WRITE), .ss_size = 16 * PAGE };

	OK(sigaltstack(&alt, NULL));
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		handle_info(signals[i], trap_handler, SA_ONSTACK);
	trap_page = map_pages(2, PROT_READ | PROT_WRITE | PROT_EXEC);
}

/* Runs code, and RET after it. It may use all registers that a call may. */
static inline struct trap trap_run(const void *code, size_t length)
{
	memcpy(trap_page, code, length);
	trap_page[length] = 0xc3;
	trap_seen = (struct trap){ 0 };
	if (sigsetjmp(trap_back, 1) == 0)
		((void (*)(long, long, long))(uintptr_t)trap_page)(0, 0, 0);
	__builtin_ia32_writeeflags_u64(0x202);
	return trap_seen;
}

/*
 * QEMU's emulation is told by an MXCSR that no CPU accepts. It takes the stack of a far return or IRET with the kernel's rights: with SMAP on, a
 * program of ours faults there without end, and natively the kernel dies of it. And it takes any address as a base.
 */
static inline bool cpu_is_emulated(void)
{
	/* mov dword [rsp-8], -1; ldmxcsr [rsp-8]; mov dword [rsp-8], 0x1f80; ldmxcsr [rsp-8] */
	static const char code[] = "\xc7\x44\x24\xf8\xff\xff\xff\xff\x0f\xae\x54\x24\xf8"
				   "\xc7\x44\x24\xf8\x80\x1f\x00\x00\x0f\xae\x54\x24\xf8";

	return !trap_run(code, sizeof(code) - 1).sig;
}
