/* SPDX-License-Identifier: Apache-2.0 */
/* CPUID, RDTSC and the FS and GS bases work as on the host. */
#include <asm/prctl.h>
#include <cpuid.h>

#include "guest/guest.h"

int main(void)
{
	unsigned a, b, c, d;
	unsigned long base = 0, word = 0x1234567890abcdef, value;
	char vendor[13] = "";

	CHECK(__get_cpuid(0, &a, &b, &c, &d));
	memcpy(vendor, &b, 4);
	memcpy(vendor + 4, &d, 4);
	memcpy(vendor + 8, &c, 4);
	CHECK_EQ(strlen(vendor), 12);
	CHECK(__builtin_ia32_rdtsc() > 0);
	OK(syscall(SYS_arch_prctl, ARCH_GET_FS, &base));
	CHECK_EQ(*(unsigned long *)base, base); /* the C library's self pointer */
	OK(syscall(SYS_arch_prctl, ARCH_SET_GS, &word));
	for (int i = 0; i < 100; i++) {
		__asm__ volatile("mov %%gs:0, %0" : "=r"(value));
		CHECK_EQ(value, word);
		sched_yield();
	}
	OK(syscall(SYS_arch_prctl, ARCH_GET_GS, &base));
	CHECK(base == (uintptr_t)&word);
	FAILS(syscall(SYS_arch_prctl, ARCH_SET_FS, 0x8000000000000000), EPERM);
	FAILS(syscall(SYS_arch_prctl, 0x9999, 0), EINVAL);
	FAILS(syscall(SYS_arch_prctl, ARCH_GET_FS, bad_address()), EFAULT);
	say("ok\n");
	return 0;
}
