/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/kvm/speculation.h"

#include <stdio.h>

/*
 * The processors whose buffers ring 3 could sample: MDS, TAA, MMIO stale data, RFDS (Intel's guidance for each, in
 * "Affected Processors"). Only Intel makes them.
 */
static bool buffers_leak(const struct speculation_facts *f)
{
	const u64 mmio_no = ARCH_CAP_SBDR_SSDP_NO | ARCH_CAP_FBSDP_NO | ARCH_CAP_PSDP_NO;
	u64 caps = f->arch_capabilities;

	if (!f->intel)
		return false;
	return !(caps & ARCH_CAP_MDS_NO) || (f->rtm && !(caps & ARCH_CAP_TAA_NO)) ||
	       ((caps & ARCH_CAP_FB_CLEAR) && (caps & mmio_no) != mmio_no) ||
	       caps & ARCH_CAP_RFDS_CLEAR;
}

void speculation_decide(const struct speculation_facts *f, bool ring0, struct speculation_plan *ret)
{
	/*
	 * Enhanced IBRS (SDM vol. 4, IA32_ARCH_CAPABILITIES.IBRS_ALL) and AMD's Automatic IBRS (APM vol. 2 §3.2.10) keep ring 0's
	 * predictions from ring 3's training. Plain IBRS would have to be written at every entry: retpolines are cheaper.
	 */
	ret->auto_ibrs = ring0 && f->auto_ibrs;
	ret->ibrs = ring0 && !ret->auto_ibrs && f->spec_ctrl &&
		    f->arch_capabilities & ARCH_CAP_IBRS_ALL;
	ret->retpoline = !f->not_affected && !ret->auto_ibrs && !ret->ibrs;
	/* Intel's from Skylake on ("Retpoline: A Branch Target Injection Mitigation", Empty RSB Mitigation); no AMD. */
	ret->fill_rsb = f->intel && ret->retpoline;
	ret->verw = ring0 && f->md_clear && buffers_leak(f);
}

void speculation_without_ibrs(const struct speculation_facts *f, struct speculation_plan *plan)
{
	plan->auto_ibrs = plan->ibrs = false;
	plan->retpoline = !f->not_affected;
	plan->fill_rsb = f->intel && plan->retpoline;
}

void speculation_describe(const struct speculation_plan *p, char *text, u64 size)
{
	snprintf(text, size, "indirect branches: %s; buffers: %s",
		 p->auto_ibrs   ? "automatic IBRS"
		 : p->ibrs      ? "enhanced IBRS"
		 : p->retpoline ? "retpolines"
				: "plain, the CPU is not affected",
		 p->verw ? "cleared on the way to user code" : "not cleared");
}
