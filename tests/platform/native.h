/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The oracle of the instruction tests: a snippet is run on the host too, in a child at the same
 * addresses, and the exception it gets there is what it must get inside.
 */
#pragma once

#include <cpuid.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>

#include "platform/emulated.h"
#include "platform/fixture.h"

struct native {
	bool faulted;
	int signo, code;
	uint64_t vector, error_code, address, rip, rflags;
};

static struct native *native_result;

static void native_handler(int signo, siginfo_t *info, void *context)
{
	const greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;

	*native_result = (struct native){
		.faulted = true,
		.signo = signo,
		.code = info->si_code,
		.vector = (uint64_t)g[REG_TRAPNO],
		.error_code = (uint64_t)g[REG_ERR],
		.address = (uint64_t)g[REG_CR2],
		.rip = (uint64_t)g[REG_RIP],
		.rflags = (uint64_t)g[REG_EFL],
	};
	_exit(0);
}

static void native_map(uint64_t at)
{
	if (mmap((void *)at, 0x1000, PROT_READ | PROT_WRITE | PROT_EXEC,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		_exit(2);
}

/* In the child. Registers as fixture_reset() sets them: zero, but for RSP. */
static void native_jump(const void *code, size_t size)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP };
	static uint8_t stack[65536];
	struct sigaction action = { .sa_sigaction = native_handler,
				    .sa_flags = SA_SIGINFO | SA_ONSTACK };

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &action, NULL);
	sigaltstack(&(stack_t){ .ss_sp = stack, .ss_size = sizeof(stack) }, NULL);
	native_map(CODE);
	native_map(DATA);
	native_map(STACK);
	memset((void *)CODE, 0xcc, 0x1000);
	memcpy((void *)CODE, code, size);
	alarm(5);
	__asm__ volatile("mov %0, %%rsp\n xor %%eax, %%eax\n xor %%ebx, %%ebx\n"
			 "xor %%edx, %%edx\n xor %%esi, %%esi\n xor %%edi, %%edi\n"
			 "xor %%ebp, %%ebp\n xor %%r8d, %%r8d\n xor %%r9d, %%r9d\n"
			 "jmp *%%rcx\n"
			 :
			 : "r"(STACK_TOP - 64), "c"(CODE)
			 : "memory");
	__builtin_unreachable();
}

/* Returns false if the snippet does not fault on the host or ends the process otherwise. */
static bool native_run(const void *code, size_t size, struct native *ret)
{
	int status;
	pid_t pid;

	native_result = mmap(NULL, sizeof(*native_result), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_TRUE(native_result != MAP_FAILED);
	pid = fork();
	ASSERT_GE(pid, 0);
	if (pid == 0)
		native_jump(code, size);
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	*ret = *native_result;
	munmap(native_result, sizeof(*native_result));
	return status == 0 && ret->faulted;
}
