/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Protection keys are not offered; but where ring 3 runs on the bare host CPU, WRPKRU works. What it forbids ends in SIGSEGV, not in
 * an endless page fault, and is nobody else's matter.
 */
#include <cpuid.h>
#include <sys/wait.h>

#include "guest/guest.h"

static void lock_key_0(void)
{
	__asm__ volatile(".byte 0x0f, 0x01, 0xef" : : "a"(1), "c"(0), "d"(0) : "memory");
}

static int has_keys(void)
{
	unsigned a, b, c = 0, d;

	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && c & 1u << 4;
}

int main(void)
{
	static volatile int word = 1;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (!has_keys())
			raise(SIGSEGV);
		lock_key_0();
		word++;
		_exit(0);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	word++;
	say("%d\n", word);
	return 0;
}
