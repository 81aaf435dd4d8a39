/* SPDX-License-Identifier: Apache-2.0 */
/* What the virtual CPU offers against speculative execution, and what follows from it: docs/speculation.md. Pure. */
#pragma once

#include "base/types.h"

#define ARCH_CAP_RDCL_NO      (1ull << 0)
#define ARCH_CAP_IBRS_ALL     (1ull << 1)
#define ARCH_CAP_MDS_NO       (1ull << 5)
#define ARCH_CAP_TAA_NO       (1ull << 8)
#define ARCH_CAP_SBDR_SSDP_NO (1ull << 13)
#define ARCH_CAP_FBSDP_NO     (1ull << 14)
#define ARCH_CAP_PSDP_NO      (1ull << 15)
#define ARCH_CAP_FB_CLEAR     (1ull << 17)
#define ARCH_CAP_RFDS_CLEAR   (1ull << 28)

struct speculation_facts {
	u64 arch_capabilities; /* MSR 0x10a as the guest would read it; 0 where there is none */
	bool intel;
	bool spec_ctrl;    /* CPUID 7.0 EDX[26]: MSR IA32_SPEC_CTRL with IBRS */
	bool md_clear;     /* CPUID 7.0 EDX[10]: VERW clears buffers */
	bool rtm;          /* CPUID 7.0 EBX[11] */
	bool auto_ibrs;    /* CPUID 0x80000021 EAX[8]: EFER.AutoIBRS */
	bool not_affected; /* by Spectre v2, says the host's kernel */
};

struct speculation_plan {
	bool retpoline;
	bool fill_rsb; /* at switches of stacks */
	bool verw;
	bool ibrs;      /* IA32_SPEC_CTRL.IBRS once and for all */
	bool auto_ibrs; /* EFER.AutoIBRS */
};

/* @ring0: our kernel runs in guest ring 0; else in the host's process, where only retpolines are its own to decide. */
void speculation_decide(const struct speculation_facts *f, bool ring0,
			struct speculation_plan *ret);
/* The plan where KVM refused to switch predictors' isolation on. */
void speculation_without_ibrs(const struct speculation_facts *f, struct speculation_plan *plan);
/* One line. */
void speculation_describe(const struct speculation_plan *p, char *text, u64 size);
