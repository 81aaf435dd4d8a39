/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Points FS and GS into the kernel by arch_prctl, by WRFSBASE and WRGSBASE, and reads by them; and tries its other requests.
 * Stopped by: arch_prctl takes the program's addresses only; by instruction any base can be set, and pages are still the kernel's.
 * Escape-Expect: stopped: SIGSEGV (page fault) from gs:[0] at the arena
 * Escape-Expect: stopped: EPERM from ARCH_SET_GS to the arena
 * Escape-Expect: stopped: EPERM from ARCH_SET_FS to the arena
 * Escape-Expect: stopped: SIGSEGV (page fault) from gs:[0] at the upper half
 * Escape-Expect: stopped: EPERM from ARCH_SET_GS to the upper half
 * Escape-Expect: stopped: EPERM from ARCH_SET_FS to the upper half
 * Escape-Expect: stopped: SIGSEGV (general protection) from gs:[0] at no canonical address | stopped: emulation takes any base
 * Escape-Expect: stopped: EPERM from ARCH_SET_GS to no canonical address
 * Escape-Expect: stopped: EPERM from ARCH_SET_FS to no canonical address
 * Escape-Expect: stopped: EFAULT from ARCH_GET_FS into the arena
 * Escape-Expect: stopped: EINVAL from ARCH_MAP_VDSO_64
 * Escape-Expect: stopped: EINVAL from ARCH_REQ_XCOMP_PERM
 * Escape-Expect: stopped: EINVAL from ARCH_CET_LOCK
 * Escape-Expect: stopped: EINVAL from an unknown request
 */
#include <asm/prctl.h>

#include "escape/instruction.h"

#define NO_ADDRESS 0x8000000000000000

static void try_base(const char *name, uint64_t base)
{
	/* mov rax, base; wrgsbase rax; mov rax, gs:[0] */
	uint8_t gs[] = { 0x48, 0xb8, 0,    0,    0,    0,    0,    0,    0, 0, 0xf3, 0x48,
			 0x0f, 0xae, 0xd8, 0x65, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0,    0 };
	char what[64];
	struct trap t;

	if (base == NO_ADDRESS && cpu_is_emulated()) {
		/* A CPU refuses it. */
		stopped("emulation takes any base");
	} else {
		memcpy(gs + 2, &base, sizeof(base));
		t = trap_run(gs, sizeof(gs));
		snprintf(what, sizeof(what), "gs:[0] at %s", name);
		if (t.sig == SIGILL)
			stopped("no WRGSBASE for %s", name);
		else
			judge_trap(what, &t);
	}
	snprintf(what, sizeof(what), "ARCH_SET_GS to %s", name);
	REFUSED(what, syscall(SYS_arch_prctl, ARCH_SET_GS, base));
	snprintf(what, sizeof(what), "ARCH_SET_FS to %s", name);
	REFUSED(what, syscall(SYS_arch_prctl, ARCH_SET_FS, base));
}

void attempt(void)
{
	trap_init();
	try_base("the arena", ARENA);
	try_base("the upper half", 0xffffffff80000000);
	try_base("no canonical address", NO_ADDRESS);
	OK(syscall(SYS_arch_prctl, ARCH_SET_GS, 0));
	REFUSED("ARCH_GET_FS into the arena", syscall(SYS_arch_prctl, ARCH_GET_FS, ARENA));
	REFUSED("ARCH_MAP_VDSO_64", syscall(SYS_arch_prctl, 0x2003, ARENA));
	REFUSED("ARCH_REQ_XCOMP_PERM", syscall(SYS_arch_prctl, 0x1023, 18));
	REFUSED("ARCH_CET_LOCK", syscall(SYS_arch_prctl, 0x3003, 3));
	REFUSED("an unknown request", syscall(SYS_arch_prctl, 0x7fffffff, 0));
}
